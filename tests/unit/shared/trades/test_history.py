"""Walking back through a venue's history."""

import asyncio

import pytest

from shared.errors import Unavailable
from shared.trades.completeness.gaps import HistoryQuery
from shared.trades.history import History, search
from shared.trades.venues.registry import venue
from tests.unit.shared.trades.simulated_venue import SYMBOLS, Deal, SimulatedVenue, at, clock, played


def market(count: int, *, every: float = 1.0, size: int = 10) -> SimulatedVenue:
    deals = [Deal(n, n * every, n * every, None) for n in range(1, count + 1)]
    return SimulatedVenue("coinbase", deals, page_size=size)


def found(source: SimulatedVenue, query: HistoryQuery, begin: float = 1e7) -> tuple[list[int], str]:
    ids: list[int] = []

    async def take(page):
        ids.extend(trade.trade_id for trade in page.trades)

    async def story():
        history = History(venue(source.name), source, clock, asyncio.sleep)
        return await search(history, SYMBOLS[source.name], query, take)

    return ids, played(story(), begin=begin)


def test_a_search_begins_below_the_known_trade_and_ends_at_the_first_wanted_one():
    ids, outcome = found(market(100), HistoryQuery(0, at(1e9), first=42, above=(60, at(60))))

    assert (sorted(ids), outcome) == (list(range(40, 60)), "reached")


def test_a_search_ends_at_a_trade_older_than_the_bound():
    ids, outcome = found(market(100), HistoryQuery(at(75), at(1e9)))

    assert (min(ids), max(ids), outcome) == (71, 100, "reached")


def test_a_history_that_goes_no_further_is_told():
    assert found(market(15), HistoryQuery(at(-99), at(1e9)))[1] == "ended"


@pytest.mark.parametrize("every", [0.01, 1.0, 30.0])
def test_a_time_long_ago_is_found_without_walking_there_from_today(every):
    source = market(20_000, every=every, size=1000)

    ids, outcome = found(source, HistoryQuery(at(5_000 * every), at(5_100 * every)))

    assert outcome == "reached"
    assert set(ids) >= set(range(5_000, 5_100))
    assert source.asked <= 10


def test_a_market_that_changed_its_pace_is_searched_well_too():
    deals = [Deal(n, 10.0 * n if n < 9_000 else 90_000 + n / 100, 0, None) for n in range(1, 20_000)]
    source = SimulatedVenue("coinbase", deals, page_size=1000)

    ids, outcome = found(source, HistoryQuery(at(20_000), at(21_000)))

    assert outcome == "reached"
    assert set(ids) >= set(range(2_000, 2_100))
    assert source.asked <= 20


def test_a_page_that_does_not_come_before_the_deadline_is_an_error():
    class Silent(SimulatedVenue):
        async def page(self, symbol, request=None):
            await asyncio.Event().wait()

    async def story():
        history = History(venue("coinbase"), Silent("coinbase", []), clock, asyncio.sleep, clock())
        await history.page("BTC-USD", None)

    with pytest.raises(Unavailable, match="before the deadline"):
        played(story())


def test_a_history_that_leads_nowhere_is_an_error_not_a_loop():
    class Circular(SimulatedVenue):
        async def page(self, symbol, request=None):
            page = await super().page(symbol, None)
            return type(page)(page.trades, venue("coinbase").newest(symbol))

    source = Circular("coinbase", market(5).deals)

    with pytest.raises(Unavailable, match="no further back"):
        found(source, HistoryQuery(at(-99), at(1e9)))
