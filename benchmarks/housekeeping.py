"""Housekeeping over a ledger of 100,000 rows: its time, and how much the process grows.

The tables are those of the tests, in memory: a filter runs in the service, whose own time this does not measure.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from time import perf_counter

import psutil

from benchmarks.interleaved import Row
from shared.clients.durable.fake import FakeOrchestrations
from shared.clients.event_hubs.fake import FakeEventHubs
from shared.clients.storage.fake import FakeReference, FakeTables
from shared.clients.storage.fake_spill import FakeSpill
from shared.clients.storage.runs import TableRunLedger
from shared.clients.storage.window_entities import window_entity
from shared.clients.storage.windows import WINDOWS, TableLedger
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import PlanTemplate, StreamPlan
from shared.domain.windows.window import Window
from shared.flows.announce import WindowEvents
from shared.flows.housekeeping import HousekeepingTools, Keep, housekeeping_steps, look_after

ROWS, ACTIVE = 100_000, 20
MOST_SECONDS, MOST_MEGABYTES = 2.0, 50.0
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LENGTH = timedelta(minutes=5)
STREAM = StreamPlan("trades", ("trades",), "trades/1", "row", "identity", 0)
TEMPLATE = PlanTemplate(LENGTH, timedelta(), timedelta(), 0.0, 1.0, ("coinbase:BTC-USD",), (STREAM,))


def rows() -> list[Row]:
    """Fill the ledger, of which a few windows are open and have lost their orchestration; then one tick."""
    seconds, grown, restarted = _tick(_filled())
    note = f"{restarted} windows started again"
    what = f"housekeeping over {ROWS:,} ledger rows"
    return [
        Row(f"{what}, s", "-", seconds, MOST_SECONDS, True, note),
        Row(f"{what}, MB grown", "-", grown, MOST_MEGABYTES, True, note),
        Row(f"{what}, windows not started again", "-", ACTIVE - restarted, 0.0, True),
    ]


def _filled() -> FakeTables:
    tables = FakeTables()
    for number in range(ROWS):
        tables.insert(WINDOWS, window_entity(_row(number)))
    return tables


def _row(number: int) -> WindowRow:
    start = NOON - (number + 1) * LENGTH
    window, is_open = Window("trades", start, start + LENGTH), number % (ROWS // ACTIVE) == 1
    plan = TEMPLATE.freeze(window, start, "", {}).as_wire()
    return WindowRow(window, "open" if is_open else "closed", "timer", start, plan, opened_at=start)


def _tick(tables: FakeTables) -> tuple[float, float, int]:
    orchestrations, reference = FakeOrchestrations(), FakeReference(lambda: NOON)
    hubs = FakeEventHubs({"trades": 4})
    ledger = TableLedger(tables)
    tools = HousekeepingTools(
        runs=TableRunLedger(tables),
        events=WindowEvents(ledger, hubs, reference, FakeSpill(lambda: NOON), None, lambda: NOON),
        alert=lambda _: None,
        feeds=("trades",),
        lookups=(),
        keep=Keep(*[timedelta(days=90)] * 4),
    )
    process = psutil.Process()
    base, start = process.memory_info().rss, perf_counter()
    asyncio.run(look_after(housekeeping_steps(tools, orchestrations)))
    return perf_counter() - start, (process.memory_info().rss - base) / 1e6, len(orchestrations.started)
