"""What a slice of [1000, 2000) s knows of a market with contiguous ids; lead and grace are 10 s."""

from shared.trades.completeness.gaps import Bounds, Gap
from shared.trades.completeness.sequence_tracker import NumberedMarket

S = 1_000_000
BOUNDS = Bounds(1000 * S, 2000 * S, 10 * S, 10 * S)
ANY_TIME = 1 << 60


def on_time() -> NumberedMarket:
    market = NumberedMarket(BOUNDS)
    market.connected(990 * S)
    return market


def see(market, *trades):
    return [market.see(trade_id, int(time * S), int(time * S)) for trade_id, time in trades]


def holes(market):
    return [(want.first, want.above and want.above[0]) for want in market.wants(ANY_TIME, final=True)]


def gaps(market):
    return [(gap.first, gap.last, gap.reason, gap.state) for gap in market.report("m").gaps]


def test_a_trade_belongs_to_the_slice_that_holds_its_time():
    assert see(on_time(), (7, 999.999999), (8, 1000), (9, 1999.999999), (10, 2000)) == [False, True, True, False]


def test_ids_before_first_last_and_after_are_told():
    market = on_time()

    see(market, (7, 995), (8, 1001), (9, 1002), (10, 2001))

    assert market.report("m").ids == {"before": 7, "first": 8, "last": 9, "after": 10}
    assert holes(market) == []


def test_a_trade_that_comes_again_is_dropped_and_counted():
    market = on_time()

    assert see(market, (7, 995), (8, 1001), (8, 1001)) == [False, True, False]
    assert market.report("m").duplicates == 1


def test_a_hole_in_the_ids_is_sought_from_the_trade_above_it():
    market = on_time()

    see(market, (7, 995), (8, 1001), (12, 1005))

    assert holes(market) == [(9, 12)]


def test_a_new_hole_is_given_a_second_in_which_trades_on_their_way_may_close_it():
    market = on_time()
    see(market, (7, 995), (8, 1001), (10, 1005))

    assert market.wants(1005 * S, final=False) == []
    see(market, (9, 1004))

    assert market.wants(1010 * S, final=False) == []
    assert gaps(market) == []


def test_a_filled_hole_is_told_with_what_the_history_brought():
    market = on_time()
    see(market, (7, 995), (8, 1001), (11, 1005))
    want = market.wants(ANY_TIME, final=True)[0]

    recovered = [market.recover(trade_id, 1003 * S, want.gap) for trade_id in (9, 10)]
    market.walked(want, "reached", "", ANY_TIME)

    assert recovered == [True, True]
    assert gaps(market) == [(9, 10, "hole", "filled")]
    assert market.report("m").gaps[0].filled == 2


def test_what_the_history_lacks_is_lost_after_three_answers():
    market = on_time()
    see(market, (7, 995), (8, 1001), (10, 1005))

    for _ in range(3):
        market.walked(market.wants(ANY_TIME, final=True)[0], "reached", "lacking", 0)

    assert market.wants(ANY_TIME, final=True) == []
    assert gaps(market) == [(9, 9, "hole", "lost")]
    assert market.report("m").gaps[0].missing == ((9, 9),)


def test_a_history_that_did_not_answer_leaves_the_gap_open():
    market = on_time()
    see(market, (7, 995), (8, 1001), (10, 1005))

    market.walked(market.wants(ANY_TIME, final=True)[0], "failed", "no answer", 0)

    assert gaps(market) == [(9, 9, "hole", "open")]


def test_a_failed_search_is_made_again_later_and_later():
    market = on_time()
    see(market, (7, 995), (8, 1001), (10, 1005))
    want = market.wants(ANY_TIME, final=True)[0]

    market.walked(want, "failed", "", 1010 * S)

    assert market.wants(1010 * S, final=True) == []
    assert len(market.wants(1011 * S, final=True)) == 1


def test_an_anchor_before_the_start_proves_that_nothing_was_missed():
    market = on_time()

    market.anchored(7, 900 * S)
    see(market, (8, 1500))

    assert holes(market) == []
    assert market.report("m").ids["before"] == 7


def test_an_anchor_long_before_the_start_proves_it_for_a_late_slice_too():
    market = NumberedMarket(BOUNDS)
    market.connected(1500 * S)

    market.anchored(7, 900 * S)
    see(market, (8, 1501))

    assert holes(market) == []


