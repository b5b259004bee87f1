"""A durable context in which every call is done at once, and the way to run an orchestrator in it."""

from datetime import UTC, datetime, timedelta

from azure.durable_functions.testing import orchestrator_generator_wrapper

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Done:
    """A task that is done; a failed one raises what it failed with where it is awaited itself."""

    def __init__(self, result):
        self._result, self.is_awaited = result, True

    @property
    def result(self):
        if isinstance(self._result, Exception) and self.is_awaited:
            raise self._result
        return self._result


class FakeContext:
    """Remembers the calls; of several tasks the first one wins, and a timer moves the time.

    results: by name what a call gives: a value, an exception, a function of the call's input, or an iterator of these.
    """

    def __init__(self, given, results, now=NOON):
        self.current_utc_datetime = now
        self.given, self.results, self.calls, self.timers = given, results, [], []

    def get_input(self):
        return self.given

    def call_activity_with_retry(self, name, retry, given):
        return self._call(name, given)

    def call_sub_orchestrator(self, name, given, instance_id):
        return self._call(name, given, instance_id)

    def create_timer(self, at):
        self.timers.append(at)
        self.current_utc_datetime = at
        return Done(None)

    def wait_for_external_event(self, name):
        return Done(None)

    def task_any(self, tasks):
        tasks[0].is_awaited = False
        return Done(tasks[0])

    @property
    def names(self):
        return [name for name, *_ in self.calls]

    def _call(self, name, *details):
        self.calls.append((name, *details))
        result = self.results[name]
        result = next(result) if hasattr(result, "__next__") else result
        return Done(result(details[0]) if callable(result) else result)


def run(function, given, results, now=NOON + timedelta(hours=1)):
    """Run an orchestrator as the SDK does, to its end; gives the context and the result."""
    context = FakeContext(given, results, now)
    orchestrator = function.build().get_user_function().orchestrator_function
    *_, result = orchestrator_generator_wrapper(orchestrator(context))
    return context, result


def call_activity(function, given):
    """Call an activity as the worker does."""
    return function.build().get_user_function()(given)
