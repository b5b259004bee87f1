"""Tables whose rows are each made of one row of a stream: one, none or several of each."""

from dataclasses import dataclass
from datetime import timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.pipelines.kinds.keys import key_columns, keys_of, matching, own_keys, rows_of
from lakehouse.pipelines.kinds.kind import OWN_ROWS, Inputs, MakeRows, NewRows, Rewritten, RowsOfKeys, RowsOfValues
from lakehouse.pipelines.kinds.near import between, span_around
from lakehouse.pipelines.spans import WINDOW

_AT_ONCE = timedelta(0)


@dataclass(frozen=True, slots=True)
class PerRow:
    """The rows of the stream's changed keys are made anew of what the stream has of them now.

    Each column of the table's key repeats one of the stream's (`Column.of`), or one of a lookup's where a row of the
    stream has several here.
    """

    stream: str

    @property
    def follows(self) -> tuple[str, ...]:
        """Name the stream."""
        return (self.stream,)

    def rewritten(self, inputs: Inputs, build: MakeRows) -> Rewritten | None:
        """Give new rows as such; where others changed too, all rows of the keys."""
        changed = inputs.changes[self.stream]
        if changed.only_new:
            return NewRows(build({self.stream: changed.rows}))
        keys = keys_of(changed.rows, self.stream, inputs)
        if changed.whole:
            rows = build({self.stream: inputs.read(self.stream)})
            return RowsOfKeys(rows, self._whole(rows, keys, inputs.read(OWN_ROWS), inputs))
        rows = build({self.stream: self._now(keys, inputs)})
        if self._is_one_each(inputs):
            return RowsOfKeys(rows, keys)
        return RowsOfKeys(rows, own_keys(rows, inputs).unionByName(own_keys(self._had(keys, inputs), inputs)))

    def of_window(self, window: str, inputs: Inputs, build: MakeRows) -> Rewritten:
        """Give the rows that the table shall have of a window, in the place of all that it has of it."""
        rows = inputs.read(self.stream).where(F.col(WINDOW) == window)
        return RowsOfValues(build({self.stream: rows}), WINDOW, (window,))

    def _is_one_each(self, inputs: Inputs) -> bool:
        return len(key_columns(self.stream, inputs)) == len(inputs.key)

    def _whole(self, rows: DataFrame, keys: DataFrame, own: DataFrame, inputs: Inputs) -> DataFrame:
        if self._is_one_each(inputs):
            return keys.unionByName(own.select(*keys.columns))
        return own_keys(rows, inputs).unionByName(own_keys(own, inputs))

    def _had(self, keys: DataFrame, inputs: Inputs) -> DataFrame:
        """Give the table's rows that are made of these rows of the stream."""
        own, span = inputs.read(OWN_ROWS), span_around(keys, inputs.time, _AT_ONCE) if inputs.time else None
        near = between(own, inputs.time, span) if span else own
        return matching(near, keys, {name: name for name in key_columns(self.stream, inputs)})

    def _now(self, keys: DataFrame, inputs: Inputs) -> DataFrame:
        return rows_of(inputs.read(self.stream), keys, self.stream, inputs)
