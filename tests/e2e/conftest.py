"""The platform that most end-to-end tests share, and the order in which their modules run."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.delivering_late import tell_of_late_delivery
from tests.e2e.enriching import Enrichment, light_arguments
from tests.e2e.killing_spark import tell_of_killed_spark
from tests.e2e.looking_up import tell_of_lookups
from tests.e2e.measuring import Measuring, make_tables
from tests.e2e.running_app import Grid, running_app
from tests.e2e.whole_feeds import running_feeds

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
    "test_polling",
    "test_destinations",
    "test_spill",
    "test_cosmos_away",
    "test_promotions",
    "test_enrichment_events",
    "test_enrichment_windows",
    "test_enrichment_assets",
    "test_enrichment_databricks",
    "test_enrichment_metrics",
    "test_enrichment_spark",
    "test_hubs",
    "test_call_centre",
    "test_beside_cosmos",
    "test_replay",
)

# A busy machine takes half a minute to start the platform and to answer the tests before the timer's; a first window
# that is missed makes these wait for the next one, five minutes later.
_HEAD_START = timedelta(seconds=60)
_MEASURED = {"table": "Trades", "stream": "trades"}
# Keys of one table with a history each; a million is more than any test brings.
_FLOORS = (
    *(("trades", 1000), ("factory", 1000), ("recovering", 1000), ("conflicting", 0), ("patient", 0)),
    *(("retried", 1_000_000), ("crowded", 1_000_000), ("late", 1_000_000)),
)
_ENRICHED_SETTINGS = {
    "FEEDS": "trades,payments",
    "WINDOW_TIMER": "* * * * * *",
    "TRADES_SOURCES": "coinbase:BTC-USD",
    "TRADES_SLICE_LENGTH": "00:00:10",
    "TRADES_LEAD": "00:00:03",
    "TRADES_GRACE": "00:00:02",
    "PAYMENTS_SLICE_LENGTH": "00:00:10",
    "PAYMENTS_LEAD": "00:00:03",
    "PAYMENTS_RATE": "50",
    "PAYMENTS_CATCH_UP_RATE": "20",
    "DRAIN_LIMIT": "00:00:10",
    "ALERT_QUIET": "00:00:01",
    "METRICS_TABLES": json.dumps(
        {key: {"table": "Trades", "stream": "trades", "floor": floor} for key, floor in _FLOORS}
    ),
}
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
def app(tmp_path_factory):
    """An app whose timer opens a window of each feed soon after its start, and then every five minutes."""
    first = datetime.now(UTC) + _HEAD_START
    grid = Grid.beginning(first, timedelta(minutes=5), timedelta(seconds=12))
    settings = _SETTINGS | grid.settings(("TRADES", "PAYMENTS"))
    arguments = {"exchange": ["--rate", "20"]}
    with running_app(
        tmp_path_factory.mktemp("e2e") / "app", grid, settings, markets=MARKETS, arguments=arguments
    ) as started:
        yield started


@pytest.fixture(scope="session")
def past(app):
    """The answers to asking for three past windows of each feed; early, for they are filled while other tests wait."""
    end = app.grid.latest_end(datetime.now(UTC)) - app.grid.every
    start = end - app.grid.length - 2 * app.grid.every
    return {feed: app.post(feed, start, end - start) for feed in ("trades", "payments")}


@pytest.fixture(scope="session")
def late_delivery(tmp_path_factory):
    """What becomes of windows whose host delivers late; told beside other tests, for it takes minutes."""
    with ThreadPoolExecutor(1) as teller:
        yield teller.submit(tell_of_late_delivery, tmp_path_factory.mktemp("e2e") / "late")


@pytest.fixture(scope="session")
def enrichment(tmp_path_factory):
    """An app with all that enriches, whose runs are light; its grid has six past windows with trades."""
    folder = tmp_path_factory.mktemp("e2e")
    grid = Grid.beginning(datetime.now(UTC) + timedelta(minutes=8), timedelta(minutes=10), timedelta(seconds=2))
    settings = _ENRICHED_SETTINGS | grid.settings(("TRADES", "PAYMENTS"))
    arguments = {
        "databricks": light_arguments(folder / "bundle"),
        "event_grid": ["--time-scale", "0.02"],
        "exchange": ["--rate", "5"],
    }
    with running_app(
        folder / "enriched", grid, settings, markets=MARKETS[:1], arguments=arguments, with_enrichment=True
    ) as started:
        make_tables(started.running.state.sql)
        yield _with_ways_of_their_own(Enrichment(started))


@pytest.fixture(scope="session")
def late_alert(enrichment):
    """The answer to a measurement whose alert arrives and whose sender never learns of it, so that a timer must."""
    enrichment.app.fault("logic_app", "lost_answer")
    return Measuring(enrichment.app).post(table="late", run_id="adf-late").json()


@pytest.fixture(scope="session")
def lookups(enrichment, late_alert):
    """What becomes of the lookups of six windows; told beside tests of payments, for it takes a minute.

    After the late alert: the fault that is ordered for that one must not strike another.
    """
    with ThreadPoolExecutor(1) as teller:
        yield teller.submit(tell_of_lookups, enrichment.alone())


@pytest.fixture(scope="session")
def killed_spark(tmp_path_factory):
    """What becomes of two windows whose Spark is killed; told beside other tests, for it takes minutes."""
    with ThreadPoolExecutor(1) as teller:
        yield teller.submit(tell_of_killed_spark, tmp_path_factory.mktemp("e2e") / "spark")


@pytest.fixture(scope="session")
def whole_feeds(tmp_path_factory):
    """Payments over three hubs, Cosmos DB beside them, and the call centre: a window of each through real Spark."""
    with running_feeds(tmp_path_factory.mktemp("e2e") / "feeds") as started:
        yield started


def _with_ways_of_their_own(enrichment):
    """Deliver openings by a subscription for each feed, so that a fault can be meant for one of them."""
    for feed in ("trades", "payments"):
        enrichment.listen(feed)
    enrichment.unsubscribe("openings")
    return enrichment
