"""The action list by which the Python SDK answers an episode (JSON protocol V3): its kinds, and what each one asks."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

from emulators.functions_host.durable.model import Call

type Action = Mapping[str, Any]


class Kind(IntEnum):
    """The extension's numbers for actions."""

    ACTIVITY = 0
    ACTIVITY_WITH_RETRY = 1
    CHILD = 2
    CHILD_WITH_RETRY = 3
    CONTINUE_AS_NEW = 4
    TIMER = 5
    WAIT = 6
    CALL_ENTITY = 7
    CALL_HTTP = 8
    SIGNAL_ENTITY = 9
    ANY = 11
    ALL = 12


ACTIVITIES = frozenset({Kind.ACTIVITY, Kind.ACTIVITY_WITH_RETRY})
CHILDREN = frozenset({Kind.CHILD, Kind.CHILD_WITH_RETRY})
COMPOUND = frozenset({Kind.ANY, Kind.ALL})
REFUSED = {Kind.CALL_ENTITY: "call_entity", Kind.CALL_HTTP: "call_http", Kind.SIGNAL_ENTITY: "signal_entity"}


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a call is tried, and how long after a failure the next attempt begins; SDK 1.x sends no more."""

    limit: int
    interval: timedelta


def flatten(actions: Sequence[Action]) -> Iterator[Action]:
    """Walk an action list depth first, giving the atomic actions."""
    for action in actions:
        if action["actionType"] in COMPOUND:
            yield from flatten(action["compoundActions"])
        else:
            yield action


def call(action: Action) -> Call:
    """Give what a call action runs; a child without an instance id gets one from its task's id."""
    if action["actionType"] in ACTIVITIES:
        return Call("activity", action["functionName"], action.get("input"))
    # The SDK hands over JSON text, and the extension serialises it once more on its way to the child.
    text = action.get("input")
    return Call("child", action["functionName"], text and json.dumps(text), action.get("instanceId") or "")


def retry(action: Action) -> Retry:
    """Give the retry options of an action; one attempt where it has none."""
    options = action.get("retryOptions") or {}
    interval = timedelta(milliseconds=options.get("firstRetryIntervalInMilliseconds", 0))
    return Retry(options.get("maxNumberOfAttempts", 1), interval)


def fire_at(action: Action) -> datetime:
    """Give the moment of a timer action; the SDK's times are UTC."""
    moment = datetime.fromisoformat(action["fireAt"])
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
