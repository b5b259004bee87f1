import asyncio
from datetime import timedelta
from itertools import pairwise
from types import SimpleNamespace

import azure.functions as func
import pytest

from blueprints import enrichment, steps
from shared.domain.runs.run import MOST_TRIES
from shared.errors import JobRefused, LoginRefused, Unavailable
from tests.unit.blueprints.durable_context import MOST_EVENTS, NOON, call_activity, run

WINDOW = "trades-20261122T120000Z"
FIRST = {"window_id": WINDOW, "number": 1, "mode": "follow"}
HOUR = timedelta(hours=1)
ORCHESTRATORS = {"complete_step": steps.complete_step, "ask_on": steps.ask_on}
STARTED = {
    "claim_enrichment": {"proceed": True, "until": (NOON + 25 * HOUR).isoformat()},
    "write_lookup": {"lookups": {"assets": "assets/1.parquet"}},
    "submit_run": {"started": True},
    "give_up_run": {"ended": True, "state": "failed", "again": False},
    "measure_run": {},
}
STEPS = ["claim_enrichment", "write_lookup", "submit_run", "poll_run"]
RUNNING = {"ended": False, "pending": True, "state": "active"}
SUCCEEDED = {"ended": True, "pending": False, "state": "succeeded"}
GIVEN_UP = STARTED["give_up_run"]
WAITS = {"started": False, "pending": True, "waits_for": "trades-20261122T110000Z"}


def failed(kind, reason="The workspace is away."):
    return {"failure": {"kind": kind, "reason": reason, "retry_after": 0.0}}


AWAY = failed("UNAVAILABLE")


def enrich(*polls, **results):
    polled = {"poll_run": iter(polls)} if polls else {}
    return run(enrichment.enrich_window, dict(FIRST), ORCHESTRATORS | STARTED | polled | results, NOON)


def names(context):
    return [name for name, *_ in context.activities]


def waits(context):
    return [at for each in context.all() for at in each.waits]


def test_a_run_is_claimed_started_followed_to_its_end_and_measured():
    context, result = enrich(RUNNING, RUNNING, SUCCEEDED)

    assert names(context) == [*STEPS, "poll_run", "poll_run", "measure_run"]
    assert result == SUCCEEDED


def test_each_step_is_an_orchestration_of_its_own():
    context, _ = enrich(SUCCEEDED)

    assert context.names == ["complete_step"] * 5


def test_a_run_is_asked_soon_at_first_and_ever_less_often():
    context, _ = enrich(*[RUNNING] * 30, SUCCEEDED)

    at = [NOON, *waits(context)]
    gaps = [later - earlier for earlier, later in pairwise(at)]
    assert gaps[0] == timedelta(seconds=4)
    assert gaps == sorted(gaps)
    assert gaps[-1] == timedelta(minutes=5)


def test_a_run_that_is_followed_for_a_day_leaves_no_long_history():
    context, result = enrich(*[RUNNING] * 310, SUCCEEDED)

    assert context.current_utc_datetime - NOON > 23 * HOUR
    assert max(each.events for each in context.all()) <= MOST_EVENTS
    assert result == SUCCEEDED


def test_a_run_that_waits_a_day_for_its_turn_leaves_no_long_history_and_is_started():
    context, result = enrich(SUCCEEDED, submit_run=iter([*[WAITS] * 430, {"started": True}]))

    assert context.current_utc_datetime - NOON > 20 * HOUR
    assert max(each.events for each in context.all()) <= MOST_EVENTS
    assert result == SUCCEEDED


def test_a_run_that_must_wait_asks_again_until_its_turn_has_come():
    context, result = enrich(SUCCEEDED, submit_run=iter([WAITS, WAITS, {"started": True}]))

    assert names(context)[2:6] == ["submit_run", "submit_run", "submit_run", "poll_run"]
    assert waits(context)[:2] == [NOON + timedelta(seconds=4), NOON + timedelta(seconds=8)]
    assert result == SUCCEEDED


def test_databricks_that_is_away_two_minutes_while_a_window_runs_for_a_day_costs_no_run():
    context, result = enrich(SUCCEEDED, submit_run=iter([*[AWAY] * 12, {"started": True}]))

    assert context.current_utc_datetime - NOON > timedelta(minutes=2)
    assert result == SUCCEEDED


