"""What the demo shows of a stream that goes to a hub and to Cosmos DB: both beside each other."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Console

from local.demo.display import print_columns

_NAMES: Final[Mapping[str, str]] = {
    "read": "records read",
    "accepted": "accepted",
    "pending": "pending",
    "refused": "refused",
    "unknown": "unknown outcome",
    "spilled": "spilled",
    "records_s": "records a second of sending",
    "milliseconds_per_1000": "milliseconds for 1,000 records",
    "units": "request units (RU)",
    "units_s": "RU a second of sending",
    "needed_units_s": "RU a second of the window",
    "provisioned_units_s": "RU a second provisioned",
    "throttled": "requests told to come later",
    "throughput_units": "throughput units needed",
    "billed_events": "events billed (64 KB each)",
    "month_price": "price of a month at this rate",
}


def print_sinks(console: Console, window: Mapping[str, Any]) -> None:
    """Print the comparison that `GET /api/windows/{id}` gives; nothing of a window without one."""
    rows: Sequence[Mapping[str, Any]] = window.get("sinks", [])
    columns = [
        (f"{row['stream']}, {row['sink']}", {name: _written(row.get(key)) for key, name in _NAMES.items()})
        for row in rows
    ]
    if columns:
        print_columns(console, f"A hub and Cosmos DB beside it, {window['id']}", columns)


def _written(value: float | None) -> str:
    return "-" if value is None else f"{value:,}"