def test_an_anchor_just_before_the_start_proves_nothing_for_a_late_slice():
    market = NumberedMarket(BOUNDS)
    market.connected(1500 * S)

    market.anchored(7, 995 * S)

    assert holes(market) == [(None, 7)]


def test_an_anchor_above_the_last_id_after_a_reconnection_opens_a_gap_that_includes_it():
    market = on_time()
    see(market, (7, 995), (8, 1001))

    market.interrupted()
    market.connected(1100 * S)
    market.anchored(10, 1099 * S)
    see(market, (11, 1101))

    assert holes(market) == [(9, None)]
    assert market.missing == [(9, 10)]


def test_a_heartbeat_above_the_last_id_opens_a_gap_and_one_at_it_does_not():
    market = on_time()
    see(market, (7, 995), (8, 1001))

    market.alive(8, 1002 * S)
    assert market.missing == []
    market.alive(10, 1003 * S)

    assert market.missing == [(9, 10)]


def test_a_reconnection_without_a_missed_id_is_no_gap():
    market = on_time()
    see(market, (7, 995), (8, 1001))

    market.interrupted()
    market.connected(1100 * S)
    see(market, (9, 1101))

    assert holes(market) == []


def test_an_interruption_that_no_later_id_explains_is_asked_of_the_history_at_the_end():
    market = on_time()
    see(market, (7, 995), (8, 1001))

    market.interrupted()
    market.connected(1100 * S)

    assert market.wants(ANY_TIME, final=False) == []
    assert holes(market) == [(9, None)]
    assert not market.report("m").settled


def test_a_stale_heartbeat_explains_no_interruption():
    market = on_time()
    see(market, (7, 995), (8, 1001))

    market.interrupted()
    market.alive(7, 1100 * S)

    assert holes(market) == [(9, None)]


def test_a_late_start_is_a_gap_until_a_trade_older_than_the_start_and_the_grace():
    market = NumberedMarket(BOUNDS)
    market.connected(1200 * S)
    see(market, (50, 1201))
    want = market.wants(ANY_TIME, final=True)[0]

    assert (want.first, want.above) == (None, (50, 1201 * S))
    for trade_id, time in ((49, 1100), (48, 1000), (47, 995)):
        market.recover(trade_id, time * S, want.gap)
    assert market.report("m").floor is None
    market.recover(46, 989 * S, want.gap)

    assert holes(market) == []
    assert gaps(market) == [(None, 49, "start", "filled")]


def test_a_first_trade_within_the_slice_is_checked_against_the_history_even_on_time():
    market = on_time()

    see(market, (8, 1001))

    assert holes(market) == [(None, 8)]


def test_the_first_id_of_a_market_needs_nothing_older():
    market = on_time()
    see(market, (1, 1001))

    market.walked(market.wants(ANY_TIME, final=True)[0], "ended", "", 0)

    assert holes(market) == []
    assert gaps(market) == []


def test_a_market_without_a_trade_is_quiet_and_has_no_gap():
    market = on_time()

    assert holes(market) == []
    assert market.report("m").quiet


def test_a_slice_without_a_connection_asks_the_history_for_all():
    market = NumberedMarket(BOUNDS)

    want = market.wants(ANY_TIME, final=True)[0]

    assert (want.first, want.above, want.since, want.until) == (None, None, 990 * S, 2010 * S)


def test_a_hole_behind_the_slice_and_its_grace_is_not_its_business():
    market = on_time()

    see(market, (7, 995), (8, 1001), (9, 2011), (20, 2012))

    assert holes(market) == []


def test_connecting_again_on_time_begins_afresh():
    market = on_time()
    see(market, (7, 991))

    market.interrupted()
    market.connected(994 * S)
    see(market, (30, 996))

    assert holes(market) == []


def test_a_stop_brings_the_end_forward():
    market = on_time()
    see(market, (7, 995), (8, 1001), (9, 1500))

    market.stop(1400 * S)
    market.withdraw(9)

    assert see(market, (10, 1399), (11, 1400)) == [True, False]
    assert market.report("m").ours == ((8, 8), (10, 10))


def test_skew_is_measured_to_both_sides():
    market = on_time()

    market.see(7, 995 * S, 998 * S)
    market.see(8, 1001 * S, 1000 * S)

    assert (market.report("m").lag_ms, market.report("m").ahead_ms) == (3000, 1000)


def test_recovered_trades_are_not_taken_twice():
    market = on_time()
    see(market, (7, 995), (8, 1001))

    assert not market.recover(8, 1001 * S, Gap("search"))
