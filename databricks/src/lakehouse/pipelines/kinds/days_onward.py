"""Tables by group and day whose rows depend on what the group's days before had, such as a user's promotions."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.pipelines.kinds.day import MadeOf, day_of, literal_of
from lakehouse.pipelines.kinds.keys import own_keys
from lakehouse.pipelines.kinds.kind import OWN_ROWS, Inputs, MakeRows, NewRows, Rewritten, RowsOfKeys

_FIRST = "_first"


@dataclass(frozen=True, slots=True)
class DaysOnward:
    """A group's days are made anew from its first changed one on; the days before it stay, and are looked at.

    by: the column of the group, in each input and in the table. day: the table's column with the day, UTC. days_before:
    of so many days before a group's first changed one `build` gets the table's own rows, as the input `OWN_ROWS`. Of
    `made_of` it takes names and times alone.
    """

    by: str
    day: str
    made_of: tuple[MadeOf, ...]
    days_before: int

    @property
    def follows(self) -> tuple[str, ...]:
        """Name the inputs."""
        return tuple(one.name for one in self.made_of)

    def rewritten(self, inputs: Inputs, build: MakeRows) -> Rewritten | None:
        """Give all rows of the groups from their first changed day on, as new ones where there were none."""
        firsts = self._firsts(inputs).localCheckpoint()
        (least,) = firsts.agg(F.min(_FIRST)).collect()[0]
        if least is None:
            return None
        own = inputs.read(OWN_ROWS).where(F.col(self.day) >= self._before(literal_of(least))).join(firsts, self.by)
        had = own.where(F.col(self.day) >= F.col(_FIRST))
        given = own.where((F.col(self.day) < F.col(_FIRST)) & (F.col(self.day) >= self._before(F.col(_FIRST))))
        # The table is written while its own rows are still read: these must stay as they were.
        made = {OWN_ROWS: given.drop(_FIRST).localCheckpoint(eager=False)}
        rows = build(made | {one.name: self._onward(one, firsts, least, inputs) for one in self.made_of})
        if had.isEmpty():
            return NewRows(rows)
        return RowsOfKeys(rows, own_keys(rows, inputs).unionByName(own_keys(had, inputs)))

    def _firsts(self, inputs: Inputs) -> DataFrame:
        """Give by group its first changed day; where nobody knows what changed, the first that there is or was."""
        touched = reduce(DataFrame.unionByName, self._touched(inputs)).dropna()
        return touched.groupBy(self.by).agg(F.min(_FIRST).alias(_FIRST))

    def _touched(self, inputs: Inputs) -> Iterator[DataFrame]:
        for one in self.made_of:
            yield inputs.changes[one.name].rows.select(self.by, day_of(F.col(one.time)).alias(_FIRST))
        if any(changed.whole for changed in inputs.changes.values()):
            yield inputs.read(OWN_ROWS).select(self.by, F.col(self.day).alias(_FIRST))

    def _onward(self, one: MadeOf, firsts: DataFrame, least: date, inputs: Inputs) -> DataFrame:
        """Take the groups' rows of these days; the literal bound is what spares reading the files of earlier times."""
        time = F.col(one.time)
        later = inputs.read(one.name).where(time >= literal_of(least).cast("timestamp"))
        return later.join(firsts, self.by).where(day_of(time) >= F.col(_FIRST)).drop(_FIRST)

    def _before(self, day: Column) -> Column:
        return F.date_sub(day, self.days_before)
