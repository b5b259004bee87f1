from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.flows.staggered import Child, run_staggered

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@dataclass(eq=False)
class FakeTask:
    name: str
    result: Any = None
    cancelled: bool = False

    def cancel(self):
        self.cancelled = True


class FakeContext:
    """A durable context whose time and tasks the test moves by hand."""

    def __init__(self):
        self.current_utc_datetime = NOON
        self.timers = []
        self.offered = []

    def create_timer(self, fire_at):
        self.timers.append(FakeTask(f"timer {(fire_at - NOON).total_seconds():g}"))
        return self.timers[-1]

    def task_any(self, tasks):
        self.offered = tasks
        return tasks


class Run:
    """Drives one run of children that begin at the given seconds."""

    def __init__(self, *begins, limit=3, fatal=lambda result: False):
        self.context, self.started, self.stop = FakeContext(), [], FakeTask("stop")
        children = [Child(NOON + at * SECOND, lambda at=at: self._start(at)) for at in begins]
        self.generator = run_staggered(self.context, children, self.stop, limit=limit, fatal=fatal)
        self.results = None
        self._advance(None)

    def _start(self, at):
        self.started.append(FakeTask(f"child {at}"))
        return self.started[-1]

    def _advance(self, value):
        try:
            self.generator.send(value)
        except StopIteration as end:
            self.results = end.value

    def waits_for(self):
        return [task.name for task in self.context.offered]

    def complete(self, name, result=None, after=0):
        self.context.current_utc_datetime += after * SECOND
        task = next(task for task in self.context.offered if task.name == name)
        task.result = result
        self._advance(task)


def test_the_next_child_begins_at_its_own_time_while_the_one_before_runs():
    run = Run(0, 10)

    run.complete("timer 10", after=10)

    assert run.waits_for() == ["child 0", "child 10", "stop"]


def test_all_that_run_are_yielded_together_with_the_next_timer_and_the_stop():
    run = Run(0, 0, 10)

    assert run.waits_for() == ["child 0", "child 0", "timer 10", "stop"]


def test_results_are_given_by_position_whatever_the_order_of_ends():
    run = Run(0, 0)

    run.complete("child 0", "first")
    run.complete("child 0", "second")

    assert run.results == {0: "first", 1: "second"}


def test_no_more_than_the_limit_run_at_once():
    run = Run(0, 0, 0, limit=1)

    assert run.waits_for() == ["child 0", "stop"]
    run.complete("child 0")
    assert len(run.started) == 2


def test_after_a_stop_no_child_begins_and_the_running_ones_are_awaited():
    run = Run(0, 10)

    run.complete("stop")

    assert run.context.timers[0].cancelled
    assert run.waits_for() == ["child 0"]
    run.complete("child 0", "kept")
    assert run.results == {0: "kept"}


def test_a_fatal_result_ends_the_row():
    run = Run(0, 10, fatal=lambda result: result == "refused")

    run.complete("child 0", "refused")

    assert run.results == {0: "refused"}
    assert run.context.timers[0].cancelled


def test_a_late_start_begins_all_overdue_children_up_to_the_limit():
    run = Run(-30, -20, -10, 5, limit=2)

    assert [task.name for task in run.started] == ["child -30", "child -20"]
