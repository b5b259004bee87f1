"""Running an orchestration's children on the grid: each begins at its own time, while earlier ones still run."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


class Task(Protocol):
    """A durable task: `result` is a value, or the exception with which it failed."""

    result: Any


class Timer(Task, Protocol):
    """A durable timer."""

    def cancel(self) -> None:
        """Take the timer back, so that the orchestration need not wait for it."""


class OrchestrationContext(Protocol):
    """What is needed of a durable orchestration context."""

    @property
    def current_utc_datetime(self) -> datetime:
        """Give the orchestration's own time."""

    def create_timer(self, fire_at: datetime) -> Timer:
        """Make a timer task."""

    def task_any(self, activities: list[Task]) -> Task:
        """Wait for the first of several tasks."""


@dataclass(frozen=True, slots=True)
class Child:
    """One child: when it may begin, and how to start it."""

    begins: datetime
    start: Callable[[], Task]


@dataclass(slots=True)
class _Children:
    """How far a row of children has come; lives inside one replay of the orchestrator."""

    next: int = 0
    running: dict[int, Task] = field(default_factory=dict)
    results: dict[int, Any] = field(default_factory=dict)
    timer: Timer | None = None
    ended: bool = False


def run_staggered(
    context: OrchestrationContext,
    children: Sequence[Child],
    stop: Task,
    *,
    limit: int,
    fatal: Callable[[Any], bool],
) -> Generator[Any, Any, dict[int, Any]]:
    """Run the children, at most `limit` at once, and give their results (or exceptions) by position.

    After the task `stop`, or a result that is `fatal`, no further child begins: it has no result.
    The SDK sends a task only when it is yielded, so all that run are yielded together each time.
    """
    progress = _Children()
    while True:
        _start_due(context, children, progress, limit)
        waiting = _waiting(context, children, progress, limit)
        if not progress.running and not waiting:
            return progress.results
        winner = yield context.task_any([*progress.running.values(), *waiting, *([] if progress.ended else [stop])])
        _take(winner, progress, stop, fatal)


def _start_due(context: OrchestrationContext, children: Sequence[Child], progress: _Children, limit: int) -> None:
    while _may_start(children, progress, limit) and children[progress.next].begins <= context.current_utc_datetime:
        progress.running[progress.next] = children[progress.next].start()
        progress.next += 1


def _waiting(context: OrchestrationContext, children: Sequence[Child], progress: _Children, limit: int) -> list[Task]:
    if not _may_start(children, progress, limit):
        return []
    if progress.timer is None:
        progress.timer = context.create_timer(children[progress.next].begins)
    return [progress.timer]


def _may_start(children: Sequence[Child], progress: _Children, limit: int) -> bool:
    return not progress.ended and progress.next < len(children) and len(progress.running) < limit


def _take(winner: Task, progress: _Children, stop: Task, fatal: Callable[[Any], bool]) -> None:
    if winner is progress.timer:
        progress.timer = None
        return
    if winner is stop:
        _end(progress)
        return
    position = next(position for position, task in progress.running.items() if task is winner)
    del progress.running[position]
    progress.results[position] = winner.result
    if fatal(winner.result):
        _end(progress)


def _end(progress: _Children) -> None:
    progress.ended = True
    if progress.timer is not None:
        progress.timer.cancel()
        progress.timer = None
