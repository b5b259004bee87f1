"""Brings a pipeline's gold tables, and what they are published to, up to what silver holds.

A table says in its own commits up to where it accounts for its streams, and a target up to which version of the table:
so a process that was killed anywhere is followed by one that does what is left, and nothing twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pyspark.sql import functions as F

from lakehouse.lake.progress import Progress
from lakehouse.lake.tables import Lake
from lakehouse.lookups import Lookups
from lakehouse.pipelines.arrivals import Arrivals, arrivals, arrivals_by_window, arrivals_of_lookup, as_new, silver
from lakehouse.pipelines.kept import kept
from lakehouse.pipelines.kinds.kind import Inputs, Rewritten, RowsOfValues
from lakehouse.pipelines.kinds.per_row import PerRow
from lakehouse.pipelines.making import Making
from lakehouse.pipelines.pipeline import Pipeline
from lakehouse.pipelines.publishing import Publishing
from lakehouse.pipelines.renewing import renewed
from lakehouse.pipelines.spans import WINDOW, Spans, spans_of
from lakehouse.pipelines.table import Table
from lakehouse.pipelines.targets.delta import DeltaTarget
from lakehouse.pipelines.targets.target import Target


@dataclass(frozen=True, slots=True)
class Gold:
    """The gold tables of one pipeline. targets: what the tables with a name in SQL are published to."""

    lake: Lake
    pipeline: Pipeline
    lookups: Lookups
    targets: Sequence[Target] = ()
    _publishing: Publishing = field(init=False, repr=False)
    _new: set[str] = field(default_factory=set, init=False, repr=False)
    _renewed: set[str] = field(default_factory=set, init=False, repr=False)

    def __post_init__(self) -> None:
        """Begin to remember what the targets have."""
        object.__setattr__(self, "_publishing", Publishing(self.lake, self.targets))

    def prepare(self) -> None:
        """Make the tables where they are not there yet, and add the columns that they lack."""
        for table in self.pipeline.tables:
            if not self.lake.exists(table.lake_name):
                self._new.add(table.name)
            self.lake.create(table.lake_name, table.schema, table.clustered_by or table.key, table.comment)

    def run_pass(self, own_window: str) -> frozenset[str]:
        """Take in what silver has changed; gives the windows whose rows may be others now, in gold or in a target."""
        with spans_of(self.lake) as spans:
            return frozenset[str]().union(*[self._bring_up(table, own_window, spans) for table in self.pipeline.tables])

    def rerun(self, own_window: str) -> None:
        """Make a window's rows anew of silver, whatever became of them; tables without windows are made anew whole."""
        self.run_pass(own_window)
        with spans_of(self.lake) as spans:
            for table in self.pipeline.tables:
                self._make_anew(table, own_window, spans)

    def note(self) -> None:
        """Write down up to where tables account for silver, though no row of theirs had to change."""
        for table in self.pipeline.tables:
            self._publishing.note(table)

    def _bring_up(self, table: Table, own_window: str, spans: Spans) -> frozenset[str]:
        published = self._publishing.catch_up(table, spans)
        self._renew(table)
        before = self.lake.progress(table.lake_name)
        came = self._arrivals(table, before, own_window, spans)
        if before is None and table.name in self._new:
            came = as_new(came)
        if came.is_news:
            self._write(table, self._rewritten(table, came, own_window), came.progress)
            return published | came.touched
        if came.progress != before:
            self.lake.advance(table.lake_name, came.progress)
        return published

    def _renew(self, table: Table) -> None:
        """Bring tokens up to the newest key, once a process: it is given its keys at its beginning."""
        if table.name in self._renewed:
            return
        self._renewed.add(table.name)
        rows = renewed(self.lake, table, self.lookups)
        if rows is not None:
            self._write(table, rows, self.lake.progress(table.lake_name) or Progress())

    def _make_anew(self, table: Table, own_window: str, spans: Spans) -> None:
        before = self.lake.progress(table.lake_name) or Progress()
        if isinstance(table.kind, PerRow) and WINDOW in table.schema.names:
            self._write(table, self._of_window(table, table.kind.stream, own_window), before)
            return
        came = self._arrivals(table, None, own_window, spans)
        if all(came.progress.source[lookup] >= window for lookup, window in before.source.items()):
            self._write(table, self._rewritten(table, came, own_window), came.progress)

    def _of_window(self, table: Table, stream: str, window: str) -> Rewritten:
        rows = self.lake.read(silver(stream)).where(F.col(WINDOW) == window)
        making = Making(self.lake, self.lookups, table, window, frozenset({window}))
        return RowsOfValues(making.rows({stream: rows}), WINDOW, (window,))

    def _arrivals(self, table: Table, before: Progress | None, own_window: str, spans: Spans) -> Arrivals:
        for lookup in filter(self.lookups.has, table.kind.follows):
            return arrivals_of_lookup(table, before, self.lookups.edition(lookup, own_window))
        if any(map(self.lookups.has, table.inputs)):
            return arrivals_by_window(table, before, own_window, spans)
        return arrivals(table, before, spans)

    def _rewritten(self, table: Table, came: Arrivals, own_window: str) -> Rewritten | None:
        making = Making(self.lake, self.lookups, table, own_window, came.windows)
        inputs = Inputs(came.changes, making.read, table.key, table.time, table.repeats, making.editions)
        return table.kind.rewritten(inputs, making.rows)

    def _write(self, table: Table, rewritten: Rewritten | None, progress: Progress) -> None:
        """Delta comes first: what a target misses is found in the table's own changes."""
        with kept(rewritten, table) as ready:
            if ready is None:
                self.lake.advance(table.lake_name, progress)
                return
            DeltaTarget(self.lake).write(table, ready, progress)
            self._publishing.write(table, ready)
