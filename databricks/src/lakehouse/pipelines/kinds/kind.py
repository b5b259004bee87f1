"""What a kind of table is: it says which rows of a table must be made anew when its inputs have changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pyspark.sql import DataFrame

from lakehouse.lake.tables import Changes


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a kind decides by.

    changes: of each stream that it follows. read: gives an input whole, by name: a stream's silver, a lookup, or
    the table itself as it was (`table`).
    """

    changes: Mapping[str, Changes]
    read: Callable[[str], DataFrame]


@dataclass(frozen=True, slots=True)
class NewRows:
    """Rows of keys that the table has none of: they are appended."""

    rows: DataFrame


@dataclass(frozen=True, slots=True)
class RowsOfKeys:
    """All rows that the table shall have of some keys. keys: the key columns; those without a row lose theirs."""

    rows: DataFrame
    keys: DataFrame


@dataclass(frozen=True, slots=True)
class RowsOfValues:
    """All rows that the table shall have where `column` is one of some values (texts, numbers, dates or times)."""

    rows: DataFrame
    column: str
    values: Sequence[object]


type Rewritten = NewRows | RowsOfKeys | RowsOfValues


class Kind(Protocol):
    """Decides which rows are made anew; knows neither Delta nor SQL."""

    @property
    def follows(self) -> tuple[str, ...]:
        """Name the streams whose changes it looks at."""
        ...

    def rewritten(self, inputs: Inputs, build: Callable[[Mapping[str, DataFrame]], DataFrame]) -> Rewritten | None:
        """Give the rows to write and what they take the place of; None where nothing has to change.

        build: makes rows of inputs by name; inputs that are not given to it are read whole.
        """
        ...
