"""What the demo shows of a stream that goes to a hub and to Cosmos DB: both beside each other."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Console

from local.demo.display import NONE, print_columns

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
    for row in rows:
        console.print(f"{_taken(row)} {_price(row)}", highlight=False, soft_wrap=True)


def print_equal(console: Console, window: Mapping[str, Any]) -> None:
    """Say of each stream of a window what the lakehouse found when it compared Cosmos DB with the hub."""
    for stream, stages in window["enrichment"]["counts"].items():
        found: Mapping[str, int] = stages.get("cosmos", {})
        if "equal" in found:
            same = f"The {found['both']:,} records of {stream} in Cosmos DB are those that came through the hub"
            console.print(f"{same}, field by field: {window['id']}.", highlight=False, soft_wrap=True)


def apart(stages: Mapping[str, Any]) -> str:
    """Say how Cosmos DB and the hub differ by a stream's counts; empty where they don't, or one is not there."""
    found: Mapping[str, int] = stages.get("cosmos", {})
    return f"Cosmos DB and the hub are apart in {found['apart']} records: {dict(found)}" if "apart" in found else ""


def _taken(row: Mapping[str, Any]) -> str:
    name = "The hub" if row["sink"] == "hub" else "Cosmos DB"
    later = f", and gets {row['spilled']:,} from the spill" if row["spilled"] else ""
    return f"{name} took {row['accepted']:,} of {row['read']:,} records of {row['stream']} at once{later}."


def _price(row: Mapping[str, Any]) -> str:
    price = f"{row['month_price']:,.2f}"
    if row["sink"] == "hub":
        return f"A month at this rate costs {price} there, by the prices that are set."
    used = f"of which the window used {row['needed_units_s']:,}"
    return f"A month of its {row['provisioned_units_s']:,} RU a second costs {price}, {used}."


def _written(value: float | None) -> str:
    return NONE if value is None else f"{value:,}"
