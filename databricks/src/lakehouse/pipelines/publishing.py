"""Up to which version of a gold table each target has it, and what it is still to be told."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lakehouse.lake.progress import Progress
from lakehouse.lake.tables import Lake
from lakehouse.pipelines.kept import kept
from lakehouse.pipelines.kinds.kind import OWN_ROWS, Changed, Inputs, Rewritten
from lakehouse.pipelines.kinds.per_row import PerRow
from lakehouse.pipelines.spans import Span, Spans
from lakehouse.pipelines.table import Table
from lakehouse.pipelines.targets.target import Target


@dataclass(frozen=True, slots=True)
class Publishing:
    """The targets beside Delta. A target's progress names the version of the gold table whose rows it has.

    So it needs no look at silver, nor at old lookups, to be brought up: the gold table's own changes say it all.
    """

    lake: Lake
    targets: Sequence[Target]
    _at: dict[tuple[int, str], int | None] = field(default_factory=dict, init=False, repr=False)

    def catch_up(self, table: Table, spans: Spans) -> frozenset[str]:
        """Tell targets what a process before this one did not come to tell them; gives the windows of these rows."""
        behind = [number for number in self._of(table) if not self._is_level(number, table)]
        return frozenset[str]().union(*[self._tell(number, table, spans) for number in behind])

    def write(self, table: Table, rewritten: Rewritten) -> None:
        """Write what Delta has just been given, to targets that had all of the table before."""
        for number in self._of(table):
            self._write(number, table, rewritten, self.lake.version(table.lake_name))

    def note(self, table: Table) -> None:
        """Note the table's progress in Delta, a commit that tells targets nothing new."""
        level = [number for number in self._of(table) if self._is_level(number, table)]
        self.lake.note(table.lake_name)
        for number in level:
            self._at[number, table.name] = self.lake.version(table.lake_name)

    def _of(self, table: Table) -> range:
        return range(len(self.targets) if table.sql else 0)

    def _is_level(self, number: int, table: Table) -> bool:
        return self._version(number, table) == self.lake.version(table.lake_name)

    def _version(self, number: int, table: Table) -> int | None:
        if (number, table.name) not in self._at:
            progress = self.targets[number].progress(table)
            self._at[number, table.name] = progress.versions.get(table.lake_name) if progress else None
        return self._at[number, table.name]

    def _tell(self, number: int, table: Table, spans: Spans) -> frozenset[str]:
        span = spans.after(table.lake_name, self._version(number, table))
        with kept(self._rewritten(table, span), table) as rewritten:
            self._write(number, table, rewritten, span.to)
        return span.windows

    def _rewritten(self, table: Table, span: Span) -> Rewritten | None:
        """The target is a copy row by row. What a target has that the table never had, nobody can tell."""
        if not span.found:
            return None
        name, columns = table.lake_name, [column.name for column in table.columns]
        rows = {name: self.lake.read(name), OWN_ROWS: self.lake.read(name).limit(0)}
        changed = Changed(span.rows, span.only_inserts, span.whole)
        inputs = Inputs(
            {name: changed}, rows.__getitem__, table.key, table.time, {name: dict(zip(columns, columns, strict=True))}
        )
        return PerRow(name).rewritten(inputs, lambda given: given[name].select(*columns))

    def _write(self, number: int, table: Table, rewritten: Rewritten | None, version: int) -> None:
        if rewritten is not None:
            self.targets[number].write(table, rewritten, Progress({table.lake_name: version}))
        self._at[number, table.name] = version
