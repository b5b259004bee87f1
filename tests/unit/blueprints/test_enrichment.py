import asyncio
from datetime import timedelta
from types import SimpleNamespace

import azure.functions as func
import pytest

from blueprints import enrichment
from shared.domain.runs.run import MOST_TRIES
from shared.errors import JobRefused, LoginRefused, Unavailable
from tests.unit.blueprints.durable_context import NOON, call_activity, run

WINDOW = "trades-20261122T120000Z"
FIRST = {"window_id": WINDOW, "number": 1, "mode": "follow"}
STARTED = {
    "claim_enrichment": {"proceed": True},
    "write_lookup": {"lookups": {"assets": "assets/1.parquet"}},
    "submit_run": {"started": True},
    "measure_run": {},
}
RUNNING, SUCCEEDED = {"ended": False, "state": "active"}, {"ended": True, "state": "succeeded"}


def enrich(*polls, **results):
    return run(enrichment.enrich_window, dict(FIRST), STARTED | {"poll_run": iter(polls)} | results, NOON)


def test_a_run_is_claimed_started_followed_to_its_end_and_measured():
    context, result = enrich(RUNNING, RUNNING, SUCCEEDED)

    steps = ["claim_enrichment", "write_lookup", "submit_run", "poll_run", "poll_run", "poll_run", "measure_run"]
    assert context.names == steps
    assert result == SUCCEEDED


def test_a_run_is_asked_soon_at_first_and_ever_less_often():
    context, _ = enrich(*[RUNNING] * 30, SUCCEEDED)

    waits = [later - earlier for earlier, later in zip([NOON, *context.timers], context.timers, strict=False)]
    assert waits[0] == timedelta(seconds=4)
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(minutes=5)


WAITS = {"started": False, "waits_for": "trades-20261122T110000Z"}


def test_a_run_that_must_wait_asks_again_until_its_turn_has_come():
    submits = iter([WAITS, WAITS, {"started": True}])

    context, result = enrich(SUCCEEDED, submit_run=submits)

    assert context.names[2:6] == ["submit_run", "submit_run", "submit_run", "poll_run"]
    assert [given for name, given in context.calls if name == "submit_run"] == [FIRST] * 3
    assert context.timers[:2] == [NOON + timedelta(seconds=4), NOON + timedelta(seconds=8)]
    assert result == SUCCEEDED


def test_a_run_that_waits_long_asks_twice_a_minute():
    context, _ = enrich(SUCCEEDED, submit_run=iter([*[WAITS] * 60, {"started": True}]))

    waits = [later - earlier for earlier, later in zip([NOON, *context.timers], context.timers, strict=False)]
    assert waits[:-1] == sorted(waits[:-1])
    assert waits[-2] == timedelta(seconds=30)


def test_a_run_whose_turn_can_never_come_is_given_up_with_the_reason():
    given_up = {"ended": True, "state": "failed", "again": False}

    context, result = enrich(submit_run=iter([WAITS, RuntimeError("the ledger is away")]), give_up_run=given_up)

    assert context.calls[-2] == ("give_up_run", FIRST | {"reason": "the ledger is away"})
    assert result == given_up


def test_a_run_that_needs_no_enrichment_ends_at_once():
    context, result = enrich(claim_enrichment={"proceed": False})

    assert context.names == ["claim_enrichment", "measure_run"]
    assert result == {"proceed": False}


@pytest.mark.parametrize("step", ["write_lookup", "submit_run"])
def test_a_step_that_ended_the_run_is_the_last_one(step):
    failed = {"ended": True, "state": "failed", "again": False}

    context, result = enrich(**{step: failed})

    assert context.names[-2:] == [step, "measure_run"]
    assert "poll_run" not in context.names
    assert result == failed


def test_a_run_that_succeeded_is_not_run_again():
    context, _ = enrich(SUCCEEDED)

    assert context.names.count("submit_run") == 1


def test_a_run_that_may_be_tried_again_gets_the_next_number():
    context, result = enrich({"ended": True, "state": "failed", "again": True}, SUCCEEDED)

    assert [given["number"] for name, given in context.calls if name == "submit_run"] == [1, 2]
    assert context.calls[-1] == ("measure_run", FIRST | {"number": 2})
    assert result == SUCCEEDED


def test_no_run_is_tried_more_often_than_allowed():
    again = {"ended": True, "state": "failed", "again": True}

    context, result = enrich(*[again] * MOST_TRIES)

    assert context.names.count("submit_run") == MOST_TRIES
    assert context.calls[-1] == ("measure_run", FIRST | {"number": MOST_TRIES})
    assert result == again


def test_a_step_that_fails_for_good_is_written_into_the_ledger_with_its_reason():
    given_up = {"ended": True, "state": "failed", "again": False}

    context, result = enrich(submit_run=RuntimeError("the workspace is away"), give_up_run=given_up)

    assert context.calls[-2] == ("give_up_run", FIRST | {"reason": "the workspace is away"})
    assert context.names[-1] == "measure_run"
    assert result == given_up


def test_a_poll_that_fails_for_good_is_given_up_too():
    given_up = {"ended": True, "state": "failed", "again": False}

    context, _ = enrich(RuntimeError("gone"), give_up_run=given_up)

    assert context.names[-2:] == ["give_up_run", "measure_run"]


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
    ("activity", "flow", "refusal"),
    [
        ("write_lookup", "prepare_lookups", JobRefused("no lookup")),
        ("write_lookup", "prepare_lookups", LoginRefused("denied")),
        ("submit_run", "start_run", JobRefused("no such job")),
        ("submit_run", "start_run", LoginRefused("denied")),
        ("poll_run", "follow_run", JobRefused("no such run")),
    ],
)
def test_what_no_retry_can_cure_fails_the_run_with_its_reason(flows, activity, flow, refusal):
    flows.failures[flow] = refusal

    done = call_activity(getattr(enrichment, activity), dict(FIRST))

    assert done == {"flow": "fail_run"}
    assert flows.asked[-1] == ("fail_run", "tools", WINDOW, 1, str(refusal))


@pytest.mark.parametrize(
    ("activity", "flow", "failure"),
    [
        ("submit_run", "start_run", Unavailable("the workspace is away")),
        ("poll_run", "follow_run", LoginRefused("a run goes on though a login is refused")),
    ],
)
def test_what_a_retry_may_cure_is_raised(flows, activity, flow, failure):
    flows.failures[flow] = failure

    with pytest.raises(type(failure)):
        call_activity(getattr(enrichment, activity), dict(FIRST))

    assert [name for name, *_ in flows.asked] == [flow]


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


def wake(monkeypatch, *, wanted):
    event = func.EventGridEvent(
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
    started = wake(monkeypatch, wanted=lambda window_id: window_id == WINDOW)

    assert started == {f"enrich-{WINDOW}": ("enrich_window", FIRST)}


def test_an_event_of_a_window_that_wants_no_run_starts_nothing(monkeypatch):
    assert wake(monkeypatch, wanted=lambda window_id: False) == {}
