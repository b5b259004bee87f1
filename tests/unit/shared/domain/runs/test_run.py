from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.runs.job_state import JobRun
from shared.domain.runs.run import (
    RunRow,
    drain_limit_of,
    instance_of,
    may_be_tried_again,
    outcome_of,
    overdue,
    parameters_of,
    poll_after,
)
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import StreamPlan
from shared.domain.windows.window import Window

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
FIRST, SECOND = Window("trades", NOON, NOON + HOUR), Window("trades", NOON + HOUR, NOON + 2 * HOUR)
RUN = RunRow(FIRST, 1, "follow", "active", NOON, NOON, run_id=7)
DONE = JobRun(7, "TERMINATED", "SUCCESS")
BROKEN = JobRun(7, "TERMINATED", "FAILED", "RUN_EXECUTION_ERROR", "CLIENT_ERROR", "it broke")
STREAMS = [
    StreamPlan("trades", "market-trades", "trades/1", "row", "identity", 4),
    StreamPlan("quotes", "quotes", "quotes/2", "pack", "zstd", 4),
]
CLOUD = JobRun(7, "INTERNAL_ERROR", "FAILED", "CLOUD_FAILURE", "CLOUD_FAILURE", "a cloud")


def closed(window=FIRST, **changes):
    return {window.id: replace(WindowRow(window, "closed", "timer", NOON), **changes)}


def listed(runs=(RUN,), windows=None, *, now, limit=10 * MINUTE):
    return overdue(runs, closed() if windows is None else windows, SECOND, now, limit)


def test_a_run_may_outlive_its_window_by_the_drain_limit_and_no_longer():
    assert listed(now=FIRST.end + 10 * MINUTE) == []
    assert listed(now=FIRST.end + 11 * MINUTE) == [RUN]


def test_a_stopped_window_ended_when_it_was_stopped():
    assert listed(windows=closed(state="stopped", stop_at=NOON), now=NOON + 11 * MINUTE) == [RUN]


def test_the_run_of_a_failed_window_makes_room_at_once():
    assert listed(windows=closed(state="failed"), now=NOON) == [RUN]


def test_the_run_of_a_past_window_may_outlive_the_filling_of_it_and_not_only_its_time():
    filled = FIRST.end + 20 * HOUR
    rows = closed(opened_at=filled - 5 * MINUTE, closed_at=filled)

    assert listed(windows=rows, now=filled + 10 * MINUTE) == []
    assert listed(windows=rows, now=filled + 11 * MINUTE) == [RUN]


def test_the_run_of_a_past_window_that_is_being_filled_is_left_in_peace():
    opened = FIRST.end + 20 * HOUR
    rows = closed(state="open", opened_at=opened)

    assert listed(windows=rows, now=opened + HOUR + 10 * MINUTE) == []
    assert listed(windows=rows, now=opened + HOUR + 11 * MINUTE) == [RUN]


@pytest.mark.parametrize("state", ["closed", "failed"])
def test_a_deliberate_run_of_an_old_window_has_its_time_too(state):
    claimed = FIRST.end + 20 * HOUR
    rerun = replace(RUN, mode="rerun", claimed_at=claimed)
    rows = closed(state=state, closed_at=FIRST.end)

    assert listed((rerun,), rows, now=claimed + 10 * MINUTE) == []
    assert listed((rerun,), rows, now=claimed + 11 * MINUTE) == [rerun]


def test_a_run_waits_for_the_rest_of_its_window_as_long_as_is_usual():
    assert drain_limit_of(RUN, 10 * MINUTE) == 10 * MINUTE
    assert drain_limit_of(replace(RUN, claimed_at=FIRST.end - MINUTE), 10 * MINUTE) == 10 * MINUTE


def test_the_run_of_a_past_window_waits_as_if_the_window_began_with_it():
    claimed = FIRST.end + 24 * HOUR

    assert FIRST.end + drain_limit_of(replace(RUN, claimed_at=claimed), 10 * MINUTE) == claimed + HOUR + 10 * MINUTE


def test_a_run_that_was_asked_to_end_is_asked_again():
    asked = replace(RUN, superseding=True)

    assert listed((asked,), now=NOON) == [asked]


def test_only_what_the_ledger_records_and_is_earlier_is_ended():
    late = FIRST.end + 60 * MINUTE

    assert listed((replace(RUN, run_id=0),), now=late) == []
    assert listed((replace(RUN, state="succeeded"),), now=late) == []
    assert listed((replace(RUN, window=SECOND),), now=late) == []
    assert listed(windows={}, now=late) == []


def test_a_cancelled_run_that_made_room_is_superseded_and_no_failure():
    cancelled = JobRun(7, "TERMINATED", "CANCELED", "USER_CANCELED", "SUCCESS")

    assert outcome_of(cancelled, superseding=True) == "superseded"
    assert outcome_of(cancelled, superseding=False) == "failed"
    assert outcome_of(DONE, superseding=True) == "succeeded"
    assert outcome_of(JobRun(7, "TERMINATING"), superseding=True) == "active"


def test_only_what_another_try_can_cure_is_tried_again_and_not_for_ever():
    assert may_be_tried_again(CLOUD, 1)
    assert not may_be_tried_again(CLOUD, 3)
    assert not may_be_tried_again(BROKEN, 1)


@given(st.timedeltas(timedelta(), timedelta(days=2)))
def test_polls_grow_apart_within_bounds(elapsed):
    assert timedelta(seconds=4) <= poll_after(elapsed) <= timedelta(minutes=5)
    assert poll_after(elapsed) <= poll_after(elapsed * 2)


def test_the_token_of_any_run_fits_what_databricks_takes():
    assert instance_of("call_centre-20261122T120000Z", 12) == "enrich-call_centre-20261122T120000Z-r12"
    assert len(instance_of("call_centre-20261122T120000Z", 999)) <= 64


def test_the_jobs_parameters_are_texts():
    parameters = parameters_of(replace(RUN, lookup="assets/x.parquet"), STREAMS, {"grace": 20 * MINUTE})

    assert parameters == {
        "feed": "trades",
        "window_id": "trades-20261122T120000Z",
        "window_start": "2026-11-22T12:00:00+00:00",
        "window_end": "2026-11-22T13:00:00+00:00",
        "streams": '[{"name": "trades", "hub": "market-trades", "contract": "trades/1"}, '
        '{"name": "quotes", "hub": "quotes", "contract": "quotes/2"}]',
        "lookups": '{"assets": "assets/x.parquet"}',
        "mode": "follow",
        "grace": "00:20:00",
    }


def test_a_run_without_a_lookup_names_none():
    assert parameters_of(RUN, STREAMS, {})["lookups"] == "{}"
