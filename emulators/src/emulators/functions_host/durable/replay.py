"""An orchestration's action list, replayed over its history as the Durable extension does around the Python SDK. Pure.

The SDK replays the orchestrator and answers with all actions since its start. The extension (3.19, schema V3) then
replays that list itself, over the same history, event by event: it takes one action, schedules what is in it, waits
for it, and takes the next one only then. Ids are handed out as actions are reached, and an action with retry is a
loop (attempt, timer, attempt …) whose steps take the next free id at the moment they are reached. So what is
scheduled, and under which id, depends on the order in which earlier actions end.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from emulators.functions_host.durable.actions import COMPOUND, Action, Kind, call, fire_at, retry
from emulators.functions_host.durable.history import EventType
from emulators.functions_host.durable.model import Event, Reply, Task
from emulators.functions_host.durable.task_book import Awaited, NonDeterministicError, TaskBook

_LONGEST_TIMER = timedelta(days=6)
_LONG_TIMER_STEP = timedelta(days=3)
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
_NOTHING_LEFT = timedelta()
_SCHEDULED = frozenset({EventType.TASK_SCHEDULED, EventType.CHILD_CREATED, EventType.TIMER_CREATED})
_ENDED = {
    EventType.TASK_COMPLETED: False,
    EventType.CHILD_COMPLETED: False,
    EventType.TIMER_FIRED: False,
    EventType.TASK_FAILED: True,
    EventType.CHILD_FAILED: True,
}
_WHILE_SUSPENDED = frozenset({EventType.RESUMED, EventType.EXECUTION_TERMINATED, EventType.ORCHESTRATOR_STARTED})


@dataclass(frozen=True, slots=True)
class Replayed:
    """What one episode comes to.

    `tasks` are to be scheduled, in this order. `returned`: the list was replayed to its end, nothing scheduled is
    open any more, and the SDK said that the orchestrator has ended, or raised. `continued_with` is the input of the
    next generation (JSON text), whose first events are `carried`.
    """

    tasks: tuple[Task, ...] = ()
    fault: str | None = None
    returned: bool = False
    terminated: str | None = None
    suspended: str | None = None
    continued_with: str | None = None
    carried: tuple[Event, ...] = ()


def replay(execution: str, history: Sequence[Event], reply: Reply) -> Replayed:
    """Replay `reply` over `history`: all events of the execution, those of this episode last.

    `fault` of the outcome is Durable Task's text where history and replay disagree; what the orchestrator raised
    stays in `reply.error`, and is the orchestration's end only where `returned`.
    """
    run = _Run(TaskBook(execution), reply)
    try:
        for event in history:
            run.take(event)
    except NonDeterministicError as error:
        return Replayed(fault=str(error))
    return run.outcome()


@dataclass(slots=True)
class _Run:
    """One replay in progress."""

    book: TaskBook
    reply: Reply
    now: datetime = _BEFORE_ALL
    through: bool = False
    continued_with: str | None = None
    carried: list[Event] = field(default_factory=list)
    suspended: str | None = None
    terminated: str | None = None
    kept: list[Event] = field(default_factory=list)
    waits: dict[str, list[Awaited]] = field(default_factory=dict)
    unclaimed: dict[str, int] = field(default_factory=dict)

    def outcome(self) -> Replayed:
        ended = self.through and not self.book.has_open and (self.reply.done or self.reply.error is not None)
        return Replayed(
            tasks=self.book.new,
            returned=ended,
            terminated=self.terminated,
            suspended=self.suspended,
            continued_with=self.continued_with if ended and self.reply.error is None else None,
            carried=tuple(self.carried),
        )

    def take(self, event: Event) -> None:
        """Take one event of the history, as `TaskOrchestrationExecutor` does."""
        kind = event["EventType"]
        if self.suspended is not None and kind not in _WHILE_SUSPENDED:
            self.kept.append(event)
        elif kind == EventType.ORCHESTRATOR_STARTED:
            self.now = datetime.fromisoformat(event["Timestamp"])
        elif kind == EventType.EXECUTION_STARTED:
            self._follow(self._actions())
        elif kind in _SCHEDULED:
            self.book.recorded(event)
        elif kind in _ENDED:
            self.book.end(event.get("TimerId", event.get("TaskScheduledId")), failed=_ENDED[kind])
        elif kind == EventType.EVENT_RAISED:
            self._raise(event)
        else:
            self._switch(event)

    def _switch(self, event: Event) -> None:
        if event["EventType"] == EventType.SUSPENDED:
            self.suspended = event["Reason"] or ""
            self.book.hold_back()
        elif event["EventType"] == EventType.RESUMED:
            self.suspended = None
            self.book.release()
            kept, self.kept = self.kept, []
            for one in kept:
                self.take(one)
        elif event["EventType"] == EventType.EXECUTION_TERMINATED:
            self.terminated = event["Input"] or ""

    def _actions(self) -> Iterator[Awaited]:
        for action in self.reply.actions:
            yield self._begin(action)
        self.through = True

    def _follow(self, steps: Iterator[Awaited]) -> None:
        """Go on with `steps` until one of them has to be waited for; that a step failed stops nothing."""
        for awaited in steps:
            if not awaited.ended:
                awaited.then(lambda: self._follow(steps))
                return

    def _begin(self, action: Action) -> Awaited:
        kind = action["actionType"]
        if kind in COMPOUND:
            children = [self._begin(child) for child in action["compoundActions"]]
            return _first_of(children) if kind == Kind.ANY else _all_of(children)
        if kind == Kind.TIMER:
            return self._timer(action)
        if kind == Kind.WAIT:
            return self._wait(action["externalEventName"])
        if kind == Kind.CONTINUE_AS_NEW:
            self.continued_with = action["input"]
            return _all_of([])
        if "retryOptions" not in action:
            return self.book.call(call(action))
        whole = Awaited()
        self._follow(self._attempts(action, whole))
        return whole

    def _attempts(self, action: Action, whole: Awaited) -> Iterator[Awaited]:
        """Try until it succeeds. A last attempt that fails takes a timer too, one that fires at once."""
        options = retry(action)
        for attempt in range(1, options.limit + 1):
            tried = self.book.call(call(action))
            yield tried
            if not tried.failed:
                whole.end()
                return
            yield self.book.timer(self.now + (options.interval if attempt < options.limit else _NOTHING_LEFT))
        whole.end(failed=True)

    def _timer(self, action: Action) -> Awaited:
        moment = fire_at(action)
        if moment - self.now > _LONGEST_TIMER:
            whole = Awaited()
            self._follow(self._long_timer(moment, whole))
            return whole
        timer = self.book.timer(moment)
        if action.get("isCanceled"):
            self.book.cancel(timer)
        return timer

    def _long_timer(self, moment: datetime, whole: Awaited) -> Iterator[Awaited]:
        """Wait in steps of three days, as storage can't hide a message for longer than seven."""
        while self.now < moment:
            step = moment if moment - self.now <= _LONGEST_TIMER else self.now + _LONG_TIMER_STEP
            yield self.book.timer(step)
        whole.end()

    def _wait(self, name: str) -> Awaited:
        """Wait for an event; names have no case, and the latest of several waits is served first."""
        waiting = Awaited()
        if self.unclaimed.get(name.lower(), 0):
            self.unclaimed[name.lower()] -= 1
            waiting.end()
        else:
            self.waits.setdefault(name.lower(), []).append(waiting)
        return waiting

    def _raise(self, event: Event) -> None:
        name = event["Name"].lower()
        if self.continued_with is not None:
            self.carried.append(event)
        elif self.waits.get(name):
            self.waits[name].pop().end()
        else:
            self.unclaimed[name] = self.unclaimed.get(name, 0) + 1


def _first_of(children: Sequence[Awaited]) -> Awaited:
    first = Awaited()
    for child in children:
        child.then(first.end)
    return first


def _all_of(children: Sequence[Awaited]) -> Awaited:
    """Wait for all, also where some have failed."""
    whole = Awaited()

    def look() -> None:
        if all(child.ended for child in children):
            whole.end()

    look()
    for child in children:
        child.then(look)
    return whole