def test_a_run_that_can_not_be_started_while_its_tables_can_be_made_is_given_up_with_the_reason():
    context, result = enrich(submit_run=AWAY)

    assert 24 * HOUR < context.current_utc_datetime - NOON <= 25 * HOUR
    assert context.activities[-2][1] == FIRST | {"reason": "The workspace is away."}
    assert names(context)[-1] == "measure_run"
    assert result == GIVEN_UP


def test_a_ledger_that_is_away_a_minute_when_a_run_is_claimed_is_asked_again():
    context, result = enrich(SUCCEEDED, claim_enrichment=iter([*[AWAY] * 7, STARTED["claim_enrichment"]]))

    assert context.current_utc_datetime - NOON > timedelta(minutes=1)
    assert result == SUCCEEDED


def test_polls_that_fail_in_between_do_not_end_what_is_followed():
    polls = [RUNNING, *[AWAY] * 30, failed("UNAUTHORIZED"), RuntimeError("unforeseen"), RUNNING, SUCCEEDED]

    _, result = enrich(*polls)

    assert result == SUCCEEDED


def test_a_run_that_needs_no_enrichment_ends_at_once():
    context, result = enrich(claim_enrichment={"proceed": False})

    assert names(context) == ["claim_enrichment", "measure_run"]
    assert result == {"proceed": False}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_no_retry_can_cure_gives_the_run_up_with_its_reason(step):
    context, result = enrich(**{"poll_run": SUCCEEDED, step: failed("PERMANENT", "There is no such job.")})

    assert names(context) == [*STEPS[: STEPS.index(step) + 1], "give_up_run", "measure_run"]
    assert context.activities[-2][1] == FIRST | {"reason": "There is no such job."}
    assert result == GIVEN_UP


def test_a_step_that_raises_is_given_up_with_what_a_person_can_read():
    text = 'Activity function \'poll_run\' failed:  KeyError: gone \n {"$type":"System.Exception"}'

    context, _ = enrich(poll_run=lambda _: RuntimeError(text))

    assert context.activities[-2][1] == FIRST | {"reason": "gone"}


def test_a_worker_that_dies_and_takes_a_step_with_it_costs_the_run_nothing():
    died = RuntimeError("Non-Deterministic workflow detected")
    claimed, lookup, submitted = STARTED["claim_enrichment"], STARTED["write_lookup"], STARTED["submit_run"]

    _, result = enrich(complete_step=iter([died, claimed, lookup, submitted, died, SUCCEEDED, {}]))

    assert result == SUCCEEDED


def test_a_run_that_succeeded_is_not_run_again():
    context, _ = enrich(SUCCEEDED)

    assert names(context).count("submit_run") == 1


def test_a_run_that_may_be_tried_again_gets_the_next_number():
    context, result = enrich({"ended": True, "state": "failed", "again": True}, SUCCEEDED)

    assert [given["number"] for name, given in context.activities if name == "submit_run"] == [1, 2]
    assert context.activities[-1] == ("measure_run", FIRST | {"number": 2})
    assert result == SUCCEEDED


def test_no_run_is_tried_more_often_than_allowed():
    again = {"ended": True, "state": "failed", "again": True}

    context, result = enrich(*[again] * MOST_TRIES)

    assert names(context).count("submit_run") == MOST_TRIES
    assert context.activities[-1] == ("measure_run", FIRST | {"number": MOST_TRIES})
    assert result == again


class Flows:
    """Stands in for the flows that the activities call, and remembers what it was asked."""

    def __init__(self, monkeypatch):
        self.asked, self.failures = [], {}
        for name in ("claim_run", "prepare_lookups", "start_run", "follow_run", "fail_run", "report_run"):
            monkeypatch.setattr(enrichment, name, self._flow(name))
        tools = SimpleNamespace(enrichment_tools="tools", report_tools="report tools")
        monkeypatch.setattr(enrichment, "services", lambda: tools)
        self.services = tools

    def _flow(self, name):
        def flow(tools, *given):
            self.asked.append((name, tools, *given))
            if name in self.failures:
                raise self.failures[name]
            return {"flow": name}

        return flow


