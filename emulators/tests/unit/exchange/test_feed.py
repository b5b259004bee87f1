import pytest

from emulators.exchange.faults import Fault, Faults
from emulators.exchange.feed import LATENCY
from emulators.exchange.instants import SECOND


@pytest.fixture
def faults():
    return Faults()


@pytest.fixture
def feed(feed_of, faults):
    """Trades 1 to 9, awake since second 3."""
    feed = feed_of("coinbase", "BTC-USD", range(1, 10), faults)
    feed.wake("BTC-USD", 3 * SECOND + LATENCY)
    return feed


def ids(trades) -> list[int]:
    return [trade.trade_id for trade in trades]


def test_each_trade_after_the_waking_is_published_once(feed):
    assert ids(feed.due(5 * SECOND + LATENCY)) == [4, 5]
    assert ids(feed.due(5 * SECOND + LATENCY)) == []
    assert ids(feed.due(6 * SECOND + LATENCY)) == [6]


def test_a_trade_is_published_a_small_latency_after_it_happened(feed):
    assert ids(feed.due(4 * SECOND + LATENCY - 1)) == []
    assert ids(feed.due(4 * SECOND + LATENCY)) == [4]


def test_published_is_what_the_feed_came_to_not_what_rest_already_has(feed):
    assert feed.history("BTC-USD", 8 * SECOND) is not None

    assert ids(feed.published("BTC-USD", 2, 8 * SECOND)) == [2, 3]


def test_a_symbol_that_is_not_traded_has_nothing(feed):
    assert feed.history("DOGE-USD", SECOND) is None
    assert feed.published("DOGE-USD", 1, SECOND) == []


def test_a_hole_is_not_published_but_stays_in_the_history(feed, faults):
    faults.add(Fault("hole", count=2))

    assert ids(feed.due(7 * SECOND)) == [6]
    assert ids(feed.history("BTC-USD", 7 * SECOND).oldest_first(from_id=4)) == [4, 5, 6, 7]
    assert ids(feed.published("BTC-USD", 1, 7 * SECOND)) == [6]


def test_a_true_loss_is_in_neither(feed, faults):
    faults.add(Fault("hole", count=1, rest=False))

    assert ids(feed.due(5 * SECOND + LATENCY)) == [5]
    assert ids(feed.history("BTC-USD", 6 * SECOND).oldest_first(from_id=3)) == [3, 5, 6]


def test_a_late_trade_comes_after_its_delay_with_its_own_time(feed, faults):
    faults.add(Fault("late", seconds=2))

    assert ids(feed.due(5 * SECOND + LATENCY)) == [5]
    late = feed.due(7 * SECOND + LATENCY)
    assert ids(late) == [6, 7, 4]
    assert late[-1].time == 4 * SECOND


def test_a_shifted_clock_shows_in_the_clock_and_in_later_trades(feed):
    feed.shift_clock(4 * SECOND, -SECOND)

    assert feed.clock(5 * SECOND) == 4 * SECOND
    assert [trade.time for trade in feed.due(4 * SECOND + LATENCY)] == [3 * SECOND]


def test_another_tape_is_published_from_its_beginning_to_who_was_awake(feed, feed_of):
    other = feed_of("coinbase", "BTC-USD", [10, 11])

    feed.replace({"BTC-USD": other.history("BTC-USD", 0).tape}, 9 * SECOND)

    assert ids(feed.due(11 * SECOND + LATENCY)) == [10, 11]


def test_an_empty_trade_has_no_quantity_where_it_is_sent_nor_in_the_history(feed, faults):
    faults.add(Fault("zero", count=1))

    sent = feed.due(5 * SECOND + LATENCY)
    past = list(feed.history("BTC-USD", 6 * SECOND).oldest_first(from_id=4))

    assert [(trade.trade_id, trade.size) for trade in sent] == [(4, "0.00000000"), (5, "0.02000000")]
    assert [(trade.trade_id, trade.size) for trade in past[:2]] == [(4, "0.00000000"), (5, "0.02000000")]
