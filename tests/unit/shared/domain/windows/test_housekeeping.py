from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.windows.housekeeping import MOST_RESTARTS, SETTLED, decide_remedy, ended, suspects
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.window import Window

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def row(hours=-1, state="open", *, feed="trades", age=SETTLED, **changes):
    window = Window(feed, NOON + hours * HOUR, NOON + (hours + 1) * HOUR)
    opened = NOON - age if state == "open" else None
    return replace(WindowRow(window, state, "timer", NOON - age, opened_at=opened), **changes)


@pytest.mark.parametrize("state", ["planned", "open"])
def test_a_window_is_looked_at_when_its_starter_had_its_time(state):
    settled, fresh = row(state=state), row(1, state, age=SETTLED - SECOND)

    assert suspects([settled, fresh], NOON) == [settled]


def test_of_a_queue_only_the_first_is_looked_at_and_only_where_none_of_it_is_open():
    first, second = row(-3, "planned", queued=True), row(-2, "planned", queued=True)
    other = row(-1, "planned", feed="payments", queued=True)
    running = row(-4, queued=True)

    assert suspects([second, first, other], NOON) == [other, first]
    assert suspects([second, first, running], NOON) == [running]


@pytest.mark.parametrize(
    ("standings", "restarts", "remedy"),
    [
        (["completed", "alive"], 0, "leave"),
        (["alive"], MOST_RESTARTS, "leave"),
        (["gone", "failed"], 0, "restart"),
        (["completed"], MOST_RESTARTS - 1, "restart"),
        ([], 0, "restart"),
        (["gone"], MOST_RESTARTS, "end"),
    ],
)
def test_a_window_whose_children_live_is_left_and_others_are_restarted_some_times(standings, restarts, remedy):
    assert decide_remedy(row(restarts=restarts), standings) == remedy


@pytest.mark.parametrize(("stop_at", "state"), [(None, "failed"), (NOON, "stopped")])
def test_a_window_that_housekeeping_ends_says_why(stop_at, state):
    found = ended(row(stop_at=stop_at, restarts=3, attempt=2), "failed", NOON)

    assert (found.state, found.closed_at) == (state, NOON)
    assert found.reason == (
        "Its orchestration (trades-20261122T110000Z-a2) is failed, and was started again 3 times without ending the "
        "window."
    )
