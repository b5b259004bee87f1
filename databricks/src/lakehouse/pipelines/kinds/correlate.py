"""Tables of pairs: rows of two streams that lie close to each other in time."""

from dataclasses import dataclass
from datetime import timedelta

from pyspark.sql import DataFrame

from lakehouse.pipelines.kinds.keys import key_columns, keys_of, matching, own_keys, rows_of
from lakehouse.pipelines.kinds.kind import OWN_ROWS, Changed, Inputs, MakeRows, NewRows, Rewritten, RowsOfKeys
from lakehouse.pipelines.kinds.near import Span, between


@dataclass(frozen=True, slots=True)
class Correlate:
    """The pairs of changed rows of either side are made anew of the other side's rows within a time of them.

    left_time, right_time: the streams' columns. The table's key has the key of either side (`Column.of`); whether two
    rows are a pair, and what it says, depends on these two alone, and they are never further apart than `within`.
    """

    left: str
    right: str
    within: timedelta
    left_time: str
    right_time: str

    @property
    def follows(self) -> tuple[str, ...]:
        """Name both streams."""
        return (self.left, self.right)

    def rewritten(self, inputs: Inputs, build: MakeRows) -> Rewritten | None:
        """Give the pairs of new rows as such; where others changed too, the pairs that they have and had."""
        changes = [inputs.changes[stream] for stream in self.follows]
        if any(changed.whole for changed in changes):
            rows = build({})
            return RowsOfKeys(rows, own_keys(rows, inputs).unionByName(own_keys(inputs.read(OWN_ROWS), inputs)))
        pairs = [build(pair) for pair in (self._of_left(inputs), self._of_right(inputs))]
        rows = pairs[0].unionByName(pairs[1]).dropDuplicates(list(inputs.key))
        if all(changed.only_new for changed in changes):
            return NewRows(rows)
        stale = [self._had(stream, inputs) for stream in self.follows]
        return RowsOfKeys(rows, own_keys(rows, inputs).unionByName(stale[0]).unionByName(stale[1]))

    def _of_left(self, inputs: Inputs) -> dict[str, DataFrame]:
        rows = _now(self.left, inputs)
        span = rows.around(self.left_time, self.within)
        return {self.left: rows.rows, self.right: _near(inputs.read(self.right), self.right_time, span)}

    def _of_right(self, inputs: Inputs) -> dict[str, DataFrame]:
        rows = _now(self.right, inputs)
        span = rows.around(self.right_time, self.within)
        return {self.left: _near(inputs.read(self.left), self.left_time, span), self.right: rows.rows}

    def _had(self, stream: str, inputs: Inputs) -> DataFrame:
        """Give the pairs that the table has of the stream's changed rows."""
        changed = keys_of(inputs.changes[stream].rows, stream, inputs)
        own = {name: name for name in key_columns(stream, inputs)}
        return own_keys(matching(inputs.read(OWN_ROWS), changed, own), inputs)


def _now(stream: str, inputs: Inputs) -> Changed:
    """Give what the stream now has of its changed rows."""
    changed = inputs.changes[stream]
    if changed.only_new:
        return changed
    return Changed(rows_of(inputs.read(stream), keys_of(changed.rows, stream, inputs), stream, inputs))


def _near(rows: DataFrame, time: str, span: Span | None) -> DataFrame:
    """Take the rows of a span: those that lie within reach of others, as far as two bounds tell."""
    return between(rows, time, span) if span else rows.limit(0)
