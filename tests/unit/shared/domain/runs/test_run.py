import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.runs.job_state import JobRun
from shared.domain.runs.run import (
    ABANDONED,
    RunRow,
    drain_limit_of,
    has_waited_too_long,
    in_the_way,
    instance_of,
    may_be_tried_again,
    must_make_room,
    outcome_of,
    parameters_of,
)
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import StreamPlan
from shared.domain.windows.window import Window

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
FIRST, SECOND = Window("trades", NOON, NOON + HOUR), Window("trades", NOON + HOUR, NOON + 2 * HOUR)
RUN = RunRow(FIRST, 1, "follow", "active", NOON, NOON, run_id=7)
RUNNING = JobRun(7, "RUNNING", begun_at=NOON)
DONE = JobRun(7, "TERMINATED", "SUCCESS")
BROKEN = JobRun(7, "TERMINATED", "FAILED", "RUN_EXECUTION_ERROR", "CLIENT_ERROR", "it broke")
STREAMS = [
    StreamPlan("trades", ("market-trades",), "trades/1", "row", "identity", 4),
    StreamPlan("quotes", ("quotes",), "quotes/2", "pack", "zstd", 4),
]
CLOUD = JobRun(7, "INTERNAL_ERROR", "FAILED", "CLOUD_FAILURE", "CLOUD_FAILURE", "a cloud")


def closed(**changes):
    return replace(WindowRow(FIRST, "closed", "timer", NOON), **changes)


def makes_room(run=RUN, window=None, *, now, stands=RUNNING, newest=SECOND):
    return must_make_room(run, stands, window or closed(), newest, now, 10 * MINUTE)


def test_a_run_may_outlive_its_window_by_the_drain_limit_and_no_longer():
    assert not makes_room(now=FIRST.end + 10 * MINUTE)
    assert makes_room(now=FIRST.end + 11 * MINUTE)


def test_a_stopped_window_ended_when_it_was_stopped():
    assert makes_room(window=closed(state="stopped", stop_at=NOON), now=NOON + 11 * MINUTE)


def test_what_waits_in_the_spill_may_for_the_drain_limit_from_when_its_window_was_closed():
    row = closed(closed_at=FIRST.end + 5 * MINUTE)

    assert not has_waited_too_long(row, FIRST.end + 15 * MINUTE, 10 * MINUTE)
    assert has_waited_too_long(row, FIRST.end + 16 * MINUTE, 10 * MINUTE)


def test_the_run_of_a_failed_window_makes_room_at_once():
    assert makes_room(window=closed(state="failed"), now=NOON)


def test_the_run_of_a_past_window_may_outlive_the_filling_of_it_and_not_only_its_time():
    filled = FIRST.end + 20 * HOUR
    row = closed(opened_at=filled - 5 * MINUTE, closed_at=filled)

    assert not makes_room(window=row, now=filled + 10 * MINUTE)
    assert makes_room(window=row, now=filled + 11 * MINUTE)


def test_the_run_of_a_past_window_that_is_being_filled_is_left_in_peace():
    opened = FIRST.end + 20 * HOUR
    row = closed(state="open", opened_at=opened)

    assert not makes_room(window=row, now=opened + HOUR + 10 * MINUTE)
    assert makes_room(window=row, now=opened + HOUR + 11 * MINUTE)


def test_a_run_that_waited_long_for_another_has_its_time_from_its_beginning_on():
    begun = FIRST.end + 5 * HOUR
    stands = JobRun(7, "RUNNING", begun_at=begun)

    assert not makes_room(stands=stands, now=begun + 10 * MINUTE)
    assert makes_room(stands=stands, now=begun + 11 * MINUTE)


@pytest.mark.parametrize("changes", [{}, {"superseding": True}])
def test_a_run_that_waits_in_databricks_queue_is_never_ended(changes):
    queued = JobRun(7, "QUEUED", begun_at=NOON)

    assert not makes_room(replace(RUN, **changes), closed(state="failed"), stands=queued, now=FIRST.end + 9 * HOUR)


@pytest.mark.parametrize("state", ["closed", "failed"])
def test_a_deliberate_run_of_an_old_window_has_its_time_too(state):
    claimed = FIRST.end + 20 * HOUR
    rerun = replace(RUN, mode="rerun", claimed_at=claimed)
    row = closed(state=state, closed_at=FIRST.end)

    assert not makes_room(rerun, row, now=claimed + 10 * MINUTE)
    assert makes_room(rerun, row, now=claimed + 11 * MINUTE)


def test_a_run_waits_for_the_rest_of_its_window_as_long_as_is_usual():
    assert drain_limit_of(RUN, 10 * MINUTE) == 10 * MINUTE
    assert drain_limit_of(replace(RUN, claimed_at=FIRST.end - MINUTE), 10 * MINUTE) == 10 * MINUTE


