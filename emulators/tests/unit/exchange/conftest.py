from collections.abc import Callable, Sequence

import pytest

from emulators.exchange.faults import Faults
from emulators.exchange.feed import Feed
from emulators.exchange.instants import SECOND
from emulators.exchange.market import Trade
from emulators.exchange.recording import PlayedMarket
from emulators.exchange.venues.registry import venues


@pytest.fixture
def trade() -> Callable[..., Trade]:
    """One trade a second: id n happens at second n."""

    def make(trade_id: int, symbol: str = "BTC-USD", taker: str = "buy") -> Trade:
        return Trade(symbol, trade_id, trade_id * SECOND, "67250.10", "0.02000000", taker, trade_id * 10)

    return make


@pytest.fixture
def feed_of(trade: Callable[..., Trade]) -> Callable[..., Feed]:
    """A feed of one symbol whose trade n happens at second n."""

    def make(venue: str, symbol: str, ids: Sequence[int], faults: Faults | None = None) -> Feed:
        spoken = next(each for each in venues() if each.name == venue)
        tape = PlayedMarket(symbol, [trade(each, symbol) for each in ids], None)
        return Feed(spoken, {symbol: tape}, faults or Faults())

    return make
