"""What a slice of [1000, 2000) s knows of a market whose ids don't follow each other; lead and grace are 10 s."""

from shared.trades.completeness.gaps import Bounds
from shared.trades.completeness.time_tracker import MOST_KNOWN, TimeTracker

S = 1_000_000
BOUNDS = Bounds(1000 * S, 2000 * S, 10 * S, 10 * S)
ANY_TIME = 1 << 60


def on_time() -> TimeTracker:
    tracker = TimeTracker(BOUNDS)
    tracker.connected(990 * S)
    return tracker


def spans(tracker):
    return [(query.since // S, query.until // S) for query in tracker.due_queries(ANY_TIME, final=True)]


def test_a_slice_connected_on_time_and_never_interrupted_has_no_gap():
    tracker = on_time()

    assert [tracker.see(9, 999 * S, 999 * S), tracker.see(40, 1000 * S, 1000 * S)] == [False, True]
    assert spans(tracker) == []


def test_an_interruption_is_a_gap_from_the_last_sign_of_life_to_the_new_connection_with_the_grace():
    tracker = on_time()
    tracker.see(40, 1100 * S, 1100 * S)
    tracker.heartbeat(None, 1130 * S)

    tracker.interrupted()
    tracker.connected(1200 * S)

    assert spans(tracker) == [(1120, 1210)]


def test_a_gap_is_searched_once_the_history_must_hold_its_end():
    tracker = on_time()
    tracker.heartbeat(None, 1130 * S)
    tracker.interrupted()
    tracker.connected(1200 * S)

    assert tracker.due_queries(1209 * S, final=False) == []
    assert len(tracker.due_queries(1210 * S, final=False)) == 1


def test_a_late_start_is_a_gap_from_the_start():
    tracker = TimeTracker(BOUNDS)

    tracker.connected(1300 * S)

    assert spans(tracker) == [(1000, 1310)]


def test_a_slice_without_a_connection_is_one_gap():
    assert spans(TimeTracker(BOUNDS)) == [(1000, 2010)]


def test_recovered_trades_are_dropped_by_their_id():
    tracker = on_time()
    tracker.see(40, 1100 * S, 1100 * S)
    tracker.interrupted()
    query = tracker.due_queries(ANY_TIME, final=True)[0]

    assert [tracker.recover(40, 1100 * S, query.gap), tracker.recover(44, 1101 * S, query.gap)] == [False, True]
    assert [tracker.see(44, 1101 * S, 1200 * S), tracker.duplicates] == [False, 1]


def test_the_slice_is_to_be_looked_at_again_for_trades_later_than_the_grace():
    tracker = on_time()
    tracker.see(40, 1989 * S, 1989 * S)
    tracker.see(44, 1990 * S, 1990 * S)

    recheck = tracker.report("m").rechecks[0]

    assert (recheck.since, recheck.until, recheck.known, recheck.needed) == (1000 * S, 2000 * S, (40, 44), False)


def test_a_busy_end_is_looked_at_again_only_as_far_as_its_ids_fit():
    tracker = on_time()
    for number in range(MOST_KNOWN + 50):
        tracker.see(number, 1990 * S + number, 1990 * S + number)

    recheck = tracker.report("m").rechecks[0]

    assert len(recheck.known) < MOST_KNOWN
    assert recheck.since == 1990 * S + 51


def test_a_gap_that_was_not_filled_is_to_be_looked_at_again():
    tracker = on_time()
    tracker.interrupted()

    tracker.query_finished(tracker.due_queries(ANY_TIME, final=True)[0], "failed", "no answer", ANY_TIME)

    assert [recheck.needed for recheck in tracker.report("m").rechecks] == [False, True]
    assert tracker.report("m").gaps[0].state == "open"


def test_a_history_that_ends_has_shown_a_recent_gap_but_not_an_old_one():
    recent, old = TimeTracker(BOUNDS), TimeTracker(BOUNDS)

    recent.query_finished(recent.due_queries(ANY_TIME, final=True)[0], "ended", "", 2000 * S)
    old.query_finished(old.due_queries(ANY_TIME, final=True)[0], "ended", "", 2000 * S + 86_400 * S)

    assert recent.report("m").gaps == ()
    assert old.report("m").gaps[0].state == "lost"
