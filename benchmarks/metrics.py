"""Measuring a window beside counting the whole table, on five million rows; and a storm of POSTs of the same runs."""

import asyncio
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

import requests

from benchmarks.enrichment import light_bundle
from benchmarks.interleaved import Row
from local.platform.ports import Ports
from local.platform.running import Running
from local.platform.services import Choices
from local.platform.starting import running_platform
from shared.clients.identity.fake import FakeIdentity
from shared.clients.logic_app.fake import FakeLogicApp
from shared.clients.sql.opening import sql_metrics
from shared.clients.storage.fake import FakeLedger
from shared.domain.volumes.measurement import MeasuredTable, MeasureRequest
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.window import Window
from shared.flows.measure import MetricsTools, measure

ROWS, WINDOWS = 5_000_000, 1_000
ROUNDS = 15
MOST_SHARE = 1 / 20

POSTS, RUNS, AT_ONCE = 200, 50, 200
MOST_SECONDS = 1.0
ROWS_OF_THE_STORM = 500
"""Below the floor: each run that is measured alerts, since nothing is quiet for longer than a millisecond."""

SETTINGS = {"FEEDS": "trades", "WINDOW_TIMER": "0 0 0 1 1 *"}
TABLES = (
    """CREATE TABLE Trades (id, name, symbol, exchange, quote, direction, price, volume, timestamp, venue, market,
      trade_id, window_id, PRIMARY KEY (venue, market, trade_id))""",
    "CREATE INDEX trades_of_window ON Trades (window_id)",
    """CREATE TABLE window_counts (window_id, stream, stage, name, "rows" INTEGER, updated_at,
      PRIMARY KEY (window_id, stream, stage, name))""",
    'CREATE INDEX window_counts_of_stage ON window_counts (stream, stage, name, "rows")',
)
"""As the lakehouse makes them, but for types."""
FILL = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)
INSERT INTO Trades (id, name, symbol, exchange, quote, direction, price, volume, timestamp, venue, market, trade_id,
  window_id)
SELECT 'bitcoin', 'Bitcoin', 'BTC', 'kraken', 'USD', 'buy', 65000.12, 0.00012345, '2026-11-22T10:00:01.000001Z',
  'kraken', 'BTC/USD', i, strftime('trades-%Y%m%dT%H0000Z', '2026-01-01', (i * ? / ?) || ' hours')
FROM n
"""
STAGES = (
    *(("bronze_events", ""), ("bronze_records", ""), ("silver_new", ""), ("duplicates", ""), ("quarantined", "")),
    *(("gold", "trades_enriched"), ("gold", "trades_unmatched"), ("sql", "Trades")),
)
COUNT = "INSERT INTO window_counts SELECT window_id, 'trades', ?, ?, COUNT(*), '' FROM Trades GROUP BY window_id"
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TRADES = MeasuredTable("trades", "Trades", "trades", 1000, "ingestion")


def rows() -> list[Row]:
    """Measure the large table first, then the storm."""
    with tempfile.TemporaryDirectory(prefix="metrics-") as folder:
        large = _large_table(Path(folder))
        storm = asyncio.run(_storm(Path(folder)))
    return [*large, *storm]


def _large_table(folder: Path) -> list[Row]:
    file = folder / "large.db"
    _fill(file, ROWS, WINDOWS)
    sides = _sides(file)
    for side in sides.values():
        side()
    laps = [{name: _seconds(side) for name, side in sides.items()} for _ in range(ROUNDS)]
    for name in sides:
        print(f"metrics | {name}: median {1000 * median(lap[name] for lap in laps):.2f} ms")
    return [
        _share(laps, "a measurement by COUNT(*)", MOST_SHARE),
        _share(laps, "COUNT(*) alone, committing nothing", None),
    ]


def _share(laps: list[dict[str, float]], beside: str, bar: float | None) -> Row:
    shares = [lap["a measurement with a window"] / lap[beside] for lap in laps]
    note = f"{min(shares):.4f} to {max(shares):.4f} in {ROUNDS} rounds"
    return Row(f"a measurement with a window on {ROWS:,} rows, its time", beside, median(shares), bar, True, note)


def _sides(file: Path) -> dict[str, Callable[[], object]]:
    """Give the same flow with a window and without one, and the bare statement; each call is another run."""
    ledger, numbers = FakeLedger(), count()
    window = Window("trades", FIRST + timedelta(hours=7), FIRST + timedelta(hours=8))
    ledger.claim(WindowRow(window, "closed", "timer", NOON, {}))
    metrics = sql_metrics(f"sqlite:///{file}", FakeIdentity())
    sender = FakeLogicApp(names=())
    tools = MetricsTools({"trades": TRADES}, ledger, metrics, sender, lambda: NOON, timedelta(hours=6))
    bare = sqlite3.connect(file)

    def request(window_id: str | None) -> MeasureRequest:
        return MeasureRequest("trades", f"run-{next(numbers)}", NOON, window_id)

    return {
        "a measurement with a window": lambda: measure(tools, request(window.id)),
        "a measurement by COUNT(*)": lambda: measure(tools, request(None)),
        "COUNT(*) alone, committing nothing": lambda: bare.execute("SELECT COUNT(*) FROM Trades").fetchone(),
    }


def _fill(file: Path, number: int, windows: int) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        for statement in TABLES:
            connection.execute(statement)
        connection.execute(FILL, (number, windows, number))
        connection.executemany(COUNT, STAGES)


def _seconds(side: Callable[[], object]) -> float:
    start = perf_counter()
    side()
    return perf_counter() - start


async def _storm(folder: Path) -> list[Row]:
    choices = Choices(
        ports=Ports.free(),
        with_enrichment=True,
        settings=SETTINGS | {"ALERT_QUIET": "00:00:00.001"},
        arguments={"databricks": light_bundle(folder / "bundle")},
    )
    async with running_platform(folder / "state", choices, clear=True) as platform:
        return await asyncio.to_thread(_stormed, platform.running)


def _stormed(running: Running) -> list[Row]:
    """Send each run's POST four times among all others, all at the same time, and look at what is recorded."""
    _fill(running.state.sql, ROWS_OF_THE_STORM, 1)
    url = f"{running.addresses['functions']['http']}/api/metrics"
    _post(url, "warm-up")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda number: _post(url, f"run-{number % RUNS}"), range(POSTS)))
    seconds = [took for _, took in answers]
    statuses = Counter(status for status, _ in answers)
    with closing(sqlite3.connect(running.state.sql)) as connection:
        (measured,) = connection.execute("SELECT COUNT(*) - 1 FROM enrichment_pipeline_metrics").fetchone()
        (alerts,) = connection.execute("SELECT COUNT(*) - 1 FROM enrichment_alerts").fetchone()
    what = f"{POSTS} POSTs of {RUNS} runs at once"
    note = f"statuses {dict(statuses)}, median {median(seconds):.2f} s"
    return [
        Row(f"{what}, p95 s", "-", quantiles(seconds, n=20, method="inclusive")[-1], MOST_SECONDS, True, note),
        Row(f"{what}, rows beyond {RUNS}", "-", abs(measured - RUNS), 0.0, True),
        Row(f"{what}, alerts", "-", alerts, float(RUNS), True),
        Row(f"{what}, answers 5xx", "-", sum(n for status, n in statuses.items() if status >= 500), 0.0, True),
    ]


def _post(url: str, run_id: str) -> tuple[int, float]:
    body = {"table": "trades", "run_id": run_id, "ingestion_time": NOON.isoformat()}
    start = perf_counter()
    answer = requests.post(url, json=body, timeout=60)
    return answer.status_code, perf_counter() - start
