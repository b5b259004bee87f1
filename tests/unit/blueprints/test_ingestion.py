import asyncio
from datetime import timedelta
from itertools import pairwise
from types import SimpleNamespace

import pytest

from blueprints import ingestion, steps
from shared.domain.windows.plan import Plan, PlanTemplate, StreamPlan
from shared.domain.windows.window import Window
from shared.errors import CorruptRow, LoginRefused, Unavailable
from tests.unit.blueprints.durable_context import MOST_EVENTS, NOON, call_activity, run

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
STREAM = StreamPlan("trades", ("trades",), "trades/1", "row", "identity", 0)
TEMPLATE = PlanTemplate(10 * SECOND, SECOND, SECOND, 0.0, 1.0, ("coinbase:BTC-USD",), (STREAM,))
WINDOW = Window("trades", NOON, NOON + 30 * SECOND)
PLAN = TEMPLATE.freeze(WINDOW, NOON, "", {})
PAST = TEMPLATE.freeze(WINDOW, NOON + 30 * SECOND, "", {})
AWAY = {"failure": {"kind": "UNAVAILABLE", "reason": "The hub is away.", "retry_after": 0.0}}
DENIED = {"failure": {"kind": "UNAUTHORIZED", "reason": "No such secret.", "retry_after": 0.0}}
DIED = RuntimeError('Non-Deterministic workflow detected \n {"$type":"System.Exception"}')
ORCHESTRATORS = {
    "ingest_leg": ingestion.ingest_leg,
    "run_slice": ingestion.run_slice,
    "complete_step": steps.complete_step,
    "ask_on": steps.ask_on,
}
FAIR = {
    "begin_window": {"proceed": True},
    "publish_opening": {"published": True},
    "ingest_slice": lambda request: {"slice": request["slice"], "state": "done", "reason": ""},
    "close_window": {"state": "closed"},
    "fail_window": lambda request: {"state": "failed", "reason": request["reason"]},
    "write_marker": {},
    "publish_closing": {},
}
LEG = {"leg": 0, "began": NOON.isoformat()}
SLICE = {"slice": 1, "began": NOON.isoformat()}


def window(plan=PLAN, now=NOON - MINUTE, **results):
    return run(ingestion.ingest_window, {"plan": plan.as_wire()}, ORCHESTRATORS | FAIR | results, now)


def leg(plan=PLAN, now=NOON - MINUTE, **results):
    return run(ingestion.ingest_leg, {"plan": plan.as_wire(), **LEG}, ORCHESTRATORS | FAIR | results, now)


def slice_of(plan=PLAN, now=NOON - MINUTE, result=FAIR["ingest_slice"], **how):
    given = {"plan": plan.as_wire(), **SLICE}
    return run(ingestion.run_slice, given, ORCHESTRATORS | {"ingest_slice": result}, now, **how)


def names(context):
    return [name for name, *_ in context.activities]


def test_a_window_is_begun_ingested_and_closed():
    context, result = window()

    steps_taken = ["begin_window", "publish_opening", *["ingest_slice"] * 3, "close_window"]
    assert names(context) == [*steps_taken, "write_marker", "publish_closing"]
    assert context.calls[1][2] == f"{WINDOW.id}-opening"
    assert context.calls[2][2] == f"{WINDOW.id}-leg0"
    assert result == {"state": "closed"}


def test_a_window_that_has_ended_does_nothing_more():
    context, result = window(begin_window={"proceed": False, "state": "closed"})

    assert context.names == ["begin_window"]
    assert result["state"] == "closed"


def test_opening_and_legs_are_started_at_once():
    day = TEMPLATE.freeze(Window("trades", NOON, NOON + 60 * 10 * SECOND), NOON, "", {})

    context, _ = window(day)

    assert context.groups == [1 + len(day.legs())]


def test_legs_and_slices_of_a_past_window_run_one_after_another():
    past = TEMPLATE.freeze(Window("trades", NOON, NOON + 60 * 10 * SECOND), NOON + 600 * SECOND, "", {})

    context, _ = window(past, NOON + 600 * SECOND)

    groups = [size for each in context.all() for size in each.groups]
    assert len(past.legs()) > 1
    assert groups == [1] * (1 + len(past.legs()) + 60)


@pytest.mark.parametrize("child", ["ingest_leg", "run_slice"])
def test_a_worker_that_dies_and_takes_a_leg_or_a_slice_with_it_does_not_keep_the_window_from_closing(child):
    context, result = window(**{child: DIED})

    assert names(context)[-3:] == ["close_window", "write_marker", "publish_closing"]
    assert result == {"state": "closed"}


