"""POST /api/windows for 31 days of packed hourly windows: its time, and how often the hub is asked."""

import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

from azure.data.tables import TableServiceClient

from benchmarks.interleaved import Row
from emulators.testing import running_service
from shared.clients.storage.tables import Tables
from shared.clients.storage.windows import TableLedger
from shared.domain.windows.plan import PlanTemplate, StreamPlan
from shared.domain.windows.request import OpenRequest
from shared.domain.windows.schedule import Schedule
from shared.flows.open_windows import PlanFactory
from shared.flows.request_windows import claim_requested, first_of_queue

MOST_SECONDS = 20.0
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAYS, HOUR = timedelta(days=31), timedelta(hours=1)
HOURLY = Schedule("payments", HOUR, timedelta(), HOUR, timedelta(), DAYS)
STREAM = StreamPlan("transactions", ("transactions",), "transactions/1", "pack", "identity", 0)
TEMPLATE = PlanTemplate(HOUR / 12, timedelta(), timedelta(), 100.0, 2.0, (), (STREAM,))
REQUEST = OpenRequest("payments", NOON - DAYS, NOON)


def rows() -> list[Row]:
    """Open the windows in a ledger in Azurite, then the same ones again."""
    asked: list[str] = []

    def partitions(template: PlanTemplate) -> Mapping[str, int]:
        asked.extend(hub for stream in template.streams for hub in stream.hubs)
        return {"transactions": 4}

    plans = PlanFactory({"payments": TEMPLATE}, lambda _: "", partitions)
    ports = ("--blob-port", 0, "--queue-port", 0, "--table-port", 0)
    with (
        tempfile.TemporaryDirectory(prefix="back-fill-") as folder,
        running_service("storage", "--location", Path(folder), *ports) as addresses,
        TableServiceClient.from_connection_string(addresses["connection_string"]) as service,
    ):
        ledger = TableLedger(Tables(lambda: service))
        first, opened = _post(ledger, plans)
        connections = len(asked)
        again, same = _post(ledger, plans)
    what = f"POST of 31 days of packed hourly windows ({opened:,})"
    return [
        Row(f"{what}, s", "-", first, MOST_SECONDS, True),
        Row(f"{what}, connections to the hub", "-", connections, 1.0, True),
        Row(f"{what} again, s", "-", again, MOST_SECONDS, True, f"{same:,} windows"),
    ]


def _post(ledger: TableLedger, plans: PlanFactory) -> tuple[float, int]:
    start = perf_counter()
    opened = claim_requested(ledger, plans, HOURLY, REQUEST, NOON)
    first_of_queue(ledger, opened.rows)
    return perf_counter() - start, len(opened.rows)
