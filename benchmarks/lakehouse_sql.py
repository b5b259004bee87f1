"""A trades hub into SQL by the lakehouse, beside the seed's way: a POST and an append for each row in foreachBatch."""

import json
import os
import subprocess
from pathlib import Path

from benchmarks.interleaved import Row

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / ".venv-lakehouse/bin/python"
SCRIPT = Path(__file__).parent / "peers/hub_to_sql.py"


def rows() -> list[Row]:
    """Run both sides in one Spark session of the lakehouse's own environment."""
    if not PYTHON.exists():
        raise FileNotFoundError(f"{PYTHON} is missing: run scripts/setup-lakehouse first.")
    # The session's own flags favour a quick start; the whole compiler is what a server runs with, for both sides.
    compiler = {"_JAVA_OPTIONS": "-XX:TieredStopAtLevel=4"}
    folders = {"PYTHONPATH": f"{ROOT}/databricks/src:{ROOT}/databricks/tests"}
    environment = {**os.environ, **folders, **compiler}
    ran = subprocess.run([PYTHON, SCRIPT], stdout=subprocess.PIPE, text=True, check=True, env=environment)
    found = json.loads(ran.stdout.splitlines()[-1])
    ours, seed = found["ours"], found["seed"]
    for name, side in found.items():
        print(f"hub to SQL | {name}: {side['rows']:,} rows in {side['seconds']:.1f} s, {side['posts']:,} POSTs")
    fewer = (seed["posts"] / seed["rows"]) / (ours["posts"] / ours["rows"])
    return [
        _beside("a POST and an append per row", ours, seed, 20.0),
        _beside("the same on connections kept open", ours, found["kept open"], None),
        Row("Power BI POSTs a row, fewer", "a POST and an append per row", fewer, 100.0),
    ]


def _beside(peer: str, ours: dict[str, float], theirs: dict[str, float], bar: float | None) -> Row:
    note = f"{_rate(ours):,.0f} and {_rate(theirs):,.0f} rows a second of wall clock"
    return Row("trades hub to SQL", peer, _rate(ours) / _rate(theirs), bar, note=note)


def _rate(side: dict[str, float]) -> float:
    return side["rows"] / side["seconds"]
