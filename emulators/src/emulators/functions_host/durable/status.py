"""How an instance looks to the outside: the status document, its history listing, and the filter of a query."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from emulators.functions_host.durable.history import EventType
from emulators.functions_host.durable.model import Event, Instance

_ENDS = {
    EventType.TASK_COMPLETED: "TaskCompleted",
    EventType.TASK_FAILED: "TaskFailed",
    EventType.CHILD_COMPLETED: "SubOrchestrationInstanceCompleted",
    EventType.CHILD_FAILED: "SubOrchestrationInstanceFailed",
}
_ALONE = {
    EventType.EXECUTION_STARTED: "ExecutionStarted",
    EventType.EXECUTION_COMPLETED: "ExecutionCompleted",
    EventType.EXECUTION_TERMINATED: "ExecutionTerminated",
    EventType.TIMER_CREATED: "TimerCreated",
    EventType.TIMER_FIRED: "TimerFired",
    EventType.EVENT_RAISED: "EventRaised",
}
_PAYLOADS = ("Result", "Input")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which instances a query or a purge is about; what is None is not asked for."""

    created_from: datetime | None = None
    created_to: datetime | None = None
    statuses: frozenset[str] = frozenset()
    prefix: str = ""

    def holds(self, instance: Instance) -> bool:
        """Say whether `instance` is one of them."""
        return (
            (self.created_from is None or instance.created >= self.created_from)
            and (self.created_to is None or instance.created <= self.created_to)
            and (not self.statuses or instance.status in self.statuses)
            and instance.id.startswith(self.prefix)
        )


def parse_filter(query: Mapping[str, str]) -> Filter:
    """Read the query string of GET or DELETE instances; raises ValueError for a time that isn't ISO 8601."""
    statuses = frozenset(filter(None, query.get("runtimeStatus", "").split(",")))
    earliest, latest = _time(query.get("createdTimeFrom")), _time(query.get("createdTimeTo"))
    return Filter(earliest, latest, statuses, query.get("instanceIdPrefix", ""))


def status_document(instance: Instance, *, with_input: bool) -> dict[str, Any]:
    """Write the status as the HTTP API answers it. A JSON text inside a JSON text stays one, as in Azure."""
    return {
        "name": instance.name,
        "instanceId": instance.id,
        "runtimeStatus": instance.status,
        "input": _parsed(instance.input) if with_input else None,
        "customStatus": _parsed(instance.custom_status),
        "output": _parsed(instance.output),
        "createdTime": _seconds(instance.created),
        "lastUpdatedTime": _seconds(instance.updated),
    }


def history_listing(texts: Sequence[str], *, with_output: bool) -> list[dict[str, Any]]:
    """Write the history as `showHistory` gives it: a task's end joined with its scheduling, episodes left out."""
    events = [json.loads(text) for text in texts]
    scheduled = {e["EventId"]: e for e in events if e["EventId"] >= 0}
    return list(_lines(events, scheduled, with_output=with_output))


def _lines(events: Iterable[Event], scheduled: Mapping[int, Event], *, with_output: bool) -> Iterable[dict[str, Any]]:
    for event in events:
        kind = event["EventType"]
        start = scheduled.get(event.get("TaskScheduledId", -1), {})
        joined = {"FunctionName": start.get("Name"), "ScheduledTime": start.get("Timestamp")} if start else {}
        if kind in _ENDS or kind in _ALONE:
            line = {"EventType": (_ENDS | _ALONE)[kind], "Timestamp": event["Timestamp"], **joined}
            yield {**line, **_details(event, with_output=with_output)}


def _details(event: Event, *, with_output: bool) -> dict[str, Any]:
    names = ("Name", "Reason", "OrchestrationStatus", "FireAt")
    kept = {name: event[name] for name in names if event.get(name) is not None}
    if event["EventType"] == EventType.EXECUTION_STARTED:
        kept["FunctionName"] = kept.pop("Name")
    payloads = {name: _parsed(event[name]) for name in _PAYLOADS if with_output and event.get(name) is not None}
    return kept | payloads


def _time(text: str | None) -> datetime | None:
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _parsed(text: str | None) -> object:
    return None if text is None else json.loads(text)


def _seconds(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
