"""What a kind of table is: it says which rows of a table must be made anew when its inputs have changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from pyspark.sql import DataFrame

from lakehouse.pipelines.kinds.near import Span, span_around, widened

OWN_ROWS = "table"
"""The name by which a kind reads the rows that the table itself had before."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What happened to the rows of a stream since the table looked at it.

    rows: the stream's columns and `_change_type`. only_new: rows of keys that were never seen before, and nothing else.
    whole: nobody knows what happened: these are all rows that there are, and the table may hold others too.
    times: by column, the span of these rows' times, or a longer one, as far as it is known without another query.
    """

    rows: DataFrame
    only_new: bool = False
    whole: bool = False
    times: Mapping[str, Span | None] = field(default_factory=dict)

    def around(self, time: str, within: timedelta) -> Span | None:
        """Give a span that holds all that lies within a time of some of the rows; None where no row has a time."""
        if time not in self.times:
            return span_around(self.rows, time, within)
        known = self.times[time]
        return widened(known, within) if known else None


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a kind decides by.

    changes: of each stream that it follows. read: gives an input whole, by name: a stream's silver, a lookup, or
    the table itself as it was (`OWN_ROWS`). key: the table's. time: the table's column of its rows' own time, or "".
    repeats: by stream, which of its columns the table repeats, as {the table's: the stream's}. editions: by lookup that
    it follows, which file of it there is: a day (`yyyymmdd`), or a window. is_new: the table never had a row.
    """

    changes: Mapping[str, Changed]
    read: Callable[[str], DataFrame]
    key: tuple[str, ...]
    time: str = ""
    repeats: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    editions: Mapping[str, str] = field(default_factory=dict)
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class NewRows:
    """Rows of keys that the table has none of: they are appended."""

    rows: DataFrame


@dataclass(frozen=True, slots=True)
class RowsOfKeys:
    """All rows that the table shall have of some keys; those without a row lose theirs.

    keys: the key columns; a kind may add the table's time, of the rows that go and of those that come. bounds: by
    column, the least and the greatest value that these rows have; the engine finds them out, a kind leaves them empty.
    What a target is given has keys of the key columns alone, each once.
    """

    rows: DataFrame
    keys: DataFrame
    bounds: Mapping[str, tuple[object, object]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowsOfValues:
    """All rows that the table shall have where `column` is one of some values (texts, numbers, dates or times)."""

    rows: DataFrame
    column: str
    values: Sequence[object]


type Rewritten = NewRows | RowsOfKeys | RowsOfValues
type MakeRows = Callable[[Mapping[str, DataFrame]], DataFrame]


class Kind(Protocol):
    """Decides which rows are made anew; knows neither Delta nor SQL."""

    @property
    def follows(self) -> tuple[str, ...]:
        """Name the inputs whose changes it looks at."""
        ...

    def rewritten(self, inputs: Inputs, build: MakeRows) -> Rewritten | None:
        """Give the rows to write and what they take the place of; None where nothing has to change.

        It is asked where something changed. build: makes rows of inputs by name; those that are not given to it are
        read whole.
        """
        ...
