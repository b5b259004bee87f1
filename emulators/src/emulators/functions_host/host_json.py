"""What host.json says, with the environment's AzureFunctionsJobHost__ overrides on top."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from emulators.functions_host.errors import AppRefused

_OVERRIDE = "azurefunctionsjobhost__"
_TIMESPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,7})?)?")
_DEFAULT_TIMEOUT = timedelta(minutes=30)
_LONGEST = timedelta(days=24)
_MOST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """`extensions.queues`, with the defaults of the storage extension 5.

    `new_batch_threshold`: more messages are fetched once no more than so many are being worked on.
    `hidden_after_failure` is `visibilityTimeout`: how long a message is hidden after a failure.
    """

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_polling_interval: timedelta = timedelta(minutes=1)
    hidden_after_failure: timedelta = timedelta(0)
    max_dequeue_count: int = 5
    base64: bool = True


@dataclass(frozen=True, slots=True)
class EventHubOptions:
    """`extensions.eventHubs`, with the defaults of its extension 6.

    `initial_position` is the client's: `-1` (start), `@latest` (end) or a time; it counts where there is no checkpoint.
    """

    max_batch_size: int = 100
    min_batch_size: int = 1
    max_wait: timedelta = timedelta(minutes=1)
    checkpoint_every: int = 1
    prefetch: int = 300
    initial_position: str | datetime = "-1"
    balancing_interval: timedelta = timedelta(seconds=30)
    ownership_expires: timedelta = timedelta(minutes=2)
    endpoint: str = ""
    websockets: bool = False


@dataclass(frozen=True, slots=True)
class HostConfig:
    """The part of host.json that this host honours.

    `timeout` is None where `functionTimeout` is -1. Defaults are those of Core Tools.
    """

    timeout: timedelta | None = _DEFAULT_TIMEOUT
    route_prefix: str = "api"
    hub: str = "TestHubName"
    activities: int = 10
    orchestrators: int = 10
    log_levels: Mapping[str, str] = field(default_factory=dict)
    queues: QueueOptions = field(default_factory=QueueOptions)
    event_hubs: EventHubOptions = field(default_factory=EventHubOptions)


def read_host_json(folder: Path, environment: Mapping[str, str]) -> HostConfig:
    """Read `folder`/host.json (it must exist, as `func` asks) under the overrides in `environment`.

    Raises AppRefused when the file is absent, not JSON, or holds a value of the wrong kind.
    """
    path = folder / "host.json"
    try:
        tree = json.loads(path.read_text())
    except FileNotFoundError:
        raise AppRefused(f"{path} is missing: a Functions app has a host.json at its root") from None
    except json.JSONDecodeError as error:
        raise AppRefused(f"{path} is not JSON: {error}") from error
    return host_config(_lowered(tree), environment)


def host_config(tree: Mapping[str, Any], environment: Mapping[str, str]) -> HostConfig:
    """Build the configuration from host.json's tree with lower-case keys and the environment's overrides."""
    overrides = {k.lower()[len(_OVERRIDE) :]: v for k, v in environment.items() if k.lower().startswith(_OVERRIDE)}
    values = {**_flat(tree), **overrides}
    durable = _Section(values, "extensions.durableTask")
    return HostConfig(
        timeout=_timeout(str(values.get("functiontimeout", _DEFAULT_TIMEOUT))),
        route_prefix=str(values.get("extensions__http__routeprefix", "api")).strip("/"),
        hub=_setting(durable.text("hubName", "TestHubName"), environment),
        activities=durable.count("maxConcurrentActivityFunctions", 10),
        orchestrators=durable.count("maxConcurrentOrchestratorFunctions", 10),
        log_levels=_log_levels(tree, overrides),
        queues=_queue_options(_Section(values, "extensions.queues")),
        event_hubs=_event_hub_options(_Section(values, "extensions.eventHubs")),
    )


def parse_timespan(text: str) -> timedelta:
    """Parse `hh:mm:ss`, `d.hh:mm:ss` or either with a fraction; raises ValueError with the text otherwise."""
    match = _TIMESPAN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a time span such as 00:10:00")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:4])
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds + float(match[5] or 0))


@dataclass(frozen=True, slots=True)
class _Section:
    """One object of host.json, `path` in dots; a wrong value is refused (AppRefused) by the option's path."""

    values: Mapping[str, Any]
    path: str

    def text(self, name: str, default: str) -> str:
        key = f"{self.path}.{name}".replace(".", "__").lower()
        return str(self.values.get(key, default)).strip()

    def count(self, name: str, default: int, least: int = 1, most: int = _MOST) -> int:
        text = self.text(name, str(default))
        if not (text.isdecimal() and least <= int(text) <= most):
            limit = f"of {least} or more" if most == _MOST else f"from {least} to {most}"
            raise self.refusal(name, f"{text!r} is not a whole number {limit}")
        return int(text)

    def span(self, name: str, default: timedelta, least: timedelta, most: timedelta = _LONGEST) -> timedelta:
        try:
            found = parse_timespan(self.text(name, str(default)))
        except ValueError as error:
            raise self.refusal(name, str(error)) from error
        if not least <= found <= most:
            raise self.refusal(name, f"{found} is not between {least} and {most}")
        return found

    def choice(self, name: str, *choices: str) -> str:
        """Give the value in lower case; the first of `choices` is the default."""
        text = self.text(name, choices[0])
        if text.lower() not in {choice.lower() for choice in choices}:
            raise self.refusal(name, f"{text!r} is none of {', '.join(choices)}")
        return text.lower()

    def refusal(self, name: str, why: str) -> AppRefused:
        return AppRefused(f"host.json: {self.path}.{name}: {why}")