def test_a_slice_that_died_leaves_the_outcomes_of_the_others_as_they_are():
    outcomes = iter([{"slice": 0, "state": "done"}, DIED, {"slice": 2, "state": "done"}])

    _, result = leg(run_slice=outcomes)

    assert [one.get("state") for one in result] == ["done", None, "done"]
    assert result[1]["failure"]["reason"] == "Non-Deterministic workflow detected"


def test_a_topic_that_is_away_for_15_minutes_beside_a_short_window_does_not_keep_it_from_closing():
    context, result = window(publish_opening=AWAY)

    assert context.current_utc_datetime < WINDOW.end + MINUTE
    assert result == {"state": "closed"}


def test_an_opening_whose_worker_died_is_published_before_the_window_closes():
    context, _ = window(complete_step=iter([DIED, {"published": True}, {"state": "closed"}, {}, {}]))

    asked = [given["activity"] for name, given, *_ in context.calls if name == "complete_step"]
    assert asked == ["publish_opening"] * 2 + ["close_window", "write_marker", "publish_closing"]


def test_a_window_that_can_not_be_closed_for_hours_is_ended_as_failed_with_the_reason():
    context, result = window(close_window=AWAY)

    assert result == {"state": "failed", "reason": "The hub is away."}
    assert timedelta(hours=8) < context.current_utc_datetime - NOON < timedelta(hours=10)
    assert all(each.events <= MOST_EVENTS for each in context.all())


def test_closing_that_its_worker_takes_down_is_tried_again():
    context, result = window(complete_step=iter([{"published": True}, DIED, {"state": "closed"}, {}, {}]))

    assert context.names.count("complete_step") == 5
    assert result == {"state": "closed"}


@pytest.mark.parametrize("step", ["write_marker", "publish_closing"])
def test_a_marker_or_an_event_that_can_not_be_written_does_not_change_how_the_window_ended(step):
    context, result = window(**{step: DENIED})

    assert names(context)[-2:] == ["write_marker", "publish_closing"]
    assert result == {"state": "closed"}


def test_a_ledger_that_is_away_a_minute_delays_a_window_s_beginning_and_nothing_else():
    context, result = window(begin_window=iter([AWAY] * 6 + [{"proceed": True}]))

    assert names(context).count("begin_window") == 7
    assert result == {"state": "closed"}


def test_a_slice_waits_for_its_lead_and_is_then_ingested():
    context, outcome = slice_of()

    assert context.waits == [NOON + 9 * SECOND]
    assert outcome["state"] == "done"


def test_a_slice_whose_time_has_come_waits_for_nothing():
    context, _ = slice_of(now=NOON + 9 * SECOND)

    assert context.waits == []


def test_a_slice_that_waits_is_stopped_and_takes_its_timer_back():
    context, outcome = slice_of(stop=NOON)

    assert outcome["state"] == "skipped"
    assert context.names == []
    assert context.timers[0].is_cancelled


def test_a_stop_that_comes_in_one_batch_with_the_slice_s_timer_is_borne():
    _, outcome = slice_of(stop=NOON, batched=True)

    assert outcome["state"] == "skipped"


def test_a_hub_that_is_away_is_tried_again_with_a_growing_wait_that_differs_by_slice():
    context, outcome = slice_of(now=NOON + 10 * SECOND, result=iter([AWAY] * 5 + [{"state": "done"}]))

    waits = [(later - earlier).total_seconds() for earlier, later in pairwise([NOON + 10 * SECOND, *context.waits])]
    assert outcome == {"state": "done"}
    assert [round(wait / middle, 1) for wait, middle in zip(waits, [2, 4, 8, 15, 15], strict=True)] != [1.0] * 5
    assert all(abs(wait / middle - 1) <= 0.25 for wait, middle in zip(waits, [2, 4, 8, 15, 15], strict=True))


def test_a_service_s_retry_after_is_obeyed_whatever_its_length():
    busy = {"failure": {"kind": "THROTTLED", "reason": "Too many.", "retry_after": 960.0}}

    context, outcome = slice_of(PAST, NOON + MINUTE, iter([busy, {"state": "done"}]))

    assert context.waits == [NOON + MINUTE + timedelta(seconds=960)]
    assert outcome["state"] == "done"


