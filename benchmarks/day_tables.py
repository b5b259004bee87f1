"""What the call centre's day tables cost when one of 100 days has changed, beside making all days anew."""

from statistics import median

from benchmarks.interleaved import Row
from benchmarks.spark_process import ROOT, Process, spark_process

DAYS, CALLS_A_DAY = 100, 10_000
LATE_CALLS = 100
WARM_UP, ROUNDS, CHANGES_A_ROUND = 3, 3, 3


def rows() -> list[Row]:
    """Take turns in one warm process: passes after late calls of one day, then all days."""
    with spark_process("day_passes.py", ROOT, "days", str(DAYS), str(CALLS_A_DAY)) as run:
        return [_measured(run)]


def _measured(run: Process) -> Row:
    for _ in range(WARM_UP):
        run.tell(f"late {LATE_CALLS}")
    run.tell("anew")
    laps = [
        (median(run.tell(f"late {LATE_CALLS}")["cpu"] for _ in range(CHANGES_A_ROUND)), run.tell("anew")["cpu"])
        for _ in range(ROUNDS)
    ]
    late, anew = (median(lap[side] for lap in laps) for side in (0, 1))
    return Row(
        f"gold of one changed day of {DAYS}, CPU",
        "recomputing all days",
        median(one / other for one, other in laps),
        0.1,
        at_most=True,
        note=f"{late:.1f} and {anew:.1f} CPU-s, {CALLS_A_DAY:,} calls a day, {LATE_CALLS} late ones",
    )
