"""What host.json says, with the environment's AzureFunctionsJobHost__ overrides on top."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from emulators.functions_host.errors import AppRefused

_OVERRIDE = "azurefunctionsjobhost__"
_TIMESPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2}))?")
_DEFAULT_TIMEOUT = timedelta(minutes=30)


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
    durable = "extensions__durabletask__"
    return HostConfig(
        timeout=_timeout(str(values.get("functiontimeout", _DEFAULT_TIMEOUT))),
        route_prefix=str(values.get("extensions__http__routeprefix", "api")).strip("/"),
        hub=_setting(str(values.get(f"{durable}hubname", "TestHubName")), environment),
        activities=_count(f"{durable}maxconcurrentactivityfunctions", values),
        orchestrators=_count(f"{durable}maxconcurrentorchestratorfunctions", values),
        log_levels=_log_levels(tree, overrides),
    )


def parse_timespan(text: str) -> timedelta:
    """Parse `hh:mm:ss` or `d.hh:mm:ss`; raises ValueError with the text otherwise."""
    match = _TIMESPAN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a time span such as 00:10:00")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _timeout(text: str) -> timedelta | None:
    if text.strip() == "-1":
        return None
    try:
        return parse_timespan(text)
    except ValueError as error:
        raise AppRefused(f"host.json: functionTimeout: {error}, or -1 for none") from error


def _count(name: str, values: Mapping[str, Any]) -> int:
    text = str(values.get(name, 10))
    if not text.isdigit() or int(text) < 1:
        raise AppRefused(f"host.json: {name.replace('__', '.')}: {text!r} is not a whole number of 1 or more")
    return int(text)


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
