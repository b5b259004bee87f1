"""What a slice of [1000, 2000) s knows of a market with contiguous ids; lead and grace are 10 s."""

from shared.trades.completeness.gaps import Bounds, Gap
from shared.trades.completeness.sequence_tracker import SequenceTracker

S = 1_000_000
BOUNDS = Bounds(1000 * S, 2000 * S, 10 * S, 10 * S)
ANY_TIME = 1 << 60


def on_time() -> SequenceTracker:
    tracker = SequenceTracker(BOUNDS)
    tracker.connected(990 * S)
    return tracker


def see(tracker, *trades):
    return [tracker.see(trade_id, int(time * S), int(time * S)) for trade_id, time in trades]


def holes(tracker):
    return [(query.first, query.above and query.above[0]) for query in tracker.due_queries(ANY_TIME, final=True)]


def gaps(tracker):
    return [(gap.first, gap.last, gap.reason, gap.state) for gap in tracker.report("m").gaps]


def test_a_trade_belongs_to_the_slice_that_holds_its_time():
    assert see(on_time(), (7, 999.999999), (8, 1000), (9, 1999.999999), (10, 2000)) == [False, True, True, False]


def test_ids_before_first_last_and_after_are_told():
    tracker = on_time()

    see(tracker, (7, 995), (8, 1001), (9, 1002), (10, 2001))

    assert tracker.report("m").ids == {"before": 7, "first": 8, "last": 9, "after": 10}
    assert holes(tracker) == []


def test_a_trade_that_comes_again_is_dropped_and_counted():
    tracker = on_time()

    assert see(tracker, (7, 995), (8, 1001), (8, 1001)) == [False, True, False]
    assert tracker.report("m").duplicates == 1


def test_a_hole_in_the_ids_is_sought_from_the_trade_above_it():
    tracker = on_time()

    see(tracker, (7, 995), (8, 1001), (12, 1005))

    assert holes(tracker) == [(9, 12)]


def test_a_new_hole_is_given_a_second_in_which_trades_on_their_way_may_close_it():
    tracker = on_time()
    see(tracker, (7, 995), (8, 1001), (10, 1005))

    assert tracker.due_queries(1005 * S, final=False) == []
    see(tracker, (9, 1004))

    assert tracker.due_queries(1010 * S, final=False) == []
    assert gaps(tracker) == []


def test_a_filled_hole_is_told_with_what_the_history_brought():
    tracker = on_time()
    see(tracker, (7, 995), (8, 1001), (11, 1005))
    query = tracker.due_queries(ANY_TIME, final=True)[0]

    recovered = [tracker.recover(trade_id, 1003 * S, query.gap) for trade_id in (9, 10)]
    tracker.query_finished(query, "reached", "", ANY_TIME)

    assert recovered == [True, True]
    assert gaps(tracker) == [(9, 10, "hole", "filled")]
    assert tracker.report("m").gaps[0].filled == 2


def test_what_the_history_lacks_is_lost_after_three_answers():
    tracker = on_time()
    see(tracker, (7, 995), (8, 1001), (10, 1005))

    for _ in range(3):
        tracker.query_finished(tracker.due_queries(ANY_TIME, final=True)[0], "reached", "lacking", 0)

    assert tracker.due_queries(ANY_TIME, final=True) == []
    assert gaps(tracker) == [(9, 9, "hole", "lost")]
    assert tracker.report("m").gaps[0].missing == ((9, 9),)


def test_a_history_that_did_not_answer_leaves_the_gap_open():
    tracker = on_time()
    see(tracker, (7, 995), (8, 1001), (10, 1005))

    tracker.query_finished(tracker.due_queries(ANY_TIME, final=True)[0], "failed", "no answer", 0)

    assert gaps(tracker) == [(9, 9, "hole", "open")]


def test_a_failed_search_is_made_again_later_and_later():
    tracker = on_time()
    see(tracker, (7, 995), (8, 1001), (10, 1005))
    query = tracker.due_queries(ANY_TIME, final=True)[0]

    tracker.query_finished(query, "failed", "", 1010 * S)

    assert tracker.due_queries(1010 * S, final=True) == []
    assert len(tracker.due_queries(1011 * S, final=True)) == 1


def test_an_anchor_before_the_start_proves_that_nothing_was_missed():
    tracker = on_time()

    tracker.snapshot(7, 900 * S)
    see(tracker, (8, 1500))

    assert holes(tracker) == []
    assert tracker.report("m").ids["before"] == 7


def test_an_anchor_long_before_the_start_proves_it_for_a_late_slice_too():
    tracker = SequenceTracker(BOUNDS)
    tracker.connected(1500 * S)

    tracker.snapshot(7, 900 * S)
    see(tracker, (8, 1501))

    assert holes(tracker) == []


def test_an_anchor_just_before_the_start_proves_nothing_for_a_late_slice():
    tracker = SequenceTracker(BOUNDS)
    tracker.connected(1500 * S)

    tracker.snapshot(7, 995 * S)

    assert holes(tracker) == [(None, 7)]


