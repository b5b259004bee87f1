"""The stages of a run: events of all its streams into bronze, then by versions through silver and gold to SQL.

Each stage goes on from what its own tables say they have taken in. So a run that is killed anywhere continues, nothing
doubled and nothing lost, and does only what is behind.
"""

import gc
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lakehouse.cosmos_beside import CosmosBeside
from lakehouse.counting.counted import equations_of, stream_of
from lakehouse.counting.counts import Counting, Hole, WindowCounts
from lakehouse.counting.reconciling import Equations, as_rows
from lakehouse.follow import Passed
from lakehouse.lake.compiling import FEW_EVENTS, Compiling
from lakehouse.lake.progress import Progress
from lakehouse.lake.tables import Lake
from lakehouse.last_versions import write_last_versions
from lakehouse.pipelines.gold import Gold
from lakehouse.pipelines.pipeline import Pipeline
from lakehouse.pipelines.table import Table
from lakehouse.reference import ReferenceStore
from lakehouse.request import RunRequest, Stream, place_of
from lakehouse.sinks.push import PushingSink
from lakehouse.sinks.sql import SqlSink
from lakehouse.sources.reading import Source
from lakehouse.streams.bronze import BronzeProgress, create_bronze_table, run_bronze_pass
from lakehouse.streams.missing import missing_numbers
from lakehouse.streams.silver import Silver
from lakehouse.streams.silver_tables import SilverTables
from lakehouse.window import Closed, InvalidMarker, marker_path, parse_closed

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chain:
    """All that a run works with.

    silver: of each stream. beside: of streams that the pipeline is made of and the run does not read; their tables must
    be there all the same. gold: of the pipeline, which has no tables where the feed ends at silver. publisher: SQL, or
    SQL and a push dataset. cosmos: what is read beside the hubs. on_stage_done: called with the name of each stage that
    is done.
    """

    lake: Lake
    request: RunRequest
    source: Source
    checkpoint_root: str
    store: ReferenceStore
    silver: Mapping[str, Silver]
    beside: Sequence[Silver]
    pipeline: Pipeline
    gold: Gold
    sql: SqlSink
    publisher: SqlSink | PushingSink
    counting: Counting
    compiling: Compiling
    cosmos: CosmosBeside
    on_stage_done: Callable[[str], None] = lambda _: None
    _streams: dict[str, Stream] = field(default_factory=dict, init=False, repr=False)
    _bronze: dict[str, BronzeProgress] = field(default_factory=dict, init=False, repr=False)
    _touched: set[str] = field(default_factory=set, init=False, repr=False)

    def prepare(self) -> None:
        """Make what is missing, and bring silver, gold and SQL up to what bronze has."""
        self._streams.update({stream.name: stream for stream in self.request.streams})
        for name in self._streams:
            create_bronze_table(self.lake, name)
        for silver in (*self.silver.values(), *self.beside):
            silver.prepare()
        self.cosmos.prepare()
        self.publisher.prepare(self._published())
        self.gold.prepare()
        self._touched.update({self.request.window_id}, *map(self._changed_since_counted, self.silver))

    def run_pass(self) -> Passed:
        """Read what the hubs have now, and take it all the way; tables of days wait till windows are counted.

        How the session reads the hubs suits the pass before, the rest what was read.
        """
        # What holds a Java object is a cycle once a method of it was called: too small for Python's collector to look
        # at soon, and in the JVM a query's session with its plans and broadcast tables.
        gc.collect()
        for name, stream in self._streams.items():
            known = self._bronze.get(name)
            self._bronze[name] = run_bronze_pass(self.lake, self.source, stream, self.checkpoint_root, known=known)
        self.on_stage_done("bronze")
        self.compiling.suit(sum(progress.bytes_read for progress in self._bronze.values()))
        self._take()
        rows = sum(progress.rows_read for progress in self._bronze.values())
        return Passed(rows, {name: one.last_sequence_numbers for name, one in self._bronze.items()})

    def rerun(self) -> None:
        """Make silver, gold and SQL of the window anew from its bronze."""
        window_id = self.request.window_id
        for silver in self.silver.values():
            self._touched.update(silver.rerun(window_id))
        self.on_stage_done("silver")
        self._touched.update(self.gold.rerun(window_id))
        self.on_stage_done("gold")

    def closed(self) -> Mapping[str, Closed] | None:
        """Read what the app wrote when the window ended, by stream; None while it is open.

        A hub that was made anew since the run began is read from its first event on.
        """
        found = self._closed_of(self.request.window_id)
        for name, end in (found or {}).items():
            stream = self._streams[name]
            self._streams[name] = stream.made({stream.hub: end.created_at, **end.further_created})
        return found

    def recount(self) -> None:
        """Bring the tables of days up, and the counts of the windows that changed since, and write them to SQL."""
        self._touched.update(self.gold.run_pass(self.request.window_id))
        self._count()
        self.on_stage_done("counts")

    def finish(self) -> Mapping[str, WindowCounts]:
        """Count the window and others that changed in the tables themselves, write that, and note all progress.

        The tables of days wait for this.
        """
        own = self.request.window_id
        self._touched.update(self.gold.run_pass(own))
        self._touched.update(*map(self._drained_since_counted, self.silver))
        self._suit_a_count()
        self.counting.forget()
        self._touched.add(own)
        found = self._count()
        self.gold.note()
        self.lake.note_all()
        write_last_versions(self.lake, self.request.feed, self._following())
        for stream in self.silver:
            versions = {name: self.lake.version(name) for name in self._tables_of(stream)}
            self.sql.record(f"{_COUNTED}/{stream}", Progress(versions))
        self.on_stage_done("counts")
        return {name: found[own, name] for name in self.silver}

    def equations_of(self, stream: str) -> Equations:
        """Say what must hold of a stream's tables."""
        return equations_of(stream, self.pipeline)

    def _changed_since_counted(self, stream: str) -> set[str]:
        """Name the windows that a run changed which was killed before it could count them."""
        counted = self.sql.progress_of(f"{_COUNTED}/{stream}")
        versions = counted.versions if counted else {}
        there = [name for name in self._tables_of(stream) if name in versions]
        spans = [self.lake.changes(name, versions[name]) for name in there]
        rows = [span.rows.select("window_id").distinct() for span in spans if not (span.whole or span.is_empty)]
        return {row[0] for found in rows for row in found.collect()}

    def _drained_since_counted(self, stream: str) -> set[str]:
        """Name the windows whose spill became another since they were counted: what was discarded touches no table."""
        hubs = self.sql.unsettled_spill(stream)
        cosmos = self.sql.in_spill_of_cosmos(stream) if stream in self.cosmos.silver else {}
        ends = {window: (self._closed_of(window) or {}).get(stream) for window in {*hubs, *cosmos}}
        known = {window: (hubs.get(window, {}), cosmos.get(window, 0)) for window in ends}
        return {
            window
            for window, end in ends.items()
            if end and (end.spill.unsettled, end.waiting_for_cosmos) != known[window]
        }

    def _take(self) -> None:
        for silver in self.silver.values():
            self._touched.update(silver.run_pass())
        self._touched.update(self.cosmos.run_pass())
        self.on_stage_done("silver")
        self._touched.update(self.gold.run_pass(self.request.window_id, without_days=True))
        self.on_stage_done("gold")

    def _suit_a_count(self) -> None:
        """Choose by the events that the hubs ever had, as their newest numbers tell; a run that read none can't say."""
        if len(self._bronze) < len(self._streams):
            self.compiling.as_set()
            return
        lasts = [last for one in self._bronze.values() for last in one.last_sequence_numbers.values()]
        self.compiling.suit(sum(lasts) + len(lasts), FEW_EVENTS)

    def _count(self) -> dict[tuple[str, str], WindowCounts]:
        closed = self._ends_before_cosmos()
        windows = sorted(closed)
        self.counting.refresh(windows)
        found = {(window, stream): self._counts_of(window, stream) for window in windows for stream in self.silver}
        self.sql.write_counts(
            {
                (window, stream): as_rows(counts, closed[window].get(stream), self.equations_of(stream))
                for (window, stream), counts in found.items()
            }
        )
        self._touched.clear()
        return found

    def _ends_before_cosmos(self) -> dict[str, dict[str, Closed]]:
        """Read the ends of the windows to count, and then what was written to Cosmos DB after the last pass.

        In this order: else what its spill gives back in between would be neither in the spill nor there.
        """
        ends = {window: self._closed_of(window) or {} for window in self._touched}
        while new := self.cosmos.run_pass() - ends.keys():
            ends |= {window: self._closed_of(window) or {} for window in new}
        return ends

    def _counts_of(self, window_id: str, stream: str) -> WindowCounts:
        published = self.equations_of(stream).published
        sql = {table.sql: self.sql.count(table, window_id) for table in self._published() if table.name in published}
        holes = self._holes(stream) if window_id == self.request.window_id else ()
        beside = self.cosmos.of(window_id, stream)
        return replace(self.counting.of(window_id, stream), sql=sql, holes=holes, cosmos=beside)

    def _holes(self, stream: str) -> Sequence[Hole]:
        found = missing_numbers(self.lake, stream, self.request.start)
        return [Hole(place_of(hub, partition), first, last) for hub, _, partition, first, last in found]

    def _closed_of(self, window_id: str) -> dict[str, Closed] | None:
        """Read a window's marker; one that can't be read must not hold up rows that are safe: it counts as none."""
        document = self.store.read(marker_path(window_id))
        if document is None:
            return None
        try:
            return {name: parse_closed(document, name) for name in self.silver}
        except InvalidMarker as error:
            logger.warning("lakehouse.marker_unreadable window=%s reason=%s", window_id, error)
            return None

    def _tables_of(self, stream: str) -> Iterator[str]:
        """Name the tables whose changes say which windows of a stream are to be counted again."""
        yield from SilverTables(stream).all
        yield from self.cosmos.tables_of(stream)
        for table in self.pipeline.tables:
            if table.has_windows and stream_of(table, self.pipeline) == stream:
                yield table.lake_name

    def _following(self) -> list[str]:
        """Name the tables that are made of others."""
        of_streams = [name for stream in self.silver for name in SilverTables(stream).all]
        return [*of_streams, *(table.lake_name for table in self.pipeline.tables)]

    def _published(self) -> list[Table]:
        return [table for table in self.pipeline.tables if table.sql]


_COUNTED = "window_counts"
"""Under this name and the stream's, SQL remembers up to where windows were counted."""