def _queue_options(queues: _Section) -> QueueOptions:
    size = queues.count("batchSize", 16, most=32)
    return QueueOptions(
        batch_size=size,
        new_batch_threshold=queues.count("newBatchThreshold", size // 2, least=0),
        max_polling_interval=queues.span("maxPollingInterval", timedelta(minutes=1), timedelta(milliseconds=100)),
        hidden_after_failure=queues.span("visibilityTimeout", timedelta(0), timedelta(0), timedelta(days=7)),
        max_dequeue_count=queues.count("maxDequeueCount", 5),
        base64=queues.choice("messageEncoding", "base64", "none") == "base64",
    )


def _event_hub_options(hubs: _Section) -> EventHubOptions:
    largest = hubs.count("maxEventBatchSize", 100)
    second = timedelta(seconds=1)
    return EventHubOptions(
        max_batch_size=largest,
        min_batch_size=hubs.count("minEventBatchSize", 1, most=largest),
        max_wait=hubs.span("maxWaitTime", timedelta(minutes=1), timedelta(0), timedelta(minutes=10)),
        checkpoint_every=hubs.count("batchCheckpointFrequency", 1),
        prefetch=hubs.count("prefetchCount", 300),
        initial_position=_initial_position(_Section(hubs.values, f"{hubs.path}.initialOffsetOptions")),
        balancing_interval=hubs.span("loadBalancingUpdateInterval", timedelta(seconds=30), second),
        ownership_expires=hubs.span("partitionOwnershipExpirationInterval", timedelta(minutes=2), second),
        endpoint=hubs.text("customEndpointAddress", ""),
        websockets=hubs.choice("transportType", "amqpTcp", "amqpWebSockets") == "amqpwebsockets",
    )


def _initial_position(options: _Section) -> str | datetime:
    kind = options.choice("type", "fromStart", "fromEnd", "fromEnqueuedTime")
    if kind != "fromenqueuedtime":
        return "-1" if kind == "fromstart" else "@latest"
    text = options.text("enqueuedTimeUtc", "")
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise options.refusal("enqueuedTimeUtc", f"{text!r} is not a time such as 2026-11-22T10:00:00Z") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _timeout(text: str) -> timedelta | None:
    if text.strip() == "-1":
        return None
    try:
        return parse_timespan(text)
    except ValueError as error:
        raise AppRefused(f"host.json: functionTimeout: {error}, or -1 for none") from error


def _setting(text: str, environment: Mapping[str, str]) -> str:
    if not re.fullmatch(r"%[^%]+%", text):
        return text
    if text.strip("%") not in environment:
        raise AppRefused(f"host.json: {text} names an app setting that does not exist")
    return environment[text.strip("%")]


def _log_levels(tree: Mapping[str, Any], overrides: Mapping[str, str]) -> dict[str, str]:
    prefix = "logging__loglevel__"
    levels = dict(tree.get("logging", {}).get("loglevel", {}))
    written = {name.lower(): name for name in levels}
    for key, level in overrides.items():
        if key.startswith(prefix):
            name = key[len(prefix) :]
            levels[written.get(name, name)] = level
    return levels


def _lowered(tree: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    lowered = {}
    for key, value in tree.items():
        here = f"{path}/{key.lower()}"
        nested = isinstance(value, dict) and here != "/logging/loglevel"
        lowered[key.lower()] = _lowered(value, here) if nested else value
    return lowered


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        flat.update(_flat(value, f"{name}__") if isinstance(value, dict) else {name: value})
    return flat
