"""Bronze into silver: records opened, checked and typed, one row per key; bad ones and duplicates kept beside it.

Quarantine and duplicates are committed before the rows, for a row that is displaced is no longer to be seen afterwards.
Each commit says up to which version of bronze its table accounts for it: after a kill between two of them the same
span of bronze is decided again, on the same rows, and only the tables that lack it are written.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from lakehouse.lake.progress import Progress
from lakehouse.lake.tables import CHANGE, INSERT, Lake, of_window, on_columns
from lakehouse.streams.bounds import Batch, summed_up, within
from lakehouse.streams.contract import Contract
from lakehouse.streams.deciding import (
    DISPLACES,
    HELD,
    LOSES,
    NEW,
    OUTCOME,
    PLACE,
    UNNAMED,
    decided,
    displaced,
    holders,
    losers,
    without_known,
)
from lakehouse.streams.events import events_of_windows
from lakehouse.streams.silver_tables import QUARANTINE, SilverTables, contract_mark, prepare_silver
from lakehouse.streams.spans import Positions, Span, next_span
from lakehouse.streams.versions import Versions, records


@dataclass(frozen=True, slots=True)
class Silver:
    """A stream's way from bronze to silver. on_commit: called with the name of each table that was written."""

    lake: Lake
    feed: str
    versions: Versions
    on_commit: Callable[[str], None] = lambda _table: None

    @property
    def tables(self) -> SilverTables:
        """Name its tables."""
        return SilverTables(self.versions.stream)

    @property
    def bronze(self) -> str:
        """Name the table that it takes in."""
        return f"bronze.{self.versions.stream}"

    def prepare(self) -> None:
        """Make or upgrade the tables; raises ContractError for all that can't be, in one message."""
        prepare_silver(self.lake, self.versions)

    def run_pass(self) -> frozenset[str]:
        """Take in what bronze has and silver has not; give the windows whose rows or counts that changed."""
        touched: frozenset[str] = frozenset()
        while (span := self._next_span()) is not None:
            touched |= self._take(span)
        return touched

    def rerun(self, window_id: str) -> frozenset[str]:
        """Put a window's records, opened and checked anew, in the place of what the tables hold of it.

        Gives the windows whose rows or counts changed: it, those of a pass before it, and those of displaced rows.
        """
        touched = self.run_pass()
        events = events_of_windows(self.lake.read(self.bronze), self.feed, [window_id])
        with _kept(records(events, self.feed, self.versions)) as found:
            return touched | {window_id} | self._rewrite(found, window_id)

    @property
    def _contract(self) -> Contract:
        return self.versions.newest

    def _next_span(self) -> Span | None:
        if not self.lake.exists(self.bronze):
            return None
        positions = Positions(*map(self._position, (self.tables.quarantine, self.tables.duplicates, self.tables.rows)))
        return next_span(positions, self.lake.version(self.bronze))

    def _position(self, name: str) -> int | None:
        progress = self.lake.progress(name)
        return progress.versions.get(self.bronze) if progress else None

    def _take(self, span: Span) -> frozenset[str]:
        changes = self.lake.changes(self.bronze, span.after, span.to)
        if changes.whole:
            span = Span(None, self.lake.version(self.bronze))
        events = changes.rows.where(F.col(CHANGE) == INSERT)
        with _kept(records(events, self.feed, self.versions)) as found:
            return self._write(found, span)

    def _write(self, found: DataFrame, span: Span) -> frozenset[str]:
        batch = summed_up(found, self._contract)
        if not span.has_quarantine:
            self._set_aside(self.tables.quarantine, _quarantined(found), span, is_any=batch.bad > 0)
        if not batch.good or self._all_are_new(found, batch):
            self._append_all(found, batch, span)
            return batch.windows
        outcome = decided(_good(found), self._held(batch), self._contract)
        totals = _totals(outcome)
        if not span.has_duplicates:
            lost = losers(outcome, self._contract).unionByName(displaced(outcome))
            self._set_aside(self.tables.duplicates, lost, span, is_any=totals[LOSES] + totals[DISPLACES] > 0)
        if totals[DISPLACES]:
            self._merge(holders(outcome), batch, span)
        else:
            self._append(self.tables.rows, holders(outcome), span, is_any=totals[NEW] > 0)
        return batch.windows | frozenset(totals["windows"])

    def _all_are_new(self, found: DataFrame, batch: Batch) -> bool:
        """Say whether no key is there twice: mostly so, and much cheaper to see than to decide record by record."""
        if batch.keys != batch.good or self.lake.is_blank(self.tables.rows):
            return batch.keys == batch.good
        keys = _good(found).select(*self._contract.key)
        known = self._held(batch).join(keys, list(self._contract.key), "left_semi")
        return known.isEmpty()

    def _append_all(self, found: DataFrame, batch: Batch, span: Span) -> None:
        rows = _good(found).select(*self._contract.silver_columns)
        if not span.has_duplicates:
            self.lake.advance(self.tables.duplicates, self._progress(span.to))
        self._append(self.tables.rows, rows, span, is_any=batch.good > 0)

    def _set_aside(self, name: str, rows: DataFrame, span: Span, *, is_any: bool) -> None:
        """Append to quarantine or duplicates; where it is not known what they have, only places that they lack."""
        lacking = without_known(rows, self.lake.read(name)) if span.after is None and is_any else rows
        self._append(name, lacking, span, is_any=is_any)

    def _append(self, name: str, rows: DataFrame, span: Span, *, is_any: bool) -> None:
        if is_any:
            self.lake.append(name, rows, self._progress(span.to))
            self.on_commit(name)
        else:
            self.lake.advance(name, self._progress(span.to))

    def _merge(self, rows: DataFrame, batch: Batch, span: Span) -> None:
        merge = self.lake.delta(self.tables.rows).alias("t")
        on = F.expr(on_columns(self._contract.key)) & within(batch, self._contract, "t.")
        builder = merge.merge(rows.alias("s"), on).whenMatchedUpdateAll().whenNotMatchedInsertAll()
        self.lake.merge(self.tables.rows, builder, self._progress(span.to))
        self.on_commit(self.tables.rows)

    def _held(self, batch: Batch) -> DataFrame:
        return self.lake.read(self.tables.rows).where(within(batch, self._contract))

    def _progress(self, to: int) -> Progress:
        return Progress({self.bronze: to, contract_mark(self.versions.stream): self._contract.version})

    def _rewrite(self, found: DataFrame, window_id: str) -> frozenset[str]:
        batch, own = summed_up(found, self._contract), of_window(window_id)
        others = self._held(batch).where(F.col("window_id") != window_id)
        outcome = decided(_good(found), others, self._contract).localCheckpoint()
        now = self._progress(self.lake.version(self.bronze))
        for name, rows in (
            (self.tables.quarantine, _quarantined(found)),
            (self.tables.duplicates, losers(outcome, self._contract)),
            (self.tables.rows, holders(outcome)),
        ):
            self.lake.replace(name, rows, own, now)
            self.on_commit(name)
        totals = _totals(outcome)
        if totals[DISPLACES]:
            self._move(displaced(outcome), now)
        return frozenset(totals["windows"])

    def _move(self, rows: DataFrame, now: Progress) -> None:
        """Take rows of other windows from silver to the duplicates."""
        for name in (self.tables.duplicates, self.tables.rows):
            merge = self.lake.delta(name).alias("t").merge(rows.alias("s"), _same_place())
            moved = merge.whenNotMatchedInsertAll() if name == self.tables.duplicates else merge.whenMatchedDelete()
            self.lake.merge(name, moved, now)
            self.on_commit(name)


