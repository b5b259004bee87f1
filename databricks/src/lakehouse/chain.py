"""One pass of a run: events into bronze, then batch by batch through silver, gold and SQL to the counts.

A batch is repeated whole where it was cut short: its rows are those of the silver query's checkpoint, and each stage
does the same twice without a trace. So a run that is killed anywhere continues, nothing doubled and nothing lost.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.streams.bronze import BronzeProgress, run_bronze_pass
from lakehouse.streams.contract import Contract
from lakehouse.counting.counts import WindowCounts, count_windows, events_of_windows
from lakehouse.gold import STREAM as ENRICHED_STREAM
from lakehouse.gold import assets_of, create_gold, joined, rewrite_gold, trades_of_window, write_gold
from lakehouse.lake.tables import Lake, MicroBatch
from lakehouse.lookups import lookup_of
from lakehouse.counting.reconciling import as_rows
from lakehouse.reference import ReferenceStore
from lakehouse.request import RunRequest
from lakehouse.streams.silver import Written, create_silver, quarantine_reasons, records, rewrite_silver, write_silver
from lakehouse.sinks.push import Push
from lakehouse.sinks.sql import SqlSink
from lakehouse.sources.port import Source
from lakehouse.window import Closed, marker_path, parse_closed

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chain:
    """All that a run works with. on_stage_done: called with the name of each stage that is done."""

    lake: Lake
    contract: Contract
    request: RunRequest
    source: Source
    checkpoint_root: str
    store: ReferenceStore
    sql: SqlSink
    push: Push
    on_stage_done: Callable[[str], None]
    _assets: dict[str, DataFrame] = field(default_factory=dict, init=False, repr=False)

    @property
    def with_gold(self) -> bool:
        """Say whether the stream is joined with a lookup; else the chain ends at silver."""
        return self.contract.stream == ENRICHED_STREAM and "assets" in self.request.lookups

    def prepare(self) -> None:
        """Make what is missing, and bring gold and SQL up to what silver already holds of the window."""
        create_silver(self.lake, self.contract)
        self.sql.prepare()
        if self.with_gold:
            create_gold(self.lake)
            if self.lake.exists(self._bronze) and _is_behind(
                self.counts([self.request.window_id])[self.request.window_id]
            ):
                self._rebuild_gold(self.request.window_id)

    def run_pass(self, known: BronzeProgress | None = None) -> BronzeProgress:
        """Read what the hub has now, and take it all the way. known: what this run's pass before gave."""
        stream, spark = self.request.stream, self.lake.spark
        progress = run_bronze_pass(spark, self.source, stream, self.checkpoint_root, known=known)
        self.on_stage_done("bronze")
        writer = spark.readStream.table(self._bronze).writeStream.foreachBatch(self._take)
        checkpoint = f"{self.checkpoint_root}/silver/{stream.name}"
        writer.option("checkpointLocation", checkpoint).trigger(availableNow=True).start().awaitTermination()
        return progress

    def rerun(self) -> None:
        """Make silver, gold, SQL and counts of the window anew from its bronze."""
        window_id = self.request.window_id
        found = records(events_of_windows(self.lake, self.contract.stream, [window_id]), self.contract)
        rewrite_silver(self.lake, self.contract, found.localCheckpoint(), window_id)
        self.on_stage_done("silver")
        if self.with_gold:
            self._rebuild_gold(window_id)
        self.recount([window_id])

    def counts(self, window_ids: Iterable[str]) -> dict[str, WindowCounts]:
        """Count windows in every table up to SQL."""
        sql = self.sql.count_trades if self.with_gold else None
        return count_windows(self.lake, self.contract.stream, window_ids, with_gold=self.with_gold, sql=sql)

    def recount(self, window_ids: Iterable[str]) -> dict[str, WindowCounts]:
        """Count windows and write their counts, with the verdict of those that are closed, to SQL."""
        counts = self.counts(window_ids)
        for window_id, found in counts.items():
            rows = as_rows(found, self.closed(window_id))
            self.sql.write_counts(window_id, self.contract.stream, rows)
        return counts

    def closed(self, window_id: str) -> Closed | None:
        """Read what the app wrote when a window ended; None while it is open."""
        document = self.store.read(marker_path(window_id))
        return None if document is None else parse_closed(document, self.contract.stream)

    def quarantine_reasons(self, limit: int = 3) -> list[tuple[str, int]]:
        """Give the window's most frequent reasons of quarantine with their rows."""
        found = quarantine_reasons(self.lake, self.contract.stream, self.request.window_id).limit(limit)
        return [(row["reason"], row["rows"]) for row in found.collect()]

    @property
    def _bronze(self) -> str:
        return f"bronze.{self.contract.stream}"

    def _take(self, events: DataFrame, number: int) -> None:
        """Take a batch of bronze through all stages; the checkpoint spares each of them the plan of the checks."""
        query = events.sparkSession.sparkContext.getLocalProperty("sql.streaming.queryId")
        self._stages(records(events, self.contract).localCheckpoint(eager=False), MicroBatch(str(query), number))

    def _stages(self, found: DataFrame, batch: MicroBatch) -> None:
        written = write_silver(self.lake, self.contract, found, batch)
        self.on_stage_done("silver")
        if self.with_gold:
            self._enrich(written, batch)
        self.recount(written.windows)
        self.on_stage_done("counts")

    def _enrich(self, written: Written, batch: MicroBatch) -> None:
        for window_id in to_enrich(written.windows, self.request.window_id):
            own = written.holders.where(F.col("window_id") == window_id)
            found = joined(own, self._assets_of(window_id))
            write_gold(self.lake, found)
            self.on_stage_done("gold")
            of_window = MicroBatch(f"{batch.query}/{window_id}", batch.number)
            self.sql.write_trades(found.enriched, of_window)
            self.on_stage_done("sql")
            self.push(found.enriched, of_window)

    def _rebuild_gold(self, window_id: str) -> None:
        found = joined(trades_of_window(self.lake, window_id), self._assets_of(window_id))
        rewrite_gold(self.lake, found, window_id)
        self.on_stage_done("gold")
        self.sql.rewrite_trades(found.enriched, window_id)
        self.on_stage_done("sql")

    def _assets_of(self, window_id: str) -> DataFrame:
        """Read a window's lookup once a run: it is written once."""
        if window_id not in self._assets:
            lookup = lookup_of(window_id, self.request, spark=self.lake.spark, store=self.store)
            self._assets[window_id] = assets_of(lookup).localCheckpoint()
        return self._assets[window_id]


def to_enrich(windows: Iterable[str], own: str) -> list[str]:
    """Choose the windows whose rows this run enriches: its own, and late rows of former ones.

    Rows of a later window wait for its own run, which has its own lookup and begins by catching up.
    """
    return sorted(window for window in windows if window <= own or "-" not in window)


def _is_behind(counts: WindowCounts) -> bool:
    joined_rows = (counts.enriched or 0) + sum((counts.unmatched or {}).values())
    return counts.silver_new != joined_rows or counts.enriched != counts.sql
