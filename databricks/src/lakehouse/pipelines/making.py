"""Makes a table's rows by its `build`, of inputs that it reads as the table may see them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.lake.tables import Lake
from lakehouse.lookups import Lookups
from lakehouse.pipelines.arrivals import LakeName
from lakehouse.pipelines.kinds.kind import OWN_ROWS, Changed, Inputs
from lakehouse.pipelines.spans import WINDOW
from lakehouse.pipelines.table import Table
from lakehouse.pipelines.waiting import is_visible


@dataclass(frozen=True, slots=True)
class Making:
    """What one table is made of in one run. windows: those of the rows that are joined with lookups."""

    lake: Lake
    lookups: Lookups
    name_of: LakeName
    table: Table
    own_window: str
    windows: frozenset[str | None]

    def read(self, name: str) -> DataFrame:
        """Give an input whole, or the table itself; where each window has its lookup, without rows that wait for it."""
        if name == OWN_ROWS:
            return self.lake.read(self.table.lake_name)
        if self.lookups.has(name):
            return self.lookups.read(name, self._path(name, self.own_window), clear=self.table.is_restricted)
        rows = self.lake.read(self.name_of(name))
        return rows.where(is_visible(F.col(WINDOW), self.own_window)) if self._by_window else rows

    def inputs(self, changes: Mapping[str, Changed], *, is_new: bool = False) -> Inputs:
        """Give what the table's kind decides by."""
        table = self.table
        return Inputs(changes, self.read, table.key, table.time, table.repeats, self.editions, is_new)

    @property
    def editions(self) -> Mapping[str, str]:
        """Say which file the run has of each lookup that the table follows."""
        followed = filter(self.lookups.has, self.table.kind.follows)
        return {name: self.lookups.edition(name, self.own_window) for name in followed}

    def rows(self, given: Mapping[str, DataFrame]) -> DataFrame:
        """Make rows in the table's columns and types."""
        if self._by_window:
            parts = list(self._parts(given[self.table.kind.follows[0]]))
            made = reduce(DataFrame.unionByName, parts)
        else:
            made = self.table.build(
                **{name: given[name] if name in given else self.read(name) for name in self.table.inputs}
            )
        return made.to(self.table.schema)

    def _parts(self, rows: DataFrame) -> Iterator[DataFrame]:
        """Join the rows of windows that take the same lookups at once."""
        (stream,) = self.table.kind.follows
        by_paths: dict[tuple[str, ...], list[str | None]] = {}
        for window in self.windows or {self.own_window}:
            by_paths.setdefault(tuple(self._path(name, window) for name in self._lookups), []).append(window)
        for paths, windows in by_paths.items():
            own = rows if len(by_paths) == 1 else rows.where(_is_one_of(windows))
            lookups = {name: self.lookups.read(name, path) for name, path in zip(self._lookups, paths, strict=True)}
            yield self.table.build(**{stream: own}, **lookups)

    @property
    def _lookups(self) -> list[str]:
        return [name for name in self.table.inputs if self.lookups.has(name)]

    @property
    def _by_window(self) -> bool:
        return bool(self._lookups) and not any(map(self.lookups.has, self.table.kind.follows))

    def _path(self, name: str, window: str | None) -> str:
        return self.lookups.path(name, None if window == self.own_window else window)


def _is_one_of(windows: list[str | None]) -> Column:
    named = F.col(WINDOW).isin([window for window in windows if window is not None])
    return named | F.col(WINDOW).isNull() if None in windows else named
