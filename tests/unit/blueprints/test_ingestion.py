import asyncio
from datetime import timedelta
from types import SimpleNamespace

import pytest

from blueprints import ingestion
from shared.domain.windows.plan import Plan, PlanTemplate, StreamPlan
from shared.domain.windows.window import Window
from tests.unit.blueprints.durable_context import NOON, call_activity, run

SECOND = timedelta(seconds=1)
STREAM = StreamPlan("trades", "trades", "trades/1", "row", "identity", 0)
TEMPLATE = PlanTemplate(10 * SECOND, SECOND, SECOND, 0.0, 1.0, ("coinbase:BTC-USD",), (STREAM,))
PLAN = TEMPLATE.freeze(Window("trades", NOON, NOON + 30 * SECOND), NOON, "", {}).as_wire()


def test_a_window_is_begun_ingested_and_closed():
    answers = {name: {} for name in ("publish_opening", "write_marker", "publish_closing")}
    results = {"begin_window": {"proceed": True}, "ingest_leg": [], "close_window": {"state": "closed"}} | answers

    context, result = run(ingestion.ingest_window, {"plan": PLAN}, results)

    steps = ["begin_window", "publish_opening", "ingest_leg", "close_window", "write_marker", "publish_closing"]
    assert context.names == steps
    assert context.calls[2][2] == "trades-20261122T120000Z-leg0"
    assert result == {"state": "closed"}


def test_a_window_that_has_ended_does_nothing_more():
    context, result = run(
        ingestion.ingest_window, {"plan": PLAN}, {"begin_window": {"proceed": False, "state": "closed"}}
    )

    assert context.names == ["begin_window"]
    assert result["state"] == "closed"


def test_a_leg_runs_its_slices():
    done = {"ingest_slice": lambda request: {"slice": request["slice"], "state": "done"}}

    context, result = run(ingestion.ingest_leg, {"plan": PLAN, "leg": 0}, done)

    assert sorted(request["slice"] for _, request in context.calls) == [0, 1, 2]
    assert [outcome["slice"] for outcome in result] == [0, 1, 2]


def test_a_slice_that_failed_for_good_does_not_fail_its_leg():
    def outcome(request):
        number = request["slice"]
        return RuntimeError("the hub is away") if number == 1 else {"slice": number, "state": "done"}

    _, result = run(ingestion.ingest_leg, {"plan": PLAN, "leg": 0}, {"ingest_slice": outcome})

    assert [one["state"] for one in result] == ["done", "failed", "done"]


def test_after_a_refusal_no_further_slice_begins():
    past = TEMPLATE.freeze(Window("trades", NOON, NOON + 30 * SECOND), NOON + 30 * SECOND, "", {}).as_wire()

    context, _ = run(ingestion.ingest_leg, {"plan": past, "leg": 0}, {"ingest_slice": {"state": "refused"}})

    assert len(context.calls) == 1


class Flows:
    """Stands in for the flows that the activities call, and remembers what it was asked."""

    def __init__(self, monkeypatch):
        self.asked = []
        for name in ("begin", "announce_opening", "announce_closing"):
            monkeypatch.setattr(ingestion, name, self._flow(name))
        for name in ("ingest", "close", "mark_closed"):
            monkeypatch.setattr(ingestion, name, self._awaited(self._flow(name)))
        app = SimpleNamespace(ledger="ledger", clock=lambda: NOON, slice_tools="tools", window_events="events")
        monkeypatch.setattr(ingestion, "services", lambda: app)

    def _flow(self, name):
        def flow(*given):
            self.asked.append((name, *given))
            return {"flow": name}

        return flow

    @staticmethod
    def _awaited(flow):
        async def awaited(*given):
            return flow(*given)

        return awaited


@pytest.mark.parametrize(
    ("activity", "given", "asked"),
    [
        ("begin_window", {"window_id": "w"}, ("begin", "ledger", "w", NOON)),
        ("ingest_slice", {"plan": PLAN, "slice": 2}, ("ingest", Plan.from_wire(PLAN), 2, "tools")),
        ("close_window", {"plan": PLAN}, ("close", Plan.from_wire(PLAN), "tools")),
        ("publish_opening", {"window_id": "w"}, ("announce_opening", "events", "w")),
        ("write_marker", {"window_id": "w"}, ("mark_closed", "events", "w")),
        ("publish_closing", {"window_id": "w"}, ("announce_closing", "events", "w")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_activity_calls_its_flow(monkeypatch, activity, given, asked):
    flows = Flows(monkeypatch)

    done = call_activity(getattr(ingestion, activity), given)

    assert done == {"flow": asked[0]}
    assert flows.asked == [asked]


def test_each_tick_claims_what_is_due_of_every_feed_and_starts_it(monkeypatch):
    asked, started = [], []

    def claim(*given):
        asked.append(given)
        return ["row"]

    async def start(rows, orchestrations):
        started.extend(rows)

    feeds = {"a": SimpleNamespace(schedule="schedule of a"), "b": SimpleNamespace(schedule="schedule of b")}
    settings = SimpleNamespace(feeds=feeds, timer_period=timedelta(minutes=1))
    app = SimpleNamespace(settings=settings, ledger="ledger", plans="plans", clock=lambda: NOON)
    monkeypatch.setattr(ingestion, "services", lambda: app)
    monkeypatch.setattr(ingestion, "claim_due_windows", claim)
    monkeypatch.setattr(ingestion, "start_windows", start)

    timer = ingestion.open_due_windows.build().get_user_function().client_function
    asyncio.run(timer(SimpleNamespace(past_due=False), "client"))

    assert asked == [("ledger", "plans", ["schedule of a", "schedule of b"], NOON, timedelta(minutes=1))]
    assert started == ["row"]