def test_the_run_of_a_past_window_waits_as_if_the_window_began_with_it():
    claimed = FIRST.end + 24 * HOUR

    assert FIRST.end + drain_limit_of(replace(RUN, claimed_at=claimed), 10 * MINUTE) == claimed + HOUR + 10 * MINUTE


def test_a_run_that_was_asked_to_end_is_asked_again():
    assert makes_room(replace(RUN, superseding=True), now=NOON)


def test_only_what_goes_on_is_known_and_is_earlier_is_ended():
    late = FIRST.end + HOUR

    assert not makes_room(stands=DONE, now=late)
    assert not makes_room(newest=FIRST, now=late)
    assert not must_make_room(RUN, JobRun(7, "RUNNING"), None, SECOND, late, 10 * MINUTE)


CLAIMED = RunRow(SECOND, 1, "follow", "claimed", NOON + MINUTE, NOON + MINUTE)


@pytest.mark.parametrize("other", [RUN, replace(RUN, claimed_at=NOON + HOUR), replace(RUN, window=SECOND, number=2)])
def test_what_databricks_has_accepted_is_in_the_way_of_every_run_of_its_feed(other):
    assert in_the_way(CLAIMED, [other, CLAIMED], NOON + 9 * HOUR) == [other]


@pytest.mark.parametrize("state", ["succeeded", "failed", "superseded"])
def test_what_has_ended_is_in_nobodys_way(state):
    assert in_the_way(CLAIMED, [replace(RUN, state=state)], NOON + MINUTE) == []


def test_an_earlier_claim_comes_first_as_long_as_it_gives_signs_of_life():
    earlier = replace(RUN, state="claimed", run_id=0, updated_at=NOON + HOUR)

    assert in_the_way(CLAIMED, [earlier], NOON + HOUR + ABANDONED - MINUTE) == [earlier]
    assert in_the_way(CLAIMED, [earlier], NOON + HOUR + ABANDONED) == []
    assert in_the_way(earlier, [CLAIMED], NOON + 2 * MINUTE) == []


claims = st.builds(
    lambda hour, minute, number: RunRow(
        Window("trades", NOON + hour * HOUR, NOON + (hour + 1) * HOUR),
        number,
        "follow",
        "claimed",
        NOON + minute * MINUTE,
        NOON + 5 * MINUTE,
    ),
    st.integers(0, 3),
    st.integers(0, 2),
    st.integers(1, 2),
)


@given(st.lists(claims, min_size=1, max_size=8, unique_by=lambda run: (run.window, run.number)))
def test_of_runs_that_only_wait_exactly_one_has_its_turn(waiting):
    free = [run for run in waiting if not in_the_way(run, waiting, NOON + 6 * MINUTE)]

    assert len(free) == 1


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


def test_the_token_of_any_run_fits_what_databricks_takes():
    assert instance_of("call_centre-20261122T120000Z", 12) == "enrich-call_centre-20261122T120000Z-r12"
    assert len(instance_of("call_centre-20261122T120000Z", 999)) <= 64


def test_the_jobs_parameters_are_texts():
    run = replace(RUN, lookups={"assets": "assets/x.parquet", "stores": "stores/x.parquet"})

    parameters = parameters_of(run, STREAMS, {"grace": 20 * MINUTE}, {"quotes": "2026-11-01T10:00:00+00:00"})

    assert parameters == {
        "feed": "trades",
        "window_id": "trades-20261122T120000Z",
        "window_start": "2026-11-22T12:00:00+00:00",
        "window_end": "2026-11-22T13:00:00+00:00",
        "streams": '[{"name": "trades", "hub": "market-trades", "contract": "trades/1"}, '
        '{"name": "quotes", "hub": "quotes", "contract": "quotes/2", "created_at": "2026-11-01T10:00:00+00:00"}]',
        "lookups": '{"assets": "assets/x.parquet", "stores": "stores/x.parquet"}',
        "mode": "follow",
        "grace": "00:20:00",
    }


def test_a_run_is_told_of_all_hubs_of_a_stream_and_when_each_was_made_where_that_is_known():
    spread = replace(STREAMS[0], hubs=("a", "b", "c"))

    parameters = parameters_of(RUN, [spread], {}, {"a": "2026-11-01T10:00:00+00:00", "c": "2026-11-02T10:00:00+00:00"})

    assert json.loads(parameters["streams"]) == [
        {
            "name": "trades",
            "hub": "a",
            "contract": "trades/1",
            "created_at": "2026-11-01T10:00:00+00:00",
            "further_hubs": [{"name": "b"}, {"name": "c", "created_at": "2026-11-02T10:00:00+00:00"}],
        }
    ]


def test_a_run_without_a_lookup_names_none():
    assert parameters_of(RUN, STREAMS, {}, {})["lookups"] == "{}"
