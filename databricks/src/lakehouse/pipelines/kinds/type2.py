"""Tables that keep what a daily lookup said of each key, and from when to when: slowly changing, type 2."""

from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.lookups import BadLookup
from lakehouse.pipelines.kinds.kind import OWN_ROWS, Inputs, MakeRows, NewRows, Rewritten, RowsOfKeys

VALID_FROM, VALID_TO, IS_CURRENT = "valid_from", "valid_to", "is_current"
"""A version holds from the first of these days on, and no longer on the second; null is not yet known."""

_NOW, _HELD = "_now", "_held"


@dataclass(frozen=True, slots=True)
class Type2:
    """A key whose columns changed has its version closed and a new one opened; one that is gone has it closed.

    lookup: a daily one, `<name>/<yyyymmdd>.parquet`. The table's key is the lookup's and `valid_from`; the other
    columns of a version are what `build` makes. The day's file taken in again changes nothing, and one of a day before
    the newest that was taken in is left alone: what it would split may have been read already.
    """

    lookup: str

    @property
    def follows(self) -> tuple[str, ...]:
        """Name the lookup."""
        return (self.lookup,)

    def rewritten(self, inputs: Inputs, build: MakeRows) -> Rewritten | None:
        """Give the versions that open and close on the lookup's day; of keys that did not change, nothing."""
        day, now = F.lit(self._day(inputs)), build({})
        if inputs.is_new:
            return NewRows(now.withColumns(_validity(day, None)))
        key = [name for name in inputs.key if name != VALID_FROM]
        changed = _changed(now, inputs.read(OWN_ROWS), key)
        opened = _versions(changed.where(F.col(_NOW).isNotNull()), _NOW, day, None)
        held = changed.where(F.col(_HELD).isNotNull())
        closed = _versions(held.where(F.col(VALID_FROM) < day), _HELD, F.col(VALID_FROM), day)
        rows = opened.unionByName(closed).select(*now.columns)
        return RowsOfKeys(rows, rows.select(*inputs.key).unionByName(held.select(*inputs.key)))

    def _day(self, inputs: Inputs) -> date:
        edition = inputs.editions[self.lookup]
        try:
            return date.fromisoformat(edition)
        except ValueError:
            raise BadLookup(
                f"The lookup {self.lookup!r} is kept by day, and the run was given a file of no day ({edition!r}); "
                "expected <name>/<yyyymmdd>.parquet."
            ) from None


def _changed(now: DataFrame, own: DataFrame, key: list[str]) -> DataFrame:
    """Put what the lookup says beside the current versions, `_now` beside `_held`, where the two differ.

    It is kept, since it is read after the table has been written.
    """
    says = [name for name in now.columns if name not in {VALID_FROM, VALID_TO, IS_CURRENT}]
    held = own.where(F.col(IS_CURRENT)).select(*key, VALID_FROM, F.struct(*says).alias(_HELD))
    both = now.select(*key, F.struct(*says).alias(_NOW)).join(held, key, "full")
    return both.where(~F.col(_NOW).eqNullSafe(F.col(_HELD))).localCheckpoint()


def _versions(changed: DataFrame, what: str, begin: Column, end: Column | None) -> DataFrame:
    """Write rows of versions."""
    validity = [column.alias(name) for name, column in _validity(begin, end).items()]
    return changed.select(f"{what}.*", *validity)


def _validity(begin: Column, end: Column | None) -> dict[str, Column]:
    """Say from when to when a version holds; end: None for one that holds still."""
    until = F.lit(None).cast("date") if end is None else end
    return {VALID_FROM: begin, VALID_TO: until, IS_CURRENT: F.lit(end is None)}
