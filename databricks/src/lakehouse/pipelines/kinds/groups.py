"""Tables whose rows depend on other rows of their group, such as the attendances of one call."""

from dataclasses import dataclass
from datetime import timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.pipelines.kinds.keys import matching, own_keys
from lakehouse.pipelines.kinds.kind import OWN_ROWS, Inputs, MakeRows, NewRows, Rewritten, RowsOfKeys
from lakehouse.pipelines.kinds.near import Span, between, span_around
from lakehouse.pipelines.spans import WINDOW


@dataclass(frozen=True, slots=True)
class Groups:
    """The rows of a group are made anew, all of them, where some of its rows in the stream changed, came or went.

    by: the stream's columns that are equal within a group; the table repeats each (`Column.of`). time: the stream's
    column of a row's own time, which the table's `time` repeats. within: how far apart in time the rows of a group are
    at most: they are looked for so near to the changed ones, however long the history is. What lies further away is
    not found, and is as if it were another group's.
    """

    stream: str
    by: tuple[str, ...]
    time: str
    within: timedelta

    @property
    def follows(self) -> tuple[str, ...]:
        """Name the stream."""
        return (self.stream,)

    def rewritten(self, inputs: Inputs, build: MakeRows) -> Rewritten | None:
        """Give rows of groups that the table has none of as new ones, else all rows that the groups have and had."""
        changed = inputs.changes[self.stream]
        if changed.whole:
            rows = build({})
            return RowsOfKeys(rows, own_keys(rows, inputs).unionByName(own_keys(inputs.read(OWN_ROWS), inputs)))
        span = changed.around(self.time, self.within)
        return self._of_groups(changed.rows.select(*self.by, self.time), span, inputs, build)

    def of_window(self, window: str, inputs: Inputs, build: MakeRows) -> Rewritten | None:
        """Do the same for the groups that have or had a row of a window."""
        own = {of: F.col(name).alias(of) for name, of in inputs.repeats[self.stream].items()}
        there = inputs.read(self.stream).select(*self.by, self.time, WINDOW)
        had = inputs.read(OWN_ROWS).select(*[own[name] for name in (*self.by, self.time)], WINDOW)
        touched = there.unionByName(had).where(F.col(WINDOW) == window).drop(WINDOW)
        return self._of_groups(touched, span_around(touched, self.time, self.within), inputs, build)

    def _of_groups(self, touched: DataFrame, span: Span | None, inputs: Inputs, build: MakeRows) -> Rewritten | None:
        if span is None:
            return None
        names = {of: name for name, of in inputs.repeats[self.stream].items()}
        groups = {names[name]: name for name in self.by}
        there = matching(between(inputs.read(self.stream), self.time, span), touched, {name: name for name in self.by})
        had = matching(between(inputs.read(OWN_ROWS), inputs.time, span), touched, groups)
        rows = build({self.stream: there})
        if had.isEmpty():
            return NewRows(rows)
        return RowsOfKeys(rows, own_keys(rows, inputs).unionByName(own_keys(had, inputs)))
