"""What a pass of correlated streams costs after many past windows, beside after one."""

from statistics import median

from benchmarks.interleaved import Row
from benchmarks.spark_process import ROOT, spark_process

PAST, VIEWS_A_WINDOW = 100, 20_000
NEW_VIEWS = 2_000
WARM_UP, ROUNDS = 3, 7


def rows() -> list[Row]:
    """Take passes of both in turns, each in a warm process of its own."""
    with (
        spark_process("correlation_passes.py", ROOT, "long", str(PAST), str(VIEWS_A_WINDOW)) as long,
        spark_process("correlation_passes.py", ROOT, "short", "1", str(VIEWS_A_WINDOW)) as short,
    ):
        for _ in range(WARM_UP):
            long.tell(f"take {NEW_VIEWS}"), short.tell(f"take {NEW_VIEWS}")
        laps = [(long.tell(f"take {NEW_VIEWS}")["cpu"], short.tell(f"take {NEW_VIEWS}")["cpu"]) for _ in range(ROUNDS)]
    of_long, of_short = (median(lap[side] for lap in laps) for side in (0, 1))
    note = f"{of_long:.1f} and {of_short:.1f} CPU-s, {NEW_VIEWS:,} new views, {PAST * VIEWS_A_WINDOW:,} past ones"
    return [
        Row(
            f"a pass of correlation over {PAST} past windows, CPU",
            "over one",
            median(one / other for one, other in laps),
            1.3,
            at_most=True,
            note=note,
        )
    ]
