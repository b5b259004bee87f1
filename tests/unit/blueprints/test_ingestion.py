from datetime import UTC, datetime, timedelta

from azure.durable_functions.testing import orchestrator_generator_wrapper

from blueprints import ingestion
from shared.domain.windows.plan import PlanTemplate, StreamPlan
from shared.domain.windows.window import Window

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
STREAM = StreamPlan("trades", "trades", "trades/1", "row", "identity", 0)
TEMPLATE = PlanTemplate(10 * SECOND, SECOND, SECOND, 0.0, 1.0, ("coinbase:BTC-USD",), (STREAM,))
PLAN = TEMPLATE.freeze(Window("trades", NOON, NOON + 30 * SECOND), NOON, "", {}).as_wire()


class Done:
    """A task that has its result already."""

    def __init__(self, result):
        self.result = result


class FakeContext:
    """A durable context in which every call is done at once, and of several tasks the first one wins."""

    def __init__(self, order, results):
        self.current_utc_datetime = NOON + timedelta(hours=1)
        self.order, self.results, self.calls = order, results, []

    def get_input(self):
        return self.order

    def call_activity_with_retry(self, name, retry, order):
        return self._call(name, order)

    def call_sub_orchestrator(self, name, order, instance_id):
        return self._call(name, order, instance_id)

    def wait_for_external_event(self, name):
        return Done(None)

    def task_any(self, tasks):
        return Done(tasks[0])

    def _call(self, name, *details):
        self.calls.append((name, *details))
        result = self.results[name]
        return Done(result(details[0]) if callable(result) else result)


def run(function, order, results):
    context = FakeContext(order, results)
    orchestrator = function.build().get_user_function().orchestrator_function
    *_, result = orchestrator_generator_wrapper(orchestrator(context))
    return context.calls, result


def test_a_window_is_begun_ingested_and_closed():
    told = {name: {} for name in ("publish_opening", "write_marker", "publish_closing")}
    results = {"begin_window": {"proceed": True}, "ingest_leg": [], "close_window": {"state": "closed"}} | told

    calls, result = run(ingestion.ingest_window, {"plan": PLAN}, results)

    steps = ["begin_window", "publish_opening", "ingest_leg", "close_window", "write_marker", "publish_closing"]
    assert [call[0] for call in calls] == steps
    assert calls[2][2] == "trades-20261122T120000Z-leg0"
    assert result == {"state": "closed"}


def test_a_window_that_has_ended_does_nothing_more():
    calls, result = run(
        ingestion.ingest_window, {"plan": PLAN}, {"begin_window": {"proceed": False, "state": "closed"}}
    )

    assert [call[0] for call in calls] == ["begin_window"]
    assert result["state"] == "closed"


def test_a_leg_runs_its_slices():
    done = {"ingest_slice": lambda order: {"slice": order["slice"], "state": "done"}}

    calls, result = run(ingestion.ingest_leg, {"plan": PLAN, "leg": 0}, done)

    assert sorted(order["slice"] for _, order in calls) == [0, 1, 2]
    assert [outcome["slice"] for outcome in result] == [0, 1, 2]


def test_a_slice_that_failed_for_good_does_not_fail_its_leg():
    def outcome(order):
        return RuntimeError("the hub is away") if order["slice"] == 1 else {"slice": order["slice"], "state": "done"}

    _, result = run(ingestion.ingest_leg, {"plan": PLAN, "leg": 0}, {"ingest_slice": outcome})

    assert [one["state"] for one in result] == ["done", "failed", "done"]


def test_after_a_refusal_no_further_slice_begins():
    past = TEMPLATE.freeze(Window("trades", NOON, NOON + 30 * SECOND), NOON + 30 * SECOND, "", {}).as_wire()

    calls, _ = run(ingestion.ingest_leg, {"plan": past, "leg": 0}, {"ingest_slice": {"state": "refused"}})

    assert len(calls) == 1
