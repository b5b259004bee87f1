"""A durable context whose time and tasks a test plays, and the way to run an orchestrator in it.

It is no replay: tests/replay drives the orchestrators as Azure's extension does.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MOST_EVENTS = 200  # of one generation's history


class Task:
    """A task that is done, or a timer that is not yet; as with the SDK a completed one can't be cancelled."""

    def __init__(self, result, *, is_completed=True):
        self._result, self.is_completed, self.is_cancelled = result, is_completed, False

    @property
    def result(self):
        if isinstance(self._result, Exception):
            raise self._result
        return self._result

    def cancel(self):
        if self.is_completed:
            raise ValueError("Cannot cancel a completed task.")
        self.is_cancelled = True


class FakeContext:
    """Remembers the calls in order; a timer that is awaited moves the time.

    results: by name what a call gives: a value, an exception, a function of the call's input, an iterator of these, or
    another orchestrator, which then runs in a context of its own.
    stop: when the stop is raised, None for never. batched: a timer that is due has fired when the stop arrives.
    """

    def __init__(self, given, results, now=NOON, stop=None, *, batched=False, instance_id="instance"):
        self.current_utc_datetime = now
        self.instance_id, self.given, self.results = instance_id, given, results
        self.stop, self.batched = stop, batched
        self.calls, self.timers, self.children, self.groups = [], [], [], []
        self.events = 2

    def get_input(self):
        return self.given

    def call_activity(self, name, given):
        return self._call(name, given)

    def call_sub_orchestrator(self, name, given, instance_id=None):
        return self._call(name, given, instance_id)

    def create_timer(self, at):
        timer = Task(None, is_completed=False)
        timer.at = at
        self.timers.append(timer)
        return timer

    def wait_for_external_event(self, name):
        event = Task({}, is_completed=False)
        event.at = self.stop if name == "stop" else None
        return event

    def task_any(self, tasks):
        timer, event = tasks
        if event.at is None or event.at >= timer.at:
            return self._won(timer)
        timer.is_completed = self.batched
        self.current_utc_datetime = max(self.current_utc_datetime, event.at)
        return self._won(event, moves=False)

    def task_all(self, tasks):
        self.groups.append(len(tasks))
        failed = next((task for task in tasks if isinstance(task._result, Exception)), None)
        together = failed or Task([task.result for task in tasks])
        together.at = max(getattr(task, "at", self.current_utc_datetime) for task in tasks)
        return together

    def pass_to(self, task):
        """Let the time pass that an awaited task takes."""
        if hasattr(task, "at"):
            self.current_utc_datetime = max(self.current_utc_datetime, task.at)
            task.is_completed = True
        self.events += 4

    @property
    def names(self):
        return [name for name, *_ in self.calls]

    @property
    def waits(self):
        return [timer.at for timer in self.timers]

    def _won(self, task, *, moves=True):
        if moves:
            self.pass_to(task)
        return Task(task)

    def _call(self, name, *details):
        self.calls.append((name, *details))
        result = self.results[name]
        if hasattr(result, "build"):
            return self._child(result, details)
        result = next(result) if isinstance(result, Iterator) else result
        return Task(result(details[0]) if callable(result) else result)

    def _child(self, function, details):
        child = FakeContext(
            details[0],
            self.results,
            self.current_utc_datetime,
            self.stop,
            batched=self.batched,
            instance_id=details[1] or f"{self.instance_id}:{len(self.calls)}",
        )
        self.children.append(child)
        done = Task(played(function, child))
        done.at = child.current_utc_datetime
        return done

    def all(self):
        """Give this context and those of all orchestrations below it."""
        yield self
        for child in self.children:
            yield from child.all()

    @property
    def activities(self):
        """List the activities called, here and below."""
        return [call for context in self.all() for call in context.calls if not hasattr(self.results[call[0]], "build")]


def played(function, context):
    """Run an orchestrator to its end, sending and throwing as the SDK does; gives its result."""
    orchestration = function.build().get_user_function().orchestrator_function(context)
    result = failure = None
    while True:
        try:
            task = orchestration.throw(failure) if failure else orchestration.send(result)
        except StopIteration as end:
            return end.value
        context.pass_to(task)
        result = failure = None
        try:
            result = task.result
        except Exception as error:
            failure = error


def run(function, given, results, now=NOON, **how):
    """Run an orchestrator to its end; gives the context and the result."""
    context = FakeContext(given, results, now, **how)
    return context, played(function, context)


def call_activity(function, given):
    """Call an activity as the worker does."""
    return function.build().get_user_function()(given)
