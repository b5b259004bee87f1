"""Tables with one row for each value of a key, such as a user, which sums up all that several streams have of it."""

from dataclasses import dataclass
from functools import reduce

from pyspark.sql import DataFrame

from lakehouse.pipelines.kinds.keys import matching
from lakehouse.pipelines.kinds.kind import OWN_ROWS, Inputs, MakeRows, Rewritten, RowsOfKeys


@dataclass(frozen=True, slots=True)
class Part:
    """An input whose rows are summed up by the key.

    of, by: where its rows have not the key themselves, the part whose rows have, and the column that both share; there
    each value of that column is of one row.
    """

    name: str
    of: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Totals:
    """The rows of keys of which some input's rows changed, came or went are made anew of all that the inputs have.

    key: the column of the table, and of all parts that are `of` no other. lookups: what the rows are joined with, as
    the run has it; with another file of one of them all rows are made anew. A pass costs a look at these columns of
    all rows, so it is made when windows are counted.
    """

    key: str
    made_of: tuple[Part, ...]
    lookups: tuple[str, ...] = ()

    @property
    def follows(self) -> tuple[str, ...]:
        """Name the parts, then the lookups."""
        return (*(one.name for one in self.made_of), *self.lookups)

    def rewritten(self, inputs: Inputs, build: MakeRows) -> Rewritten | None:
        """Give the rows of the touched keys; where nobody knows what changed, those of all keys."""
        if any(changed.whole for changed in inputs.changes.values()):
            rows = build({})
            return RowsOfKeys(rows, rows.select(self.key).unionByName(inputs.read(OWN_ROWS).select(self.key)))
        found = [self._touched(one, inputs) for one in self.made_of]
        touched = reduce(DataFrame.unionByName, found).distinct().localCheckpoint()
        return RowsOfKeys(build(self._rows_of(touched, inputs)), touched)

    def _touched(self, part: Part, inputs: Inputs) -> DataFrame:
        """Give the keys of changed rows; one that moved from a key to another has changes of both."""
        rows = inputs.changes[part.name].rows
        if not part.of:
            return rows.select(self.key)
        return matching(inputs.read(part.of), rows, {part.by: part.by}).select(self.key)

    def _rows_of(self, keys: DataFrame, inputs: Inputs) -> dict[str, DataFrame]:
        """Give all that the parts have of these keys."""
        with_key = [one for one in self.made_of if not one.of]
        found = {one.name: matching(inputs.read(one.name), keys, {self.key: self.key}) for one in with_key}
        for one in self.made_of:
            if one.of:
                found[one.name] = matching(inputs.read(one.name), found[one.of], {one.by: one.by})
        return found
