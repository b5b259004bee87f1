"""The lakehouse's Python source beside azure-eventhub's own receive loop; both read one local hub, in turns."""

import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from benchmarks.interleaved import Row

ROOT = Path(__file__).resolve().parent.parent
PEER = "azure-eventhub's receive loop, row events, one process"
BARS = {"rows": 0.8, "packs": 5.0}
CLOCKS = ("wall", "CPU")
"""The bars are for the clock on the wall; CPU time, all of Spark's processes together, is shown beside it."""

type Lap = dict[str, dict[str, float]]
"""One round's readings by side and hub (`ours, packs`), each its records and its seconds by either clock."""


def rows() -> list[Row]:
    """Measure both sides in a process of the lakehouse's environment.

    After start-up means: of each reading's seconds, those are taken off that the same side needed in the same round
    for a hub of one event a partition. Whole queries are shown without a bar.
    """
    laps = _laps()
    _show(laps)
    found = [_row(laps, events, clock, is_whole=False) for events in BARS for clock in CLOCKS]
    return [*found, *(_row(laps, events, "wall", is_whole=True) for events in BARS)]


def _laps() -> list[Lap]:
    command = [ROOT / ".venv-lakehouse/bin/python", ROOT / "benchmarks/peers/hub_reading.py"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "databricks/tests")}
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    laps: list[Lap] = json.loads(done.stdout.splitlines()[-1])
    return laps


def _show(laps: list[Lap]) -> None:
    for reading in laps[0]:
        seconds = "; ".join(f"{clock} {_spread(lap[reading][clock] for lap in laps)}" for clock in CLOCKS)
        print(f"{reading}: {laps[0][reading]['records']:,} records, seconds: {seconds}")


def _spread(seconds: Iterable[float]) -> str:
    found = list(seconds)
    return f"{median(found):.2f} ({min(found):.2f} to {max(found):.2f})"


def _row(laps: list[Lap], events: str, clock: str, *, is_whole: bool) -> Row:
    ratios = [_rate(lap, "ours", events, clock, is_whole) / _rate(lap, "peer", "rows", clock, is_whole) for lap in laps]
    bar = BARS[events] if clock == "wall" and not is_whole else None
    what = "whole queries" if is_whole else "after start-up"
    note = f"{min(ratios):.4g} to {max(ratios):.4g} in {len(ratios)} rounds"
    return Row(f"Python source from the local hub, {events}, {clock}, {what}", PEER, median(ratios), bar, note=note)


def _rate(lap: Lap, side: str, hub: str, clock: str, is_whole: bool) -> float:
    """Return records per second."""
    full, few = lap[f"{side}, {hub}"], lap[f"{side}, few"]
    return full["records"] / (full[clock] - (0.0 if is_whole else few[clock]))
