"""Runs the benchmarks, prints their table and writes `benchmarks/results.json`: `python -m benchmarks [name ...]`.

The file keeps the rows of the modules that were not run; each row says of which module it is and on which day it was
measured.
"""

import argparse
import importlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.interleaved import Row

MODULES = (
    "transactions",
    "call_centre",
    "matching",
    "shop",
    "realism",
    "pools",
    "imports",
    "package",
    "sending",
    "beside_cosmos",
    "spill",
    "websocket",
    "pacing",
    "memory",
    "assets",
    "lakehouse_source",
    "lakehouse_sql",
    "lakehouse_cost",
    "day_tables",
    "correlation",
    "enrichment",
    "metrics",
    "housekeeping",
    "stream_alerts",
    "back_fill",
    "closing",
    "replay",
)
RESULTS = Path(__file__).with_name("results.json")


type Result = dict[str, Any]
"""One row as the file keeps it: what `Row` has, its `module`, and the day it was `measured`."""


def main() -> int:
    """Run those that are named, or all; 1 where a bar is not met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Ratios beside peers, in one run.")
    parser.add_argument("names", nargs="*", choices=[*MODULES, []], help="default: all")
    names = parser.parse_args().names or MODULES
    console = Console()
    rows: list[Row] = []
    for name in names:
        console.rule(name)
        found = importlib.import_module(f"benchmarks.{name}").rows()
        _keep(name, found)
        rows += found
    console.print(_table(rows))
    return 0 if all(row.met for row in rows) else 1


def _keep(module: str, rows: list[Row]) -> None:
    """Put the rows of a module in the place of its earlier ones."""
    kept: list[Result] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
    today = datetime.now(UTC).date().isoformat()
    kept = [one for one in kept if one["module"] != module] + [_result(row, module, today) for row in rows]
    kept.sort(key=lambda one: MODULES.index(one["module"]))
    RESULTS.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


def _table(rows: list[Row]) -> Table:
    table = Table("what", "beside it in the same run", "ratio", "bar", "met", "note", title="Benchmarks")
    for row in rows:
        bar = "-" if row.bar is None else f"{'≤' if row.at_most else '≥'} {row.bar:g}"
        table.add_row(row.name, row.beside, f"{row.ratio:.4g}", bar, "yes" if row.met else "NO", row.note)
    return table


def _result(row: Row, module: str, day: str) -> Result:
    return {
        "name": row.name,
        "beside": row.beside,
        "ratio": row.ratio,
        "bar": row.bar,
        "at_most": row.at_most,
        "met": row.met,
        "note": row.note,
        "module": module,
        "measured": day,
    }


if __name__ == "__main__":
    sys.exit(main())