def quarantine_reasons(lake: Lake, stream: str, window_id: str) -> DataFrame:
    """Give (reason, rows) of a window's quarantine, the most frequent first."""
    of_window = lake.read(SilverTables(stream).quarantine).where(F.col("window_id") == window_id)
    return of_window.groupBy("reason").agg(F.sum("rows").alias("rows")).orderBy(F.desc("rows"), "reason")


@contextmanager
def _kept(rows: DataFrame) -> Iterator[DataFrame]:
    """Keep rows while they are read several times: to open and check them anew is the dearest part of a pass."""
    kept = rows.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        yield kept
    finally:
        kept.unpersist()


def _totals(outcome: DataFrame) -> Row:
    counted = [F.count_if(F.col(OUTCOME) == one).alias(one) for one in (NEW, LOSES, DISPLACES)]
    windows = F.collect_set(F.col(HELD)["window_id"]).alias("windows")
    (row,) = outcome.agg(*counted, windows).collect()
    return row


def _good(found: DataFrame) -> DataFrame:
    return found.where(F.col("reason").isNull())


def _quarantined(found: DataFrame) -> DataFrame:
    bad = found.where(F.col("reason").isNotNull()).withColumn("quarantined_at", F.current_timestamp())
    return bad.select(*QUARANTINE.names)


def _same_place() -> Column:
    unnamed = [F.coalesce(f"t.{name}", F.lit("")) == F.coalesce(f"s.{name}", F.lit("")) for name in UNNAMED]
    return reduce(Column.__and__, unnamed) & F.expr(on_columns([name for name in PLACE if name not in UNNAMED]))