@pytest.fixture
def flows(monkeypatch):
    return Flows(monkeypatch)


@pytest.mark.parametrize(
    ("activity", "flow"),
    [("write_lookup", "prepare_lookups"), ("submit_run", "start_run"), ("poll_run", "follow_run")],
)
def test_an_activity_calls_its_flow_with_window_and_number(flows, activity, flow):
    done = call_activity(getattr(enrichment, activity), dict(FIRST))

    assert done == {"flow": flow}
    assert flows.asked == [(flow, "tools", WINDOW, 1)]


@pytest.mark.parametrize(
    ("activity", "flow"),
    [
        ("claim_enrichment", "claim_run"),
        ("write_lookup", "prepare_lookups"),
        ("submit_run", "start_run"),
        ("poll_run", "follow_run"),
        ("give_up_run", "fail_run"),
        ("measure_run", "report_run"),
    ],
)
@pytest.mark.parametrize(
    ("error", "kind"),
    [(JobRefused("no"), "PERMANENT"), (LoginRefused("no"), "UNAUTHORIZED"), (Unavailable("no"), "UNAVAILABLE")],
)
def test_an_activity_answers_what_a_failure_means_instead_of_raising(flows, activity, flow, error, kind):
    flows.failures[flow] = error

    answer = call_activity(getattr(enrichment, activity), FIRST | {"reason": "gone"})

    assert answer == {"failure": {"kind": kind, "reason": "no", "retry_after": 0.0}}


def test_claiming_and_giving_up_hand_on_mode_and_reason(flows):
    call_activity(enrichment.claim_enrichment, dict(FIRST))
    call_activity(enrichment.give_up_run, FIRST | {"reason": "gone"})

    assert flows.asked == [("claim_run", "tools", WINDOW, 1, "follow"), ("fail_run", "tools", WINDOW, 1, "gone")]


def test_a_run_is_measured_where_there_is_a_database(flows):
    assert call_activity(enrichment.measure_run, dict(FIRST)) == {"flow": "report_run"}
    assert flows.asked == [("report_run", "report tools", WINDOW, 1)]


def test_a_run_is_not_measured_without_a_database(flows):
    flows.services.report_tools = None

    assert call_activity(enrichment.measure_run, dict(FIRST)) == {}
    assert flows.asked == []


class Client:
    """A durable client that remembers what was started."""

    def __init__(self):
        self.started = {}

    async def start_new(self, name, instance_id, client_input):
        self.started[instance_id] = (name, client_input)

    async def get_status(self, instance_id):
        return SimpleNamespace(runtime_status=None)


CLOUD_EVENT = func.CloudEvent(
    id=WINDOW,
    source="topic",
    type="ADF_Event",
    specversion="1.0",
    subject="ADF_Trigger_Trades",
    data={"window": WINDOW},
)


def wake(monkeypatch, *, wanted, event=None):
    event = event or func.EventGridEvent(
        id=WINDOW,
        data={"window": WINDOW},
        topic="topic",
        subject="ADF_Trigger_Trades",
        event_type="ADF_Event",
        event_time=NOON,
        data_version="1.0",
    )
    client = Client()
    monkeypatch.setattr(enrichment, "services", lambda: SimpleNamespace(enrichment_tools="tools"))
    monkeypatch.setattr(enrichment, "wanted", lambda tools, window_id: wanted(window_id))
    asyncio.run(enrichment.start_enrichment.build().get_user_function().client_function(event, client))
    return client.started


def test_an_openings_event_starts_the_enrichment_of_its_window(monkeypatch):
    started = wake(monkeypatch, wanted=lambda window_id: 2 if window_id == WINDOW else None)

    assert started == {f"enrich-{WINDOW}-r2": ("enrich_window", FIRST | {"number": 2})}


def test_a_cloud_event_starts_it_too(monkeypatch):
    started = wake(monkeypatch, wanted=lambda window_id: window_id == WINDOW, event=CLOUD_EVENT)

    assert list(started) == [f"enrich-{WINDOW}"]


def test_an_event_of_a_window_that_wants_no_run_starts_nothing(monkeypatch):
    assert wake(monkeypatch, wanted=lambda window_id: None) == {}
