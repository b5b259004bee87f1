"""What an orchestration has scheduled in the course of one replay, held against its history as Durable Task does.

Follows DurableTask.Core 3.x, `TaskOrchestrationContext`: one counter gives the ids; a history that names another
task under an id, or one that the replay has not scheduled, is non-deterministic.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NoReturn

from emulators.functions_host.durable.history import EventType
from emulators.functions_host.durable.model import Call, Event, Task

_PREFIX = "Non-Deterministic workflow detected: A previous execution of this orchestration scheduled "
_SUFFIX = "Was a change made to the orchestrator code after this instance had already started running?"
_CLASSES = {
    "activity": "ScheduleTaskOrchestratorAction",
    "child": "CreateSubOrchestrationAction",
    "timer": "CreateTimerOrchestratorAction",
}
_RECORDED = {
    EventType.TASK_SCHEDULED: "activity",
    EventType.CHILD_CREATED: "child",
    EventType.TIMER_CREATED: "timer",
}
_TIMER = Call("timer", "")


class NonDeterministicError(Exception):
    """History and replay disagree; the text is Durable Task's own."""


class Awaited:
    """Something that is waited for; whoever waits goes on at the moment it ends, as .NET's continuations do here."""

    def __init__(self) -> None:
        self.ended = False
        self.failed = False
        self._continuations: list[Callable[[], None]] = []

    def end(self, *, failed: bool = False) -> None:
        """End it, unless it has ended already."""
        if not self.ended:
            self.ended, self.failed = True, failed
            for go_on in self._continuations:
                go_on()

    def then(self, go_on: Callable[[], None]) -> None:
        """Call `go_on` when it ends, or now where it has."""
        if self.ended:
            go_on()
        else:
            self._continuations.append(go_on)


class TaskBook:
    """The tasks of one replay: those that the history does not know yet, and those that have not ended."""

    def __init__(self, execution: str) -> None:
        self._execution = execution
        self._next = 0
        self._new: dict[int, Task] = {}
        self._held_back: dict[int, Task] = {}
        self._open: dict[int, Awaited] = {}

    @property
    def new(self) -> tuple[Task, ...]:
        """The tasks that are to be scheduled now, in the order in which the replay came to them."""
        return tuple(self._new.values())

    @property
    def has_open(self) -> bool:
        """Whether something scheduled has not ended: until then the orchestration goes on, whatever it returned."""
        return bool(self._open)

    def call(self, call: Call) -> Awaited:
        """Schedule an activity or a child under the next id."""
        if call.kind == "child" and not call.instance:
            call = Call(call.kind, call.name, call.input, f"{self._execution}:{self._next}")
        return self._add(call, None)

    def timer(self, fire_at: datetime) -> Awaited:
        """Schedule a timer under the next id."""
        return self._add(_TIMER, fire_at)

    def cancel(self, awaited: Awaited) -> None:
        """Stop waiting for a timer; it is created all the same, and fires to nobody."""
        self._open = {number: one for number, one in self._open.items() if one is not awaited}
        awaited.end(failed=True)

    def hold_back(self) -> None:
        """Keep what is new until the orchestration is resumed."""
        self._held_back |= self._new
        self._new = {}

    def release(self) -> None:
        """Schedule what was held back."""
        self._new |= self._held_back
        self._held_back = {}

    def end(self, number: int, *, failed: bool) -> None:
        """End the task of this id; an id that is not open (a second result, a cancelled timer) is passed over."""
        if awaited := self._open.pop(number, None):
            awaited.end(failed=failed)

    def recorded(self, event: Event) -> None:
        """Take a scheduled task from the history; raises NonDeterministicError where the replay scheduled another."""
        number, kind = event["EventId"], _RECORDED[event["EventType"]]
        task = self._new.get(number)
        if task is None:
            _refuse_unscheduled(event, kind)
        if task.call.kind != kind:
            _refuse_kind(event, kind, task)
        # Durable Task compares names without regard to case, and never the inputs.
        if kind != "timer" and task.call.name.lower() != event["Name"].lower():
            _refuse_name(event, kind, task)
        del self._new[number]

    def _add(self, call: Call, fire_at: datetime | None) -> Awaited:
        awaited = Awaited()
        self._new[self._next] = Task(self._next, call, fire_at)
        self._open[self._next] = awaited
        self._next += 1
        return awaited


def _refuse_unscheduled(event: Event, kind: str) -> NoReturn:
    known = {
        "activity": lambda: (
            f"an activity task with sequence ID {event['EventId']} and name '{event['Name']}' "
            f"(version '{event['Version'] or ''}'), "
        ),
        "child": lambda: f"{_child(event)}, ",
        "timer": lambda: f"a timer task with sequence number {event['EventId']} ",
    }[kind]()
    raise NonDeterministicError(
        f"{_PREFIX}{known}but the current replay execution hasn't (yet?) scheduled this task. {_SUFFIX}"
    )


def _refuse_kind(event: Event, kind: str, task: Task) -> NoReturn:
    made, number = _CLASSES[task.call.kind], event["EventId"]
    but = "but the current orchestration replay instead produced a"
    raise NonDeterministicError(
        {
            "activity": lambda: (
                f"{_PREFIX}an activity task with sequence number {number} named '{event['Name']}', "
                f"{but} {made} action with this sequence number. {_SUFFIX}"
            ),
            "child": lambda: f"{_PREFIX}{_child(event)}, {but} {made} action at this sequence number. {_SUFFIX}",
            "timer": lambda: (
                f"{_PREFIX}a timer task with sequence number {number} named "
                f"{but} {made} action with this sequence number. {_SUFFIX}"
            ),
        }[kind]()
    )


def _refuse_name(event: Event, kind: str, task: Task) -> NoReturn:
    but = "but the current orchestration replay instead scheduled"
    raise NonDeterministicError(
        f"{_PREFIX}an activity task with sequence number {event['EventId']} named '{event['Name']}', {but} an activity "
        f"task named '{task.call.name}' with this sequence number.  {_SUFFIX}"
        if kind == "activity"
        else f"{_PREFIX}{_child(event)}, {but} a sub-orchestration task with name {task.call.name} "
        f"at this sequence number. {_SUFFIX}"
    )


def _child(event: Event) -> str:
    return (
        f"a sub-orchestration task with sequence ID {event['EventId']} and name '{event['Name']}' "
        f"(version '{event['Version'] or ''}', instance ID '{event['InstanceId']}')"
    )
