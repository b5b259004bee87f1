"""The platform that most end-to-end tests share, and the order in which their modules run."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.house import Grid, running_house

MARKETS = ("coinbase:BTC-USD", "coinbase:ETH-USD", "binance:BTCUSDT", "kraken:BTC/USD", "bitstamp:btcusd")
# The timer's first window comes soon after the start, a stopped window keeps its time taken, logs are read at the end.
_ORDER = (
    "test_requests",
    "test_timer",
    "test_back_fill",
    "test_troubles",
    "test_lost",
    "test_outage",
    "test_host_killed",
    "test_refused",
    "test_stop",
    "test_logs",
    "test_strict",
    "test_timeout",
)

_HEAD_START = timedelta(seconds=28)
_SETTINGS = {
    "FEEDS": "trades,payments",
    "WINDOW_TIMER": "* * * * * *",
    "TRADES_SOURCES": ",".join(MARKETS),
    "TRADES_SLICE_LENGTH": "00:00:05",
    "TRADES_LEAD": "00:00:03",
    "TRADES_GRACE": "00:00:02",
    "PAYMENTS_SLICE_LENGTH": "00:00:10",
    "PAYMENTS_LEAD": "00:00:03",
    "PAYMENTS_RATE": "50",
    "PAYMENTS_CATCH_UP_RATE": "20",
}


def pytest_collection_modifyitems(items):
    """Run these slow tests after all others, in their own order, with time for a slow machine."""
    ours = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
    others = [item for item in items if not item.path.is_relative_to(Path(__file__).parent)]
    for item in ours:
        if not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(300))
    items[:] = others + sorted(ours, key=lambda item: _ORDER.index(item.path.stem))


@pytest.fixture(scope="session")
def house(tmp_path_factory):
    """A house whose timer opens a window of each feed soon after its start, and then every five minutes."""
    first = datetime.now(UTC) + _HEAD_START
    grid = Grid.beginning(first, timedelta(minutes=5), timedelta(seconds=12))
    settings = _SETTINGS | grid.settings(("TRADES", "PAYMENTS"))
    arguments = {"exchange": ["--rate", "20"]}
    with running_house(
        tmp_path_factory.mktemp("e2e") / "house", grid, settings, markets=MARKETS, arguments=arguments
    ) as started:
        yield started


@pytest.fixture(scope="session")
def past(house):
    """The answers to asking for three past windows of each feed; early, for they are filled while other tests wait."""
    end = house.grid.latest_end(datetime.now(UTC)) - house.grid.every
    start = end - house.grid.length - 2 * house.grid.every
    return {feed: house.post(feed, start, end - start) for feed in ("trades", "payments")}
