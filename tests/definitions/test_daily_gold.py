"""Data Factory's pipeline of the call centre's daily gold asks the app as the app wants to be asked."""

from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest

from shared.domain.days import begins, moment
from shared.domain.runs.daily_run import INGESTED
from shared.domain.runs.run import ACTIVE, RUN_STATES, RunRow
from shared.domain.windows.ledger_row import WINDOW_STATES, WindowRow
from shared.domain.windows.request import MOST_LISTED
from shared.domain.windows.rows import Rows
from shared.domain.windows.window import Window
from shared.http.views import enrichment_view, window_details, window_list
from shared.http.window_requests import parse_list_request
from tests.definitions.expressions import ZONES, evaluated
from tests.definitions.factory import activity, properties

PIPELINE = "CallCentreDailyGold"
SAO_PAULO = ZoneInfo("America/Sao_Paulo")
MIDNIGHT = datetime(2026, 11, 27, 3, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
GIVEN = {"feed": "call_centre", "since": "2026-11-26T03:00:00Z", "before": "2026-11-27T03:00:00Z"}


def row(start, state="closed"):
    return WindowRow(Window("call_centre", start, start + 10 * MINUTE), state, "timer", start)


def of(name, *path):
    """Give the text of an expression of an activity."""
    found = activity(PIPELINE, name).body["typeProperties"]
    for step in path:
        found = found[step]
    return found["value"] if isinstance(found, dict) else found


def asked():
    text = evaluated(of("ListWindows", "functionName"), pipeline={"parameters": GIVEN})
    return urlsplit(text)


def of_the_day(rows):
    """Give what the pipeline keeps of the app's answer."""
    listed = window_list(Rows(rows), None)["windows"]
    condition = of("WindowsOfTheDay", "condition")
    return [one for one in listed if evaluated(condition, item=one, pipeline={"parameters": GIVEN})]


def is_over(window, state):
    return evaluated(of("WaitForTheEnd", "expression"), variables={"window": window, "state": state})


def test_the_trigger_fires_at_six_in_sao_paulo():
    recurrence = properties("trigger", "CallCentreDailyGoldTrigger")["typeProperties"]["recurrence"]

    assert (recurrence["frequency"], recurrence["interval"]) == ("Day", 1)
    assert recurrence["schedule"] == {"hours": [6], "minutes": [0]}
    assert ZONES[recurrence["timeZone"]] == SAO_PAULO
    assert recurrence["startTime"].endswith("T06:00:00"), "a start that bears Z is UTC, whatever the zone"


@pytest.mark.parametrize("today", [date(2026, 12, 1), date(2027, 1, 1)])
def test_the_trigger_hands_on_the_day_before_from_midnight_to_midnight(today):
    given = properties("trigger", "CallCentreDailyGoldTrigger")["pipelines"][0]["parameters"]
    fired = moment(today, time(6), SAO_PAULO)
    written = {"scheduledTime": fired.strftime("%Y-%m-%dT%H:%M:%S.0000000Z")}

    day = {name: datetime.fromisoformat(evaluated(each["value"], trigger=written)) for name, each in given.items()}

    assert day == {"since": begins(today - DAY, SAO_PAULO), "before": begins(today, SAO_PAULO)}


def test_the_app_lists_the_windows_that_began_before_the_days_end_and_all_of_a_day():
    request = parse_list_request(dict(parse_qsl(asked().query)), ("trades", "call_centre"))

    assert asked().path == "windows"
    assert (request.feed, request.after, request.state) == ("call_centre", ("call_centre", MIDNIGHT), None)
    assert DAY // (10 * MINUTE) <= request.limit <= MOST_LISTED


@pytest.mark.parametrize("state", WINDOW_STATES)
def test_of_these_it_takes_those_of_the_day_that_were_ingested(state):
    rows = [row(MIDNIGHT - 10 * MINUTE, state), row(MIDNIGHT - DAY, state), row(MIDNIGHT - DAY - 10 * MINUTE, state)]

    taken = [one["id"] for one in of_the_day(rows)]

    assert taken == ([one.window.id for one in rows[:2]] if state in INGESTED else [])


def test_the_newest_window_of_the_day_is_asked_for_a_run():
    rows = [row(MIDNIGHT - 10 * MINUTE), row(MIDNIGHT - 20 * MINUTE)]
    kept = {"WindowsOfTheDay": {"output": {"value": of_the_day(rows)}}}

    window = evaluated(of("KeepWindow", "value"), activity=kept)

    assert evaluated(of("RecomputeTheNewest", "expression"), activity=kept)
    assert window == rows[0].window.id
    route = evaluated(of("StartRun", "functionName"), variables={"window": window})
    assert (route, of("StartRun", "method")) == (f"windows/{window}/enrichment", "POST")


def test_a_day_without_a_window_asks_for_nothing_and_ends_without_failing():
    kept = {"WindowsOfTheDay": {"output": {"value": of_the_day([row(MIDNIGHT - 2 * DAY)])}}}
    declared = properties("pipeline", PIPELINE)["variables"]
    variables = {name: each["defaultValue"] for name, each in declared.items()}

    assert not evaluated(of("RecomputeTheNewest", "expression"), activity=kept)
    assert not evaluated(of("LookAtTheRun", "expression"), variables=variables)
    assert evaluated(of("WaitForTheEnd", "expression"), variables=variables)
    assert not evaluated(of("FailWithTheRun", "expression"), variables=variables)


@pytest.mark.parametrize("state", RUN_STATES)
def test_the_pipeline_waits_for_the_end_of_the_newest_run_and_fails_with_it(state):
    ended = row(MIDNIGHT - 10 * MINUTE)
    runs = [
        RunRow(ended.window, 1, "follow", "succeeded", MIDNIGHT, MIDNIGHT),
        RunRow(ended.window, 2, "rerun", state, MIDNIGHT, MIDNIGHT, message="it broke"),
    ]
    shown = window_details(ended, Rows(), Rows()) | {"enrichment": enrichment_view(runs, {}, "")}
    answer = {"ShowWindow": {"output": shown}}

    read = {"state": evaluated(of("KeepState", "value"), activity=answer), "window": ended.window.id}
    read["message"] = evaluated(of("KeepMessage", "value"), activity=answer)

    assert read["state"] == state
    assert is_over(ended.window.id, state) == (state not in ACTIVE)
    assert evaluated(of("FailWithTheRun", "expression"), variables=read) == (state == "failed")
    told = evaluated(of("RunFailed", "message"), variables=read)
    assert told == f"The run of window {ended.window.id} failed: it broke"


def test_no_loop_and_no_branch_lies_where_data_factory_forbids_it():
    """A loop is nowhere inside of another activity, and a branch is in a loop at the most."""
    for found in (activity(PIPELINE, name) for name in ("RecomputeTheNewest", "LookAtTheRun", "FailWithTheRun")):
        assert {inner.body["type"] for inner in found.inner} <= {"SetVariable", "AzureFunctionActivity", "Fail"}
    assert {inner.body["type"] for inner in activity(PIPELINE, "WaitForTheEnd").inner} == {"Wait", "IfCondition"}
