"""A history as `showHistory` gives it: the extension's DurableClient joins a task's end with its scheduling.

A history has no inputs of calls, so that `Input` is null there; inputs are shown unless `showInput` is false.
"""

import json
from collections.abc import Sequence
from typing import Any

from emulators.functions_host.durable.history import EventType
from emulators.functions_host.durable.model import Event

_NAMES = {
    EventType.EXECUTION_STARTED: "ExecutionStarted",
    EventType.EXECUTION_COMPLETED: "ExecutionCompleted",
    EventType.EXECUTION_TERMINATED: "ExecutionTerminated",
    EventType.TASK_SCHEDULED: "TaskScheduled",
    EventType.TASK_COMPLETED: "TaskCompleted",
    EventType.TASK_FAILED: "TaskFailed",
    EventType.CHILD_CREATED: "SubOrchestrationInstanceCreated",
    EventType.CHILD_COMPLETED: "SubOrchestrationInstanceCompleted",
    EventType.CHILD_FAILED: "SubOrchestrationInstanceFailed",
    EventType.TIMER_CREATED: "TimerCreated",
    EventType.TIMER_FIRED: "TimerFired",
    EventType.EVENT_SENT: "EventSent",
    EventType.EVENT_RAISED: "EventRaised",
    EventType.CONTINUED_AS_NEW: "ContinueAsNew",
    EventType.SUSPENDED: "ExecutionSuspended",
    EventType.RESUMED: "ExecutionResumed",
}
_SCHEDULINGS = frozenset({EventType.TASK_SCHEDULED, EventType.CHILD_CREATED})
_DONE = frozenset({EventType.TASK_COMPLETED, EventType.CHILD_COMPLETED, EventType.EXECUTION_COMPLETED})
_LEFT_OUT = {
    EventType.EXECUTION_STARTED: ("OrchestrationInstance", "ParentInstance", "Version", "Tags"),
    EventType.TASK_SCHEDULED: ("Version",),
    EventType.CHILD_CREATED: ("Version",),
    EventType.TIMER_FIRED: ("TimerId",),
}


def history_listing(texts: Sequence[str], *, with_output: bool, with_input: bool) -> list[dict[str, Any]]:
    """Write a history's lines; a task that has ended is one line, its scheduling left out, and so are episodes."""
    events: list[Event] = [json.loads(text) for text in texts]
    scheduled = {event["EventId"]: event for event in events if event["EventType"] in _SCHEDULINGS}
    ended = {event["TaskScheduledId"] for event in events if "TaskScheduledId" in event}
    joined = [scheduled[number] for number in ended if number in scheduled]
    listed = [event for event in events if event["EventType"] in _NAMES and event not in joined]
    lines = [_line(event, scheduled.get(event.get("TaskScheduledId", -1)), with_output=with_output) for event in listed]
    return lines if with_input else [{name: line[name] for name in line if name != "Input"} for line in lines]


def _line(event: Event, scheduling: Event | None, *, with_output: bool) -> dict[str, Any]:
    kind = event["EventType"]
    left_out = {"EventId", "IsPlayed", "TaskScheduledId", *_LEFT_OUT.get(kind, ())}
    line: dict[str, Any] = {name: value for name, value in event.items() if name not in left_out}
    line["EventType"] = _NAMES[kind]
    if kind == EventType.EXECUTION_STARTED:
        line["FunctionName"] = line.pop("Name")
    if kind in _DONE:
        result = line.pop("Result", None)
        if with_output:
            line["Result"] = None if result is None else json.loads(result)
    return line | (_scheduling(scheduling) if scheduling else {})


def _scheduling(event: Event) -> dict[str, Any]:
    moment = str(event["Timestamp"]).replace("Z", "+00:00")
    child = {"InstanceId": event["InstanceId"]} if event["EventType"] == EventType.CHILD_CREATED else {}
    return {"ScheduledTime": moment, "FunctionName": event["Name"], "Input": event.get("Input"), **child}
