"""The lakehouse's Python source beside azure-eventhub's own receive loop; both read one local hub, in turns."""

import json
import os
import subprocess
from pathlib import Path
from statistics import median

from benchmarks.interleaved import Row

ROOT = Path(__file__).resolve().parent.parent
PEER = "azure-eventhub's receive loop, row events, one process"
BARS = {"rows": 0.8, "packs": 5.0}
CLOCKS = ("wall", "CPU")
"""The bars are for the clock on the wall; CPU time, all of Spark's processes together, is shown beside it."""


def rows() -> list[Row]:
    """Measure whole queries, start and stop included, in a process of the lakehouse's environment."""
    laps = _laps()
    for side, rates in laps.items():
        print(f"{side}: {median(rates):,.0f} records a second ({min(rates):,.0f} to {max(rates):,.0f})")
    return [
        _row(events, clock, laps[f"{events}, {clock}"], laps[f"peer, {clock}"]) for events in BARS for clock in CLOCKS
    ]


def _laps() -> dict[str, list[float]]:
    """Return records per second by side, one number a round."""
    command = [ROOT / ".venv-lakehouse/bin/python", ROOT / "benchmarks/peers/hub_reading.py"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "databricks/tests")}
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def _row(events: str, clock: str, ours: list[float], peer: list[float]) -> Row:
    ratios = [our / its for our, its in zip(ours, peer, strict=True)]
    bar = BARS[events] if clock == "wall" else None
    note = f"{min(ratios):.4g} to {max(ratios):.4g} in {len(ratios)} rounds, whole queries"
    return Row(f"Python source from the local hub, {events}, {clock}", PEER, median(ratios), bar, note=note)
