from itertools import islice

import pytest

from emulators.exchange.history import History
from emulators.exchange.instants import SECOND
from emulators.exchange.recording import PlayedMarket


@pytest.fixture
def history(trade):
    history = History(PlayedMarket("BTC-USD", [trade(each) for each in range(1, 11)], None))
    history.settle(10 * SECOND)
    return history


def ids(trades) -> list[int]:
    return [trade.trade_id for trade in trades]


def test_newest_first_walks_back_between_two_ids(history):
    assert ids(history.newest_first(below=8, above=4)) == [7, 6, 5]
    assert ids(islice(history.newest_first(), 2)) == [10, 9]


def test_oldest_first_includes_the_id_it_begins_with(history):
    assert ids(islice(history.oldest_first(from_id=3), 3)) == [3, 4, 5]


def test_later_than_excludes_its_moment(history):
    assert ids(history.later_than(8 * SECOND)) == [9, 10]


def test_a_lost_trade_is_on_no_page_but_happened(history):
    history.lose(9)

    assert ids(islice(history.newest_first(), 2)) == [10, 8]
    assert ids(history.happened(0, 11 * SECOND)) == list(range(1, 11))


def test_happened_is_half_open(history):
    assert ids(history.happened(3 * SECOND, 5 * SECOND)) == [3, 4]


def test_a_wrong_clock_stamps_only_what_happens_after_it_went_wrong(history):
    history.shift_clock(at=6 * SECOND, shift=2 * SECOND)

    stamps = {trade.trade_id: trade.time for trade in history.newest_first()}
    assert stamps[5] == 5 * SECOND
    assert stamps[6] == 8 * SECOND
    assert ids(history.later_than(9 * SECOND)) == [8, 9, 10]
    assert ids(history.happened(8 * SECOND, 10 * SECOND)) == [6, 7]
