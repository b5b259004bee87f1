"""What a pass of the lakehouse costs: over a long history, for a few rows, in counts, and in memory that stays."""

import subprocess
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import median

from benchmarks.interleaved import Row
from benchmarks.spark_process import ROOT, Process, spark_process

FORMER = "6247ec7"
"""The last commit whose silver was a streaming query, merged each batch and counted each pass."""

WARM_UP, ROUNDS, LARGE_ROUNDS = 3, 8, 5
COUNT_EVERY = 4
"""Passes: every 30 s one, and a count every 2 minutes."""
PASSES = 120
PAST, PAST_ROWS = 100, 20_000


def rows() -> list[Row]:
    """Measure all four; passes of two sides are taken in turns, each in a warm process of its own."""
    return [*_trickle(), _history(), *_long_run()]


def _trickle() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="former-") as folder:
        former = _former(Path(folder))
        with _process("now", ROOT) as ours, _process("former", former, "former") as theirs:
            for _ in range(WARM_UP):
                ours.tell("pass 200 count"), theirs.tell("pass 200")
            laps = [
                (ours.tell("pass 200" + " count" * (number % COUNT_EVERY == 0)), theirs.tell("pass 200"))
                for number in range(ROUNDS)
            ]
    mine, other = (sum(lap[side]["cpu"] for lap in laps) for side in (0, 1))
    note = f"{mine / ROUNDS:.1f} and {other / ROUNDS:.1f} CPU-s a pass, a count every {COUNT_EVERY} passes"
    return [Row("a pass of 200 rows, CPU", f"commit {FORMER}", mine / other, 0.5, at_most=True, note=note)]


def _history() -> Row:
    with _process("long", ROOT) as long, _process("short", ROOT) as short:
        for one, windows in ((long, PAST), (short, 1)):
            one.tell("pass 100")
            one.tell(f"past {windows} {PAST_ROWS}")
            for _ in range(WARM_UP):
                one.tell("pass 10000")
        laps = [(long.tell("pass 10000")["cpu"], short.tell("pass 10000")["cpu"]) for _ in range(LARGE_ROUNDS)]
    ratio = median(a / b for a, b in laps)
    note = (
        f"{median(a for a, _ in laps):.1f} and {median(b for _, b in laps):.1f} CPU-s, {PAST * PAST_ROWS:,} past rows"
    )
    return Row(f"a pass of 10,000 rows over {PAST} past windows, CPU", "over one", ratio, 1.15, at_most=True, note=note)


def _long_run() -> list[Row]:
    """Take many passes in one process: what a count costs at its end, and what stays in memory."""
    heap: dict[int, int] = {}
    costs: list[float] = []
    with _process("run", ROOT) as run:
        for number in range(1, PASSES + 1):
            whole = run.tell("pass 200 count")["cpu"]
            costs.append(whole)
            if number in {10, 110}:
                heap[number] = run.tell("heap")["heap"]
    first, last = median(costs[10:40]), median(costs[-30:])
    grown = heap[110] / heap[10]
    size = f"{heap[10] / 2**20:.0f} and {heap[110] / 2**20:.0f} MiB"
    return [
        Row(
            f"a counted pass, the last of {PASSES}, CPU",
            "the first",
            last / first,
            1.25,
            at_most=True,
            note=f"{last:.1f} and {first:.1f} CPU-s: counts grow with the window, not with its square",
        ),
        Row("heap after 110 passes of one process", "after 10", grown, 1.2, at_most=True, note=size),
    ]


def _former(folder: Path) -> Path:
    """Lay the wheel and its tests as they were in a folder; needs the repository's history."""
    archive = subprocess.run(
        ["git", "-C", str(ROOT), "archive", FORMER, "databricks", "contracts"], stdout=subprocess.PIPE, check=True
    )
    with subprocess.Popen(["tar", "-x", "-C", str(folder)], stdin=subprocess.PIPE) as unpacking:
        unpacking.communicate(archive.stdout)
    return folder


def _process(name: str, root: Path, *arguments: str) -> AbstractContextManager[Process]:
    return spark_process("lakehouse_passes.py", root, name, *arguments)
