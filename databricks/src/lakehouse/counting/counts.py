"""How many rows of a window each stage holds, counted from the tables themselves: a repeat can't double them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.gold import ENRICHED, UNMATCHED
from lakehouse.grammar import WINDOW_ID
from lakehouse.lake.tables import Lake
from lakehouse.streams.packs import attempt_of_event, records_of_event, slice_of_event, window_of_event
from lakehouse.streams.silver import SilverTables

ATTEMPT = "attempt"
_AHEAD = timedelta(days=1)

type CountRow = tuple[str, str, int]
"""(stage, name, rows) of one window and stream, as `window_counts` has it."""

type _Counted = tuple[str, str, int, int]
"""(stage, name, attempt, rows)"""


@dataclass(frozen=True, slots=True)
class WindowCounts:
    """One window's rows of one stream by stage.

    arrived: records in bronze by (slice, attempt). unmatched: by symbol; it, `enriched` and `sql` are None for a stream
    whose chain ends at silver.
    """

    bronze_events: int = 0
    bronze_records: int = 0
    silver_new: int = 0
    duplicates: int = 0
    quarantined: int = 0
    arrived: Mapping[tuple[str, int], int] = field(default_factory=dict)
    enriched: int | None = None
    unmatched: Mapping[str, int] | None = None
    sql: int | None = None


def count_windows(
    lake: Lake,
    stream: str,
    window_ids: Iterable[str],
    *,
    with_gold: bool,
    sql: Callable[[str], int] | None = None,
) -> dict[str, WindowCounts]:
    """Count windows in bronze, silver and gold in one Spark job. sql: counts a window's rows in the database."""
    wanted = sorted(set(window_ids))
    gold = _gold_parts(lake, wanted) if with_gold else []
    parts = [_bronze_part(lake, stream, wanted), *_silver_parts(lake, stream, wanted), *gold]
    found: dict[str, list[_Counted]] = {window: [] for window in wanted}
    for window, *counted in reduce(DataFrame.unionByName, parts).collect():
        found[window].append(tuple(counted))
    return {window: _window_counts(rows, with_gold, sql(window) if sql else None) for window, rows in found.items()}


def events_of_windows(lake: Lake, stream: str, window_ids: Sequence[str]) -> DataFrame:
    """Give the bronze rows of windows; nothing of a window is enqueued before it is due, which spares older files."""
    events = lake.read(f"bronze.{stream}").where(window_of_event().isin(list(window_ids)))
    if not all(map(WINDOW_ID.fullmatch, window_ids)):
        return events
    first = min(datetime.strptime(window.rpartition("-")[2], "%Y%m%dT%H%M%S%z") for window in window_ids)
    return events.where(F.col("enqueued_at") >= F.lit(first - _AHEAD))


def arrivals(lake: Lake, stream: str) -> DataFrame:
    """Give what bronze holds by window, slice (`name`) and attempt: events, and the records that they say they hold."""
    return _by_slice(lake.read(f"bronze.{stream}")).orderBy("window_id", "name", ATTEMPT)


def _bronze_part(lake: Lake, stream: str, windows: list[str]) -> DataFrame:
    """Sum up what the senders said of their events; nothing is opened for it."""
    of_slices = _by_slice(events_of_windows(lake, stream, windows))
    labels, stages = ("window_id", "name", ATTEMPT), ("bronze_events", "bronze_records")
    return of_slices.unpivot(labels, stages, "stage", "rows").select("window_id", "stage", "name", ATTEMPT, "rows")


def _by_slice(events: DataFrame) -> DataFrame:
    labels = [window_of_event().alias("window_id"), slice_of_event().alias("name"), attempt_of_event().alias(ATTEMPT)]
    grouped = events.select(*labels, records_of_event().alias("rows")).groupBy("window_id", "name", ATTEMPT)
    return grouped.agg(F.count(F.lit(1)).alias("bronze_events"), F.sum("rows").alias("bronze_records"))


def _silver_parts(lake: Lake, stream: str, windows: list[str]) -> list[DataFrame]:
    tables = SilverTables(stream)
    return [
        _part(lake.read(tables.rows), windows, "silver_new"),
        _part(lake.read(tables.duplicates), windows, "duplicates"),
        _part(lake.read(tables.quarantine), windows, "quarantined", rows=F.sum("rows")),
    ]


def _gold_parts(lake: Lake, windows: list[str]) -> list[DataFrame]:
    return [
        _part(lake.read(ENRICHED), windows, "enriched"),
        _part(lake.read(UNMATCHED), windows, "unmatched", name=F.col("base")),
    ]


def _part(
    table: DataFrame, windows: list[str], stage: str, *, name: Column | None = None, rows: Column | None = None
) -> DataFrame:
    labels = [F.col("window_id"), F.lit(stage).alias("stage"), (F.lit("") if name is None else name).alias("name")]
    total = F.count(F.lit(1)) if rows is None else rows
    grouped = table.where(F.col("window_id").isin(windows)).groupBy(*labels, F.lit(0).alias(ATTEMPT))
    return grouped.agg(total.alias("rows"))


def _window_counts(found: list[_Counted], with_gold: bool, sql: int | None) -> WindowCounts:
    totals: dict[str, int] = {}
    for stage, _, _, rows in found:
        totals[stage] = totals.get(stage, 0) + rows
    plain = ("bronze_events", "bronze_records", "silver_new", "duplicates", "quarantined")
    return WindowCounts(
        **{stage: totals.get(stage, 0) for stage in plain},
        arrived={(name, attempt): rows for stage, name, attempt, rows in found if stage == "bronze_records"},
        enriched=totals.get("enriched", 0) if with_gold else None,
        unmatched={name: rows for stage, name, _, rows in found if stage == "unmatched"} if with_gold else None,
        sql=sql,
    )
