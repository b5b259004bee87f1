"""JSON protocol V3 of azure-functions-durable 1.x: history events in, the orchestrator's reply out. Pure."""

import json
from collections.abc import Sequence
from datetime import datetime
from enum import IntEnum
from typing import Any

from emulators.functions_host.durable.model import FINAL, Event, Instance, Parent, Reply, Task, timestamp

_LABEL = "\n\n$OutOfProcData$:"
_REASON_LIMIT = 16_384
_V1, _V4 = 1, 3
_MANAGED_EXCEPTION = -2146233088
_ORCHESTRATOR_FRAME = (
    "   at Microsoft.Azure.WebJobs.Extensions.DurableTask.TaskOrchestrationShim.InvokeUserCodeAndHandleResults("
    "RegisteredFunctionInfo orchestratorInfo, OrchestrationContext innerContext)"
)


class EventType(IntEnum):
    """DurableTask's numbers for the events of a history."""

    EXECUTION_STARTED = 0
    EXECUTION_COMPLETED = 1
    EXECUTION_TERMINATED = 3
    TASK_SCHEDULED = 4
    TASK_COMPLETED = 5
    TASK_FAILED = 6
    CHILD_CREATED = 7
    CHILD_COMPLETED = 8
    CHILD_FAILED = 9
    TIMER_CREATED = 10
    TIMER_FIRED = 11
    ORCHESTRATOR_STARTED = 12
    ORCHESTRATOR_COMPLETED = 13
    EVENT_SENT = 14
    EVENT_RAISED = 15
    CONTINUED_AS_NEW = 16
    SUSPENDED = 19
    RESUMED = 20


FROM_OUTSIDE = frozenset(
    {EventType.EVENT_RAISED, EventType.EXECUTION_TERMINATED, EventType.SUSPENDED, EventType.RESUMED}
)


def event(kind: EventType, now: datetime, **fields: object) -> Event:
    """Make a history event, not yet played."""
    return {"EventType": kind, "EventId": -1, "IsPlayed": False, "Timestamp": timestamp(now), **fields}


def execution_started(instance: Instance, now: datetime) -> Event:
    """Make the event that starts `instance`; the SDK insists on its `Version`."""
    ids = {"InstanceId": instance.id, "ExecutionId": instance.execution}
    return event(
        EventType.EXECUTION_STARTED, now, OrchestrationInstance=ids, ParentInstance=_parent(instance.parent),
        Name=instance.name, Version=None, Input=instance.input, Tags=None, Correlation=None, ParentTraceContext=None,
        ScheduledStartTime=None, Generation=None if instance.parent else 0, GenerateNewTrace=False,
    )  # fmt: skip


def event_raised(name: str, text: str, now: datetime) -> Event:
    """Make the event of something raised from outside; `text` is JSON."""
    return event(EventType.EVENT_RAISED, now, Name=name, Input=text, ParentTraceContext=None)


def timer_fired(task: int, fire_at: datetime, now: datetime) -> Event:
    """Make the event of a timer that has fired."""
    return event(EventType.TIMER_FIRED, now, TimerId=task, FireAt=timestamp(fire_at))


def switched(status: str, now: datetime, reason: str) -> Event:
    """Make the event by which an instance is suspended, set running again, or terminated from outside."""
    if status in FINAL:
        return event(EventType.EXECUTION_TERMINATED, now, Input=reason)
    return event(EventType.SUSPENDED if status == "Suspended" else EventType.RESUMED, now, Reason=reason)


def task_event(task: Task, now: datetime) -> Event:
    """Make the event that records a scheduled task; as in Azure's tables, inputs of calls are not in the history."""
    if task.fire_at:
        return event(EventType.TIMER_CREATED, now, EventId=task.id, FireAt=timestamp(task.fire_at))
    call, common = task.call, {"EventId": task.id, "Name": task.call.name, "Input": None, "Tags": None}
    if call.kind == "activity":
        return event(EventType.TASK_SCHEDULED, now, Version="", ParentTraceContext=None, **common)
    return event(EventType.CHILD_CREATED, now, Version=None, InstanceId=call.instance, ClientSpanId=None, **common)


