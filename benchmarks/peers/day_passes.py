"""Passes of the call centre's day tables on real Spark and Delta: `day_passes.py <days> <calls a day>`.

It makes the conformed tables of so many days, and the day tables of them. Commands on standard input, each answered by
a line of JSON: `late <calls>` adds calls of one day in the middle and takes them in, `anew` makes all days anew. Both
give seconds of the clock and of the processor.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from lakehouse.gold import visao_assistentes, visao_ura_calls
from lakehouse.lake.compiling import Compiling
from lakehouse.lake.tables import Lake, columns
from lakehouse.lookups import Lookups
from lakehouse.pipelines.gold import Gold
from lakehouse.pipelines.pipeline import Pipeline
from lakehouse.session import spark_session
from lakehouse_passes import cpu_seconds
from pyspark.sql import DataFrame

ROOT = Path(__file__).resolve().parents[2]
WINDOW = "call_centre-20260101T030000Z"
MIDNIGHT = "TIMESTAMP '2026-01-01T03:00:00Z'"
"""Of São Paulo."""

_UUID = "concat_ws('-', substr(h, 1, 8), substr(h, 9, 4), substr(h, 13, 4), substr(h, 17, 4), substr(h, 21, 12))"
_CALL = (
    f"{_UUID} AS ID_CHAM", "1 + pmod(hash(id), 10000) AS ID_CLIE", "pmod(hash(id, 1), 100) AS chance",
    "began AS DH_INIC", "began + INTERVAL 1 MINUTE AS DH_FIM",
)  # fmt: skip
TABLES = {
    "tabe_ura_anlt": (
        "ID_CHAM", "CAST(ID_CLIE AS BIGINT) AS ID_CLIE", "concat('URA_', 100 + chance % 14) AS ID_FILA", "DH_INIC",
        "DH_FIM", "1 + chance % 10 AS QT_OPCA_NAVG", "chance % 2 = 0 AS IN_AUTN", "chance < 40 AS IN_DERV_ATEN",
        f"'{WINDOW}' AS window_id",
    ),
    "tabe_calls": (
        "ID_CHAM", "concat(ID_CHAM, number) AS ID_ATEN", "CAST(ID_CLIE AS BIGINT) AS ID_CLIE",
        "CAST(pmod(hash(ID_CHAM, number), 1000) AS BIGINT) AS ID_ASST",
        "DH_FIM + make_dt_interval(0, 0, 5 * (number - 1)) AS DH_INIC",
        "DH_FIM + make_dt_interval(0, 0, 5 * number) AS DH_FIM",
        "concat('area ', pmod(hash(ID_CHAM, number), 4)) AS DS_AREA_ATEN", "number <= chance % 3 AS IN_TRAF",
        "number <= chance % 3 AND chance % 4 = 0 AS IN_TRAF_INDV", f"'{WINDOW}' AS window_id",
    ),
    "tabe_pesq_ura": (
        "ID_CHAM", "ID_CHAM AS ID_PESQ", "DH_FIM + INTERVAL 1 HOUR AS DT_ENVI", "1 + chance % 10 AS VL_NOTA",
        f"'{WINDOW}' AS window_id",
    ),
}  # fmt: skip
TYPES = {
    "tabe_ura_anlt": "ID_CHAM string, ID_CLIE long, ID_FILA string, DH_INIC timestamp, DH_FIM timestamp, "
    "QT_OPCA_NAVG integer, IN_AUTN boolean, IN_DERV_ATEN boolean, window_id string",
    "tabe_calls": "ID_CHAM string, ID_ATEN string, ID_CLIE long, ID_ASST long, DH_INIC timestamp, DH_FIM timestamp, "
    "DS_AREA_ATEN string, IN_TRAF boolean, IN_TRAF_INDV boolean, window_id string",
    "tabe_pesq_ura": "ID_CHAM string, ID_PESQ string, DT_ENVI timestamp, VL_NOTA integer, window_id string",
}


def main() -> None:
    days, calls_a_day = map(int, sys.argv[1:])
    folder = Path(tempfile.mkdtemp(prefix="days-"))
    jars = sorted((ROOT / ".cache/jars").glob("*.jar"))
    spark = spark_session("days", lake_root=str(folder / "lake"), jars=jars)
    spark.sparkContext.setLogLevel("OFF")
    passes = Passes(Lake(spark), days, calls_a_day)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        verb, *numbers = line.split()
        print(json.dumps(getattr(passes, verb)(*map(int, numbers))), flush=True)


class Passes:
    """The day tables of a history, which late calls are added to."""

    def __init__(self, lake: Lake, days: int, calls_a_day: int) -> None:
        self.lake = lake
        self.days = days
        self.next_id = days * calls_a_day
        self.compiling = Compiling(lake.spark)
        for name, types in TYPES.items():
            lake.create(f"silver.{name}", columns(types))
        seconds = 86_400 / calls_a_day
        self._append(self._calls(0, self.next_id, f"{MIDNIGHT} + make_dt_interval(0, 0, 0, id * {seconds}D)"), days)
        tables = (visao_assistentes.TABLE.given({}), visao_ura_calls.TABLE)
        self.gold = Gold(lake, Pipeline("call_centre", tables), Lookups(lake.spark, Nothing(), {}))
        self.gold.prepare()
        self.gold.run_pass(WINDOW)

    def late(self, calls: int) -> dict[str, float]:
        """Add calls of twelve hours of the day in the middle, and take them in as a run does that read few events."""
        first, self.next_id = self.next_id, self.next_id + calls
        noon = f"{MIDNIGHT} + make_dt_interval({self.days // 2}, 8, 0, (id - {first}) * {43_200 / calls}D)"
        self._append(self._calls(first, self.next_id, noon), 1)
        self.compiling.suit(0)
        return _timed(lambda: self.gold.run_pass(WINDOW))

    def anew(self) -> dict[str, float]:
        """Make all days anew."""
        self.compiling.as_set()
        return _timed(lambda: self.gold.rerun(WINDOW))

    def _calls(self, first: int, end: int, began: str) -> DataFrame:
        numbered = self.lake.spark.range(first, end).selectExpr("id", "md5(string(id)) AS h", f"{began} AS began")
        return numbered.selectExpr(*_CALL)

    def _append(self, calls: DataFrame, files: int) -> None:
        """Write what the menu, the agents and the callers had of calls, a file for each day."""
        derived = calls.where("chance < 40")
        each = derived.selectExpr("*", "explode(sequence(1, 1 + chance % 3)) AS number")
        rows = {"tabe_ura_anlt": calls, "tabe_calls": each, "tabe_pesq_ura": derived.where("chance % 10 < 7")}
        for name, made in rows.items():
            self.lake.append(f"silver.{name}", made.repartitionByRange(files, "DH_INIC").selectExpr(*TABLES[name]))


class Nothing:
    """A reference store of a feed without lookups."""

    def read(self, path: str) -> bytes | None:
        raise FileNotFoundError(path)


def _timed(work: Callable[[], object]) -> dict[str, float]:
    cpu, clock = cpu_seconds(), perf_counter()
    work()
    return {"cpu": cpu_seconds() - cpu, "seconds": perf_counter() - clock}


if __name__ == "__main__":
    main()
