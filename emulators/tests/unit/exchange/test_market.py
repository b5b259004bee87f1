import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.exchange.instants import SECOND
from emulators.exchange.instruments import INSTRUMENTS, Instrument, instruments_of
from emulators.exchange.market import KEEP_SECONDS, Market

BTC = instruments_of("coinbase")[0]
MOMENTS = st.lists(st.integers(0, 60 * SECOND), max_size=12)


def market(instrument: Instrument = BTC, *, seed: int = 7, rate: float = 20) -> Market:
    return Market(instrument, seed=seed, rate=rate, origin=0)


@settings(max_examples=30)
@given(moments=MOMENTS, seed=st.integers(0, 1_000))
def test_trades_do_not_depend_on_when_one_looks(moments, seed):
    looked_often, looked_once = market(seed=seed), market(seed=seed)

    pieces = [trade for moment in [*sorted(moments), 60 * SECOND] for trade in looked_often.advance(moment)]

    assert pieces == looked_once.advance(60 * SECOND)


@settings(max_examples=30)
@given(seed=st.integers(0, 1_000), rate=st.floats(0.1, 500))
def test_ids_are_contiguous_and_times_ascend(seed, rate):
    busy = market(seed=seed, rate=rate)

    busy.settle(30 * SECOND)

    assert set(np.diff(busy.ids)) <= {1}
    assert (np.diff(busy.times) > 0).all()


def test_bitstamp_ids_ascend_with_holes():
    bitstamp = market(instruments_of("bitstamp")[0])

    bitstamp.settle(60 * SECOND)

    assert set(np.diff(bitstamp.ids)) == set(range(1, 10))


def test_the_rate_is_kept_in_the_mean():
    busy = market(rate=100)

    busy.settle(600 * SECOND)

    assert len(busy.ids) == pytest.approx(60_000, rel=0.02)


def test_gaps_between_trades_are_exponential():
    busy = market(rate=100)

    busy.settle(600 * SECOND)

    gaps = np.diff(busy.times)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.03)


def test_a_new_rate_holds_from_its_moment_on_whoever_looked_before():
    looked, unseen = market(), market()
    looked.advance(5 * SECOND)

    for each in (looked, unseen):
        each.change_rate(400, 10 * SECOND)
        each.settle(20 * SECOND)

    assert list(looked.times) == list(unseen.times)
    assert np.searchsorted(looked.times, 10 * SECOND) < 300
    assert len(looked.times) > 3_500


def test_a_market_without_a_rate_stands_still():
    frozen = market(rate=0)

    assert frozen.advance(60 * SECOND) == []


def test_symbols_and_seeds_differ():
    prices = {tuple(trade.price for trade in each.advance(SECOND)) for each in (market(), market(seed=8))}

    assert len(prices) == 2


@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda each: f"{each.venue}-{each.symbol}".replace("/", ""))
def test_numbers_carry_the_digits_of_their_venue(instrument):
    trades = market(instrument).advance(10 * SECOND)

    digits = {len(trade.price.partition(".")[2]) for trade in trades}
    assert digits == {max(instrument.price_digits, instrument.padding)}
    assert all(float(trade.size) > 0 and float(trade.price) > 0 for trade in trades)


def test_what_is_older_than_two_hours_is_forgotten():
    busy = market(rate=1)

    busy.settle(2 * KEEP_SECONDS * SECOND)

    assert busy.first == pytest.approx(KEEP_SECONDS, rel=0.1)
    assert busy.times[0] >= KEEP_SECONDS * SECOND
    assert busy.row(0).trade_id == busy.ids[0]
