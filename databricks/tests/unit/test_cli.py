"""What a run says at its end: a run that gave up fails, and names what is missing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from job_house import START, run_request
from lakehouse.cli import GaveUp, raise_where_it_gave_up
from lakehouse.follow import Finished
from lakehouse.window import Closed, Spilled, StreamCounts

REQUEST = run_request(end=START + timedelta(minutes=10), drain_limit=timedelta(minutes=5))
CLOSED = {"trades": Closed("closed", StreamCounts(0, 0, 0, 0), {"0": 7}, {})}


def test_a_run_whose_window_was_never_closed_fails_and_says_so():
    finished = Finished("gave_up", 3, None, {}, {})

    with pytest.raises(GaveUp) as failure:
        raise_where_it_gave_up(REQUEST, finished)

    assert str(failure.value) == (
        "gave up at 2026-11-22T10:15:30+00:00 on window trades-20261122T100000Z: "
        "the window was not closed (no closed.json)."
    )


def test_a_run_that_did_not_read_its_window_whole_fails_and_names_what_is_missing():
    finished = Finished("gave_up", 3, CLOSED, {}, {"trades/0": 7, "quotes/1": 12})

    with pytest.raises(GaveUp, match=r"these were not read: quotes/1 up to 12, trades/0 up to 7\.$"):
        raise_where_it_gave_up(REQUEST, finished)


@pytest.mark.parametrize(("behind", "first"), [({}, ""), ({"trades/0": 7}, "these were not read: trades/0 up to 7; ")])
def test_a_run_whose_spill_was_not_drained_fails_and_says_how_many_records_wait_and_where(behind, first):
    waiting = {"trades": replace(CLOSED["trades"], spill=Spilled(waiting_of_all_tries=1200))}

    with pytest.raises(GaveUp) as failure:
        raise_where_it_gave_up(REQUEST, Finished("gave_up", 3, waiting, {}, behind))

    assert str(failure.value).endswith(f"Z: {first}1200 records of trades wait in the spill (GET /api/spill).")


@pytest.mark.parametrize("ending", ["drained", "caught_up", "rerun"])
def test_a_run_that_did_what_it_was_asked_to_ends_well(ending):
    raise_where_it_gave_up(REQUEST, Finished(ending, 1, CLOSED, {}, {}))