def test_an_anchor_above_the_last_id_after_a_reconnection_opens_a_gap_that_includes_it():
    tracker = on_time()
    see(tracker, (7, 995), (8, 1001))

    tracker.interrupted()
    tracker.connected(1100 * S)
    tracker.snapshot(10, 1099 * S)
    see(tracker, (11, 1101))

    assert holes(tracker) == [(9, None)]
    assert tracker.missing == [(9, 10)]


def test_a_heartbeat_above_the_last_id_opens_a_gap_and_one_at_it_does_not():
    tracker = on_time()
    see(tracker, (7, 995), (8, 1001))

    tracker.heartbeat(8, 1002 * S)
    assert tracker.missing == []
    tracker.heartbeat(10, 1003 * S)

    assert tracker.missing == [(9, 10)]


def test_a_reconnection_without_a_missed_id_is_no_gap():
    tracker = on_time()
    see(tracker, (7, 995), (8, 1001))

    tracker.interrupted()
    tracker.connected(1100 * S)
    see(tracker, (9, 1101))

    assert holes(tracker) == []


def test_an_interruption_that_no_later_id_explains_is_asked_of_the_history_at_the_end():
    tracker = on_time()
    see(tracker, (7, 995), (8, 1001))

    tracker.interrupted()
    tracker.connected(1100 * S)

    assert tracker.due_queries(ANY_TIME, final=False) == []
    assert holes(tracker) == [(9, None)]
    assert not tracker.report("m").complete_above


def test_a_stale_heartbeat_explains_no_interruption():
    tracker = on_time()
    see(tracker, (7, 995), (8, 1001))

    tracker.interrupted()
    tracker.heartbeat(7, 1100 * S)

    assert holes(tracker) == [(9, None)]


def test_a_late_start_is_a_gap_until_a_trade_older_than_the_start_and_the_grace():
    tracker = SequenceTracker(BOUNDS)
    tracker.connected(1200 * S)
    see(tracker, (50, 1201))
    query = tracker.due_queries(ANY_TIME, final=True)[0]

    assert (query.first, query.above) == (None, (50, 1201 * S))
    for trade_id, time in ((49, 1100), (48, 1000), (47, 995)):
        tracker.recover(trade_id, time * S, query.gap)
    assert tracker.report("m").floor is None
    tracker.recover(46, 989 * S, query.gap)
    assert tracker.report("m").floor is None
    tracker.recover(45, 988 * S, query.gap)

    assert holes(tracker) == []
    assert gaps(tracker) == [(None, 49, "start", "filled")]


def test_a_first_trade_within_the_slice_is_checked_against_the_history_even_on_time():
    tracker = on_time()

    see(tracker, (8, 1001))

    assert holes(tracker) == [(None, 8)]


def test_the_first_id_of_a_market_needs_nothing_older():
    tracker = on_time()
    see(tracker, (1, 1001))

    tracker.query_finished(tracker.due_queries(ANY_TIME, final=True)[0], "ended", "", 0)

    assert holes(tracker) == []
    assert gaps(tracker) == []


def test_a_market_without_a_trade_is_quiet_and_has_no_gap():
    tracker = on_time()

    assert holes(tracker) == []
    assert tracker.report("m").quiet


def test_a_slice_without_a_connection_asks_the_history_for_all():
    tracker = SequenceTracker(BOUNDS)

    query = tracker.due_queries(ANY_TIME, final=True)[0]

    assert (query.first, query.above, query.since, query.until) == (None, None, 990 * S, 2010 * S)


def test_a_hole_behind_the_slice_and_its_grace_is_not_its_business():
    tracker = on_time()

    see(tracker, (7, 995), (8, 1001), (9, 2011), (10, 2011), (20, 2012))

    assert holes(tracker) == []


def test_a_trade_at_the_very_end_of_the_grace_is_the_last_that_matters():
    tracker = on_time()

    see(tracker, (7, 995), (8, 1001), (9, 2010), (10, 2010), (20, 2012))

    assert holes(tracker) == []


def test_connecting_again_on_time_begins_afresh():
    tracker = on_time()
    see(tracker, (7, 991))

    tracker.interrupted()
    tracker.connected(994 * S)
    see(tracker, (30, 996))

    assert holes(tracker) == []


def test_a_stop_brings_the_end_forward():
    tracker = on_time()
    see(tracker, (7, 995), (8, 1001), (9, 1500))

    tracker.stop(1400 * S)
    tracker.withdraw(9)

    assert see(tracker, (10, 1399), (11, 1400)) == [True, False]
    assert tracker.report("m").ours == ((8, 8), (10, 10))


def test_skew_is_measured_to_both_sides():
    tracker = on_time()

    tracker.see(7, 995 * S, 998 * S)
    tracker.see(8, 1001 * S, 1000 * S)

    assert (tracker.report("m").lag_ms, tracker.report("m").ahead_ms) == (3000, 1000)


def test_recovered_trades_are_not_taken_twice():
    tracker = on_time()
    see(tracker, (7, 995), (8, 1001))

    assert not tracker.recover(8, 1001 * S, Gap("search"))