def activity_result(
    task: int, name: str, *, result: str | None, error: str | None, now: datetime, stack: str = ""
) -> Event:
    """Make the event for an activity's end: `result` is JSON text, `error` and `stack` are the worker's.

    The two spaces in the reason are the extension's, and so is the whole exception as JSON in the details.
    """
    if error is None:
        return event(EventType.TASK_COMPLETED, now, TaskScheduledId=task, Result=result)
    reason = f"Activity function '{name}' failed:  {error}"[:_REASON_LIMIT]
    worker = _exception(f"Result: Failure\nException: {error}\nStack: {stack}"[:_REASON_LIMIT])
    details = json.dumps(_exception(f" {error}"[:_REASON_LIMIT], worker), ensure_ascii=False, separators=(",", ":"))
    return _failed(EventType.TASK_FAILED, now, task, reason, details)


def child_result(child: Instance, now: datetime) -> Event:
    """Make the event by which a parent learns that its child has reached a final status."""
    task = child.parent.task if child.parent else -1
    if child.status == "Completed":
        return event(EventType.CHILD_COMPLETED, now, TaskScheduledId=task, Result=child.output)
    reason = str(json.loads(child.output or '""'))[:_REASON_LIMIT]
    inner = reason.removeprefix(f"Orchestrator function '{child.name}' failed: ")
    details = f"Message: {inner}, StackTrace: {_ORCHESTRATOR_FRAME}"
    return _failed(EventType.CHILD_FAILED, now, task, reason, details)


def trigger_input(instance: Instance, past: Sequence[str], new: Sequence[Event]) -> str:
    """Write the orchestration trigger's JSON; `past` are stored events, already JSON texts."""
    head = {
        "input": json.loads(instance.input) if instance.input else None,
        "instanceId": instance.id,
        "isReplaying": bool(past),
        "parentInstanceId": instance.parent.instance if instance.parent else None,
        "sourceInstanceId": None,
        "upperSchemaVersion": _V1,
        "upperSchemaVersionNew": _V4,
        "longRunningTimerIntervalDuration": "3.00:00:00",
        "maximumShortTimerDuration": "6.00:00:00",
        "defaultHttpAsyncRequestSleepTimeMillseconds": 30_000,
    }
    history = ",".join([*past, *map(json.dumps, new)])
    return f'{json.dumps(head)[:-1]}, "history": [{history}]}}'


def read_reply(text: str) -> Reply:
    """Read the JSON that an orchestrator returned."""
    return _reply(json.loads(text))


def read_failure(message: str) -> Reply:
    """Read the worker's message for an orchestrator that raised; without the SDK's label it has no state to tell."""
    text, label, payload = message.partition(_LABEL)
    if not label:
        return Reply(done=True, error=text)
    body, _end = json.JSONDecoder().raw_decode(payload)
    return _reply({**body, "error": body.get("error") or text})


def closing_events(instance: Instance, now: datetime) -> list[Event]:
    """Make the events that close an episode, and the execution where its status is final."""
    events = [event(EventType.ORCHESTRATOR_COMPLETED, now)]
    if instance.status in FINAL:
        status = {"OrchestrationStatus": instance.status, "Result": instance.output, "FailureDetails": None}
        events.insert(0, event(EventType.EXECUTION_COMPLETED, now, **status))
    return events


def _failed(kind: EventType, now: datetime, task: int, reason: str, details: str) -> Event:
    return event(kind, now, TaskScheduledId=task, Reason=reason, Details=details, FailureDetails=None)


def _exception(message: str, inner: dict[str, Any] | None = None) -> dict[str, Any]:
    """Write an exception as .NET's serialiser does, its fields in their order."""
    empty = {"HelpURL": None, "StackTraceString": None, "RemoteStackTraceString": None, "RemoteStackIndex": 0}
    kind = {"$type": "System.Exception, System.Private.CoreLib", "ClassName": "System.Exception", "Message": message}
    rest = {"ExceptionMethod": None, "HResult": _MANAGED_EXCEPTION, "Source": None, "WatsonBuckets": None}
    return {**kind, "Data": None, "InnerException": inner, **empty, **rest}


def _reply(body: dict[str, Any]) -> Reply:
    status = body.get("customStatus")
    return Reply(
        actions=tuple(action for batch in body.get("actions", ()) for action in batch),
        done=bool(body.get("isDone")) or body.get("error") is not None,
        output=json.dumps(body["output"]) if "output" in body else None,
        error=body.get("error"),
        custom_status=None if status is None else json.dumps(status),
    )


def _parent(parent: Parent | None) -> dict[str, Any] | None:
    if parent is None:
        return None
    ids = {"InstanceId": parent.instance, "ExecutionId": parent.execution}
    return {"Name": parent.name, "OrchestrationInstance": ids, "TaskScheduleId": parent.task, "Version": None}
