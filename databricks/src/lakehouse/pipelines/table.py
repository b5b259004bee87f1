"""A table of a pipeline as a value: what it holds, how it comes about, where it is published."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Literal, Self

from pyspark.sql import DataFrame
from pyspark.sql import types as T

from lakehouse.lake.naming import RESTRICTED
from lakehouse.lake.tables import columns
from lakehouse.pipelines.kinds.day import Day
from lakehouse.pipelines.kinds.kind import Kind
from lakehouse.pipelines.options import Option
from lakehouse.pipelines.spans import WINDOW

type Build = Callable[..., DataFrame]
"""Makes a table's rows of its inputs, which it takes by their names: the same inputs always give the same rows."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    type: such as `string`, `long`, `decimal(38,18)`, `timestamp`, `date`; of an array Spark's own value. of: the column
    of an input that it repeats, `<stream, lookup or table>.<column>`: that then bounds a string's length. length: the
    greatest number of characters of a string that the table makes itself. required: never null.
    """

    name: str
    type: str | T.DataType
    comment: str
    of: str = ""
    length: int | None = None
    required: bool = False

    @property
    def spark_type(self) -> T.DataType:
        """Give the type as Spark has it; raises what Spark raises for one that it does not know."""
        return columns(f"{self.name} {self.type}")[0].dataType if isinstance(self.type, str) else self.type

    @property
    def type_name(self) -> str:
        """Write the type."""
        return self.type if isinstance(self.type, str) else self.type.simpleString()


@dataclass(frozen=True, slots=True)
class Table:
    """A table `<layer>.<name>`.

    layer: `gold`, `silver` for what others are made of, or `restricted` for what few may read: it alone sees personal
    columns of lookups in clear text, all others see tokens. key: the columns that identify a row. kind: which rows are
    made anew when its inputs change. inputs: the names of streams (their silver), of lookups and of other tables of
    the pipeline that `build` takes. options: numbers that it takes beside. sql: the SQL table that it is published as,
    empty for none.
    pushed: its new rows go to the push dataset too, where a URL of one is given.
    counted_by: the column by whose values a window's rows are counted too. time: the column of a row's own time; it
    bounds where changed rows are looked for, so it is never null. kept_for: how long rows are kept after their time,
    None for ever.
    """

    name: str
    comment: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    kind: Kind
    inputs: tuple[str, ...]
    build: Build
    sql: str = ""
    pushed: bool = False
    counted_by: str = ""
    clustered_by: tuple[str, ...] = ()
    time: str = ""
    kept_for: timedelta | None = None
    layer: Literal["silver", "gold", "restricted"] = "gold"
    options: tuple[Option, ...] = ()

    @property
    def lake_name(self) -> str:
        """Name it as the lake does."""
        return f"{self.layer}.{self.name}"

    def given(self, values: Mapping[str, int]) -> Self:
        """Give the table as it is made by these values of its options, those that are left out as by default."""
        taken = {one.name: values.get(one.name, one.default) for one in self.options}
        return replace(self, build=partial(self.build, **taken), options=()) if taken else self

    @property
    def partitioned_by(self) -> str:
        """Name the column of the day where whole days are replaced; empty for a table of another kind."""
        return self.kind.day if isinstance(self.kind, Day) else ""

    @property
    def has_windows(self) -> bool:
        """Say whether its rows name the window that they are of."""
        return any(column.name == WINDOW for column in self.columns)

    @property
    def is_restricted(self) -> bool:
        """Say whether it holds personal data in clear text."""
        return self.layer == RESTRICTED

    @property
    def repeats(self) -> Mapping[str, Mapping[str, str]]:
        """Give by input which of its columns the table repeats, as {the table's: the input's}."""
        of = {column.name: column.of.partition(".") for column in self.columns if column.of}
        return {
            name: {own: column for own, (of_input, _, column) in of.items() if of_input == name} for name in self.inputs
        }

    @property
    def schema(self) -> T.StructType:
        """Give its columns as Spark has them, with their comments."""
        return T.StructType(
            [T.StructField(one.name, one.spark_type, metadata={"comment": one.comment}) for one in self.columns]
        )