def test_a_slice_of_exchanges_is_given_up_when_closing_can_ask_the_history_for_all_at_once():
    context, outcome = slice_of(result=AWAY)

    assert outcome == {"slice": 1, "state": "failed", "reason": "The hub is away."}
    assert context.current_utc_datetime <= NOON + 21 * SECOND + 2 * MINUTE


def test_a_drawn_slice_is_tried_for_hours_after_its_window_since_nobody_else_can_send_its_records():
    drawn = Plan.from_wire(PLAN.as_wire() | {"sources": [], "fingerprint": "pool"})

    context, outcome = slice_of(drawn, result=AWAY)

    assert outcome["state"] == "failed"
    assert timedelta(hours=2) < context.current_utc_datetime - NOON <= timedelta(hours=3, minutes=1)
    assert all(each.events <= MOST_EVENTS for each in context.all())


def test_what_no_retry_can_cure_is_not_tried_again():
    context, outcome = slice_of(result=DENIED)

    assert len(context.names) == 1
    assert outcome == {"slice": 1, "state": "refused", "reason": "No such secret."}


def test_an_activity_that_raises_is_tried_again_a_few_times_and_its_reason_is_what_a_person_can_read():
    text = "Activity function 'ingest_slice' failed:  KeyError: 'hub' \n {\"$type\":\"System.Exception, System\"}"

    context, outcome = slice_of(now=NOON, result=lambda _: RuntimeError(text))

    assert len(context.names) == 4
    assert outcome == {"slice": 1, "state": "failed", "reason": "'hub'"}


class Flows:
    """Stands in for the flows that the activities call, and remembers what it was asked."""

    def __init__(self, monkeypatch):
        self.asked = []
        for name in ("begin", "fail", "announce_opening", "announce_closing"):
            monkeypatch.setattr(ingestion, name, self._flow(name))
        for name in ("ingest", "close", "mark_closed"):
            monkeypatch.setattr(ingestion, name, self._awaited(self._flow(name)))
        self.warmed: list[str] = []
        app = SimpleNamespace(ledger="ledger", clock=lambda: NOON, slice_tools="tools", window_events="events")
        app.warm_up = self.warmed.append
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
        ("begin_window", {"window_id": "w", "attempt": 2}, ("begin", "ledger", "w", 2, NOON)),
        ("ingest_slice", {"plan": PLAN.as_wire(), "slice": 2}, ("ingest", PLAN, 2, "tools")),
        ("close_window", {"plan": PLAN.as_wire()}, ("close", PLAN, "tools")),
        ("fail_window", {"plan": PLAN.as_wire(), "reason": "away"}, ("fail", PLAN, "away", "tools")),
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


def test_a_window_that_begins_makes_ready_what_answers_its_feed(monkeypatch):
    flows = Flows(monkeypatch)

    call_activity(ingestion.begin_window, {"window_id": "call_centre-20261128T041216Z"})

    assert flows.warmed == ["call_centre"]


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (Unavailable("away\nfor now", throttled=True, retry_after=7.0), ("THROTTLED", "away for now", 7.0)),
        (LoginRefused("denied"), ("UNAUTHORIZED", "denied", 0.0)),
        (CorruptRow("row"), ("PERMANENT", "row", 0.0)),
    ],
)
@pytest.mark.parametrize("activity", ["begin_window", "publish_opening", "publish_closing"])
def test_an_activity_answers_what_a_failure_means_instead_of_raising(monkeypatch, activity, error, failure):
    def fail(*_):
        raise error

    Flows(monkeypatch)
    for flow in ("begin", "announce_opening", "announce_closing"):
        monkeypatch.setattr(ingestion, flow, fail)

    answer = call_activity(getattr(ingestion, activity), {"window_id": "w"})

    assert answer == {"failure": dict(zip(("kind", "reason", "retry_after"), failure, strict=True))}


def test_each_tick_claims_what_is_due_of_every_feed_and_starts_it(monkeypatch):
    asked, started, told = [], [], []

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
    monkeypatch.setattr(ingestion, "record_tick", lambda *tick: told.append(tick))

    timer = ingestion.open_due_windows.build().get_user_function().client_function
    asyncio.run(timer(SimpleNamespace(past_due=False), "client"))

    assert asked == [("ledger", "plans", ["schedule of a", "schedule of b"], NOON, timedelta(minutes=1))]
    assert started == ["row"]
    assert told == [(["row"], NOON, NOON)]
