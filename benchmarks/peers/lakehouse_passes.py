"""Passes of a trades run on real Spark and Delta, told line by line; one JSON line for each.

`lakehouse_passes.py [former]`: `former` drives the wheel of an earlier commit, whose passes had another shape.
Commands on standard input: `past <windows> <rows a window>` puts windows into the tables that are long over,
`pass <rows> [count]` sends rows as events and takes them all the way to SQL, and counts where it says so,
`heap` collects the garbage and gives what is used then.
"""

import json
import os
import sys
import tempfile
from datetime import timedelta
from functools import reduce
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from job_house import START, House, pack, trade
from lakehouse.session import spark_session
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

ROOT = Path(__file__).resolve().parents[2]
WINDOW_MINUTES = 10
_WINDOWS_OF_A_COMMIT = 10
_CLEANER_SECONDS = 2.0
_TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    is_former = sys.argv[1:] == ["former"]
    folder = Path(tempfile.mkdtemp(prefix="passes-"))
    jars = sorted((ROOT / ".cache/jars").glob("*.jar"))
    spark = spark_session("passes", lake_root=str(folder / "lake"), jars=jars)
    spark.sparkContext.setLogLevel("OFF")
    passes = Passes(House(spark, folder), is_former=is_former)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        verb, *numbers = line.split()
        print(json.dumps(getattr(passes, verb.replace("pass", "take"))(*numbers)), flush=True)


class Passes:
    """One run of the chain, driven from outside."""

    def __init__(self, lakehouse: House, *, is_former: bool) -> None:
        self.lakehouse = lakehouse
        self.is_former = is_former
        self.chain = lakehouse.chain()
        self.chain.prepare()
        self.sent = 0
        self.known: Any = None

    def take(self, rows: str, count: str = "") -> dict[str, float]:
        """Send rows as packs of 100 and take them to SQL; gives CPU-seconds of all processes, and of the clock."""
        records = [trade(self.sent + number, **_at(self.sent + number)) for number in range(int(rows))]
        self.sent += len(records)
        self.lakehouse.send(*[pack(records[first : first + 100]) for first in range(0, len(records), 100)])
        cpu, clock = cpu_seconds(), perf_counter()
        if self.is_former:
            self.known = self.chain.run_pass(self.known)
        else:
            self.chain.run_pass()
            if count:
                self.chain.recount()
        return {"cpu": cpu_seconds() - cpu, "seconds": perf_counter() - clock}

    def past(self, windows: str, rows: str) -> dict[str, int]:
        """Copy what one pass brought back in time, into silver and gold, a file a window and ten windows a commit."""
        self.chain.compiling.as_set()  # so many rows would take minutes with what suits a small pass
        for name in ("silver.trades", "gold.trades_enriched"):
            for first in range(1, int(windows) + 1, _WINDOWS_OF_A_COMMIT):
                self._append(name, int(rows), range(first, min(first + _WINDOWS_OF_A_COMMIT, int(windows) + 1)))
        return {"rows": int(windows) * int(rows)}

    def heap(self) -> dict[str, int]:
        """Give the bytes of heap in use after a collection, and another of what Spark let go of after the first.

        Broadcast tables are deleted by a thread of Spark's own once the collector has found them unused.
        """
        jvm = self.lakehouse.spark._jvm  # noqa: SLF001 - the one way to the JVM's own figures
        jvm.java.lang.System.gc()
        sleep(_CLEANER_SECONDS)
        jvm.java.lang.System.gc()
        memory = jvm.java.lang.management.ManagementFactory.getMemoryMXBean()
        return {"heap": memory.getHeapMemoryUsage().getUsed()}

    def _append(self, name: str, rows: int, back: range) -> None:
        """Make rows of one row that is there: other keys, an earlier time, another window."""
        table = self.lakehouse.lake.names.table(name)
        windows = [self._window(self.lakehouse.spark.read.table(table).limit(1), rows, number) for number in back]
        made = reduce(DataFrame.unionAll, windows)
        made.write.format("delta").mode("append").saveAsTable(table)

    def _window(self, one: DataFrame, rows: int, back: int) -> DataFrame:
        earlier = START - timedelta(minutes=WINDOW_MINUTES * back)
        numbers = self.lakehouse.spark.range(0, rows, 1, 1).withColumnRenamed("id", "number")
        made = numbers.crossJoin(F.broadcast(one)).withColumns(
            {
                "trade_id": F.col("number") + F.lit(1_000_000_000 - back * rows),
                "timestamp": F.lit(earlier) + F.expr(f"make_interval(0,0,0,0,0,0,number * 600 / {rows})"),
                "window_id": F.lit(f"trades-{earlier:%Y%m%dT%H%M%SZ}"),
            }
        )
        return made.select(one.columns)


def _at(number: int) -> dict[str, Any]:
    """Give a trade an id and a time of this window, growing together as a venue's do."""
    at = START + timedelta(milliseconds=number)
    return {
        "trade_id": 2_000_000_000 + number,
        "timestamp": at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
    }


def cpu_seconds() -> float:
    """Add up the processor time of this process and all below it, from /proc."""
    used: dict[int, int] = {}
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            used[int(entry.name)] = sum(map(int, fields[11:15]))
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    return _below(os.getpid(), used, children) / _TICKS


def _below(process: int, used: dict[int, int], children: dict[int, list[int]]) -> int:
    return used.get(process, 0) + sum(_below(child, used, children) for child in children.get(process, ()))


if __name__ == "__main__":
    main()
