"""Tables with one row for each row of a stream, or for some of them."""

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.pipelines.kinds.keys import keys_of, rows_of
from lakehouse.pipelines.kinds.kind import OWN_ROWS, Inputs, MakeRows, NewRows, Rewritten, RowsOfKeys, RowsOfValues
from lakehouse.pipelines.spans import WINDOW


@dataclass(frozen=True, slots=True)
class PerRow:
    """The rows of the stream's changed keys are made anew of what the stream has of them now.

    Each column of the table's key repeats one of the stream's (`Column.of`).
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
            return RowsOfKeys(rows, keys.unionByName(inputs.read(OWN_ROWS).select(*keys.columns)))
        return RowsOfKeys(build({self.stream: self._now(keys, inputs)}), keys)

    def of_window(self, window: str, inputs: Inputs, build: MakeRows) -> Rewritten:
        """Give the rows that the table shall have of a window, in the place of all that it has of it."""
        rows = inputs.read(self.stream).where(F.col(WINDOW) == window)
        return RowsOfValues(build({self.stream: rows}), WINDOW, (window,))

    def _now(self, keys: DataFrame, inputs: Inputs) -> DataFrame:
        return rows_of(inputs.read(self.stream), keys, self.stream, inputs)
