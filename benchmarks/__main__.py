"""Runs the benchmarks, prints their table and writes `benchmarks/results.json`: `python -m benchmarks [name ...]`."""

import argparse
import importlib
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.interleaved import Row

MODULES = (
    "transactions",
    "realism",
    "pools",
    "imports",
    "sending",
    "websocket",
    "pacing",
    "memory",
    "assets",
    "lakehouse_source",
    "lakehouse_sql",
)
RESULTS = Path(__file__).with_name("results.json")


def main() -> int:
    """Run those that are named, or all; 1 where a bar is not met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Ratios beside peers, in one run.")
    parser.add_argument("names", nargs="*", choices=[*MODULES, []], help="default: all")
    names = parser.parse_args().names or MODULES
    console = Console()
    rows: list[Row] = []
    for name in names:
        console.rule(name)
        rows += importlib.import_module(f"benchmarks.{name}").rows()
    console.print(_table(rows))
    if set(names) == set(MODULES):
        RESULTS.write_text(json.dumps([_result(row) for row in rows], indent=2) + "\n", encoding="utf-8")
    return 0 if all(row.met for row in rows) else 1


def _table(rows: list[Row]) -> Table:
    table = Table("what", "beside it in the same run", "ratio", "bar", "met", "note", title="Benchmarks")
    for row in rows:
        bar = "-" if row.bar is None else f"{'≤' if row.at_most else '≥'} {row.bar:g}"
        table.add_row(row.name, row.beside, f"{row.ratio:.4g}", bar, "yes" if row.met else "NO", row.note)
    return table


def _result(row: Row) -> dict[str, object]:
    return {"name": row.name, "beside": row.beside, "ratio": row.ratio, "bar": row.bar, "met": row.met}


if __name__ == "__main__":
    sys.exit(main())
