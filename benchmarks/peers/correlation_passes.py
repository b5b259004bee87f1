"""Passes of pageviews after low stars on real Spark and Delta: `correlation_passes.py <past windows> <views a window>`.

It makes so many windows of views and stars, and the table of them. `take <views>` on standard input adds new views, and
stars before some, in a window of their own, and takes them in; it answers with seconds of the clock and of the
processor, as a line of JSON.
"""

import json
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from lakehouse.gold import pageviews_after_low_stars
from lakehouse.lake.compiling import Compiling
from lakehouse.lake.tables import Lake
from lakehouse.lookups import Lookups
from lakehouse.pipelines.gold import Gold
from lakehouse.pipelines.pipeline import Pipeline
from lakehouse.session import spark_session
from lakehouse.streams.contract import load_contracts
from lakehouse.streams.silver_tables import columns_of
from lakehouse_passes import cpu_seconds
from pyspark.sql import functions as F

ROOT = Path(__file__).resolve().parents[2]
WINDOW = "shop-20261127T100000Z"
START = "TIMESTAMP '2026-01-01T00:00:00Z'"
_MINUTES = 10
_VIEWS_OF_A_STAR, _USERS = 40, 1_000
_KEYS = {"pageviews": ("viewed_at", "view_id"), "stars": ("starred_at", "star_id")}
_VALUES = {
    "pageviews": (
        "uuid() AS view_id", "at AS viewed_at", "user_id", "'GET' AS http_method", "'https://shop/' AS uri",
        "'192.0.2.7' AS client_ip", "'Mozilla/5.0' AS user_agent", "200L AS latency",
    ),
    "stars": ("uuid() AS star_id", "at - INTERVAL 1 MINUTE AS starred_at", "user_id", "1 + pmod(id, 5) AS stars"),
}  # fmt: skip


def main() -> None:
    windows, views = map(int, sys.argv[1:])
    folder = Path(tempfile.mkdtemp(prefix="correlation-"))
    jars = sorted((ROOT / ".cache/jars").glob("*.jar"))
    spark = spark_session("correlation", lake_root=str(folder / "lake"), jars=jars)
    spark.sparkContext.setLogLevel("OFF")
    passes = Passes(Lake(spark), windows, views)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        _, number = line.split()
        print(json.dumps(passes.take(int(number))), flush=True)


class Passes:
    """The table over a history, which new windows are added to."""

    def __init__(self, lake: Lake, windows: int, views: int) -> None:
        self.lake = lake
        self.next_window = windows
        self.compiling = Compiling(lake.spark)
        for stream, clustered in _KEYS.items():
            lake.create(f"silver.{stream}", columns_of(load_contracts(stream)[-1]), clustered)
        self._append(0, windows, views)
        self.gold = Gold(lake, Pipeline("shop", (pageviews_after_low_stars.TABLE,)), Lookups(lake.spark, Nothing(), {}))
        self.gold.prepare()
        self.gold.run_pass(WINDOW)

    def take(self, views: int) -> dict[str, float]:
        """Add a window, and take it in as a run does that read few events."""
        self._append(self.next_window, 1, views)
        self.next_window += 1
        self.compiling.suit(0)
        cpu, clock = cpu_seconds(), perf_counter()
        self.gold.run_pass(WINDOW)
        return {"cpu": cpu_seconds() - cpu, "seconds": perf_counter() - clock}

    def _append(self, first: int, windows: int, views: int) -> None:
        """Write views of windows, and stars a minute before some of them, a file for each window."""
        micros = _MINUTES * 60_000_000
        at = f"{START} + make_dt_interval(0, 0, 0, ({first * micros} + id * {micros / views}) / 1e6)"
        numbered = self.lake.spark.range(views * windows).selectExpr(
            "id", f"{at} AS at", f"pmod(hash(id), {_USERS}) + 1L AS user_id"
        )
        for stream, values in _VALUES.items():
            some = numbered if stream == "pageviews" else numbered.where(F.col("id") % _VIEWS_OF_A_STAR == 0)
            rows = some.repartitionByRange(windows, "at").selectExpr(*values, f"'{WINDOW}' AS window_id")
            self.lake.append(f"silver.{stream}", rows)


class Nothing:
    """A reference store of a table without lookups."""

    def read(self, path: str) -> bytes | None:
        raise FileNotFoundError(path)


if __name__ == "__main__":
    main()
