"""How much telemetry of the demo's windows arrived."""

from collections.abc import Mapping

import aiohttp
from rich.console import Console

from local.demo.polling import get_json
from local.platform.running import Running
from local.platform.services import APPLICATION_INSIGHTS

type Counts = Mapping[str, int]
"""Rows by table: `{"AppTraces": 120, …}`."""


async def read_counts(running: Running) -> Counts:
    """Ask Application Insights for the number of its rows; aiohttp.ClientError where it does not answer."""
    admin = running.addresses[APPLICATION_INSIGHTS]["admin"]
    async with aiohttp.ClientSession() as session:
        return dict((await get_json(session, f"{admin}/health"))["rows"])


def print_telemetry(console: Console, counts: Counts) -> None:
    """Print one line: lines, spans and points of metrics that arrived by now."""
    lines = counts["AppTraces"] + counts["AppExceptions"]
    spans = counts["AppRequests"] + counts["AppDependencies"]
    points = counts["AppMetrics"]
    console.print(f"Telemetry that arrived: {lines:,} lines, {spans:,} spans, {points:,} points of metrics.")
