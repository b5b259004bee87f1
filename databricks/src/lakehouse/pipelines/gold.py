"""Brings a pipeline's tables, and what they are published to, up to what silver holds.

A table says in its own commits up to where it accounts for the streams and tables that it is made of, and a target up
to which version of the table: so a process that was killed anywhere is followed by one that does what is left, and
nothing twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from lakehouse.lake.progress import Progress
from lakehouse.lake.tables import Lake
from lakehouse.lookups import Lookups
from lakehouse.pipelines.arrivals import (
    Arrivals,
    arrivals,
    arrivals_by_window,
    arrivals_of_lookup,
    as_new,
    with_files,
)
from lakehouse.pipelines.kept import kept
from lakehouse.pipelines.kinds.day import Day
from lakehouse.pipelines.kinds.days_onward import DaysOnward
from lakehouse.pipelines.kinds.groups import Groups
from lakehouse.pipelines.kinds.kind import Rewritten
from lakehouse.pipelines.kinds.per_row import PerRow
from lakehouse.pipelines.kinds.totals import Totals
from lakehouse.pipelines.making import Making
from lakehouse.pipelines.pipeline import Pipeline
from lakehouse.pipelines.publishing import Publishing
from lakehouse.pipelines.renewing import renewed
from lakehouse.pipelines.spans import Spans, spans_of
from lakehouse.pipelines.table import Table
from lakehouse.pipelines.targets.delta import DeltaTarget
from lakehouse.pipelines.targets.target import Target


@dataclass(frozen=True, slots=True)
class Gold:
    """The tables of one pipeline. targets: what the tables with a name in SQL are published to."""

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
            clustered, by = table.clustered_by or table.key, table.partitioned_by
            self.lake.create(table.lake_name, table.schema, clustered, table.comment, partitioned_by=by)

    def run_pass(self, own_window: str, *, without_days: bool = False) -> frozenset[str]:
        """Take in what silver has changed; gives the windows whose rows may be others now, in gold or in a target.

        without_days: leave tables of whole days, and totals, as they are, which cost the same for one new row as for
        all of a day.
        """
        late = (Day, DaysOnward, Totals)
        tables = [one for one in self.pipeline.in_order() if not (without_days and isinstance(one.kind, late))]
        with spans_of(self.lake) as spans:
            return frozenset[str]().union(*[self._bring_up(one, own_window, spans) for one in tables])

    def rerun(self, own_window: str) -> frozenset[str]:
        """Make a window's rows anew of silver, whatever became of them; tables without windows are made anew whole.

        Gives the windows whose rows may be others now.
        """
        touched: frozenset[str] = frozenset()
        with spans_of(self.lake) as spans:
            for table in self.pipeline.in_order():
                touched |= self._bring_up(table, own_window, spans)
                version = self.lake.version(table.lake_name)
                self._make_anew(table, own_window, spans)
                touched |= self._rewritten_beside(table, version, spans)
        return touched

    def note(self) -> None:
        """Write down up to where tables account for others, though no row of theirs had to change."""
        noted: dict[str, tuple[int, int]] = {}
        for table in self.pipeline.in_order():
            self._pass_over(noted, table)
            before = self.lake.version(table.lake_name)
            self._publishing.note(table)
            noted[table.lake_name] = (before, self.lake.version(table.lake_name))

    def _pass_over(self, noted: Mapping[str, tuple[int, int]], table: Table) -> None:
        """Have a table account for the notes of those that it is made of, which else would be news to the next run."""
        progress = self.lake.progress(table.lake_name)
        versions = dict(progress.versions) if progress else {}
        seen = {name: after for name, (before, after) in noted.items() if versions.get(name) == before}
        if progress and seen:
            self.lake.advance(table.lake_name, replace(progress, versions={**versions, **seen}))

    def _bring_up(self, table: Table, own_window: str, spans: Spans) -> frozenset[str]:
        published = self._publishing.catch_up(table, spans)
        self._renew(table)
        before = self.lake.progress(table.lake_name)
        came = self._arrivals(table, before, own_window, spans)
        is_new = before is None and table.name in self._new
        if is_new:
            came = as_new(came)
        if came.is_news:
            version = self.lake.version(table.lake_name)
            self._write(table, self._rewritten(table, came, own_window, is_new=is_new), came.progress)
            return published | came.touched | self._rewritten_beside(table, version, spans)
        if came.progress != before:
            self.lake.advance(table.lake_name, came.progress)
        return published

    def _rewritten_beside(self, table: Table, version: int, spans: Spans) -> frozenset[str]:
        """Name the windows of rows that were rewritten since others changed; where each is of its own, there are none.

        Who follows the table looks at the same span of it.
        """
        if isinstance(table.kind, PerRow) or not table.has_windows:
            return frozenset()
        return spans.after(table.lake_name, version).windows

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
        if isinstance(table.kind, PerRow | Groups) and table.has_windows:
            making = self._making(table, own_window, frozenset({own_window}))
            self._write(table, table.kind.of_window(own_window, making.inputs({}), making.rows), before)
            return
        came = self._arrivals(table, None, own_window, spans)
        if isinstance(table.kind, Totals) or all(
            came.progress.source[lookup] >= window for lookup, window in before.source.items()
        ):
            self._write(table, self._rewritten(table, came, own_window), came.progress)

    def _arrivals(self, table: Table, before: Progress | None, own_window: str, spans: Spans) -> Arrivals:
        if isinstance(table.kind, Totals):
            files = {name: self.lookups.path(name, None) for name in table.kind.lookups}
            streams = [one.name for one in table.kind.made_of]
            return with_files(arrivals(streams, before, spans, self.pipeline.lake_name), files)
        for lookup in filter(self.lookups.has, table.kind.follows):
            return arrivals_of_lookup(table, before, self.lookups.edition(lookup, own_window))
        if any(map(self.lookups.has, table.inputs)):
            return arrivals_by_window(table, before, own_window, spans, self.pipeline.lake_name)
        return arrivals(table.kind.follows, before, spans, self.pipeline.lake_name)

    def _rewritten(self, table: Table, came: Arrivals, own_window: str, *, is_new: bool = False) -> Rewritten | None:
        making = self._making(table, own_window, came.windows)
        return table.kind.rewritten(making.inputs(came.changes, is_new=is_new), making.rows)

    def _making(self, table: Table, own_window: str, windows: frozenset[str | None]) -> Making:
        return Making(self.lake, self.lookups, self.pipeline.lake_name, table, own_window, windows)

    def _write(self, table: Table, rewritten: Rewritten | None, progress: Progress) -> None:
        """Delta comes first: what a target misses is found in the table's own changes."""
        with kept(rewritten, table) as ready:
            if ready is None:
                self.lake.advance(table.lake_name, progress)
                return
            DeltaTarget(self.lake).write(table, ready, progress)
            self._publishing.write(table, ready)
