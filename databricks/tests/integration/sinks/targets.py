"""How any target of gold tables behaves: each function is one promise, kept by whatever target it is given."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from lakehouse.lake.progress import Progress
from lakehouse.pipelines.kinds.kind import NewRows, RowsOfKeys, RowsOfValues
from lakehouse.pipelines.table import Table
from sql_tables import table

DAYS = table("venue string(8), number long, day date, at timestamp, amount decimal(38,18)", "venue", "number")
AT = datetime(2026, 11, 22, 10, 0, 0, 1, UTC)
FIRST, SECOND = date(2026, 11, 22), date(2026, 11, 23)


@dataclass(frozen=True)
class Stage:
    """A target with its table made. found: gives the (number, day, amount) that it holds, sorted."""

    spark: SparkSession
    target: Any
    found: Callable[[], list[tuple[int, date, Decimal]]]
    table: Table = DAYS

    def rows(self, *rows: tuple[int, date, int]) -> DataFrame:
        made = [("kraken", number, day, AT, Decimal(amount)) for number, day, amount in rows]
        return self.spark.createDataFrame(made, self.table.schema)

    def keys(self, *numbers: int) -> DataFrame:
        return self.spark.createDataFrame([("kraken", number) for number in numbers], "venue string, number long")

    def write(self, rewritten: Any, version: int = 1) -> None:
        self.target.write(self.table, rewritten, progress(version))


def progress(version: int) -> Progress:
    return Progress({"gold.things": version}, waiting=("trades-20261122T100000Z",))


def a_table_that_nothing_was_written_to_has_no_progress(stage: Stage) -> None:
    assert stage.target.progress(DAYS) is None


def rows_and_progress_are_written_together(stage: Stage) -> None:
    stage.write(NewRows(stage.rows((1, FIRST, 10), (2, SECOND, 20))), 7)

    assert stage.found() == [(1, FIRST, 10), (2, SECOND, 20)]
    assert stage.target.progress(DAYS) == progress(7)


def no_rows_are_progress_too(stage: Stage) -> None:
    stage.write(NewRows(stage.rows()), 7)

    assert (stage.found(), stage.target.progress(DAYS)) == ([], progress(7))


def rows_of_keys_take_the_place_of_the_former_and_keys_without_a_row_lose_theirs(stage: Stage) -> None:
    stage.write(NewRows(stage.rows((1, FIRST, 10), (2, FIRST, 20), (3, FIRST, 30))))

    stage.write(RowsOfKeys(stage.rows((2, SECOND, 21), (4, FIRST, 40)), stage.keys(1, 2, 4, 5)), 2)

    assert stage.found() == [(2, SECOND, 21), (3, FIRST, 30), (4, FIRST, 40)]


def rows_of_days_take_the_place_of_all_that_the_days_had(stage: Stage) -> None:
    stage.write(NewRows(stage.rows((1, FIRST, 10), (2, FIRST, 20), (3, SECOND, 30))))

    stage.write(RowsOfValues(stage.rows((2, FIRST, 21)), "day", [FIRST]), 2)

    assert stage.found() == [(2, FIRST, 21), (3, SECOND, 30)]


def rows_of_times_take_the_place_of_all_that_the_times_had(stage: Stage) -> None:
    stage.write(NewRows(stage.rows((1, FIRST, 10), (2, FIRST, 20))))

    stage.write(RowsOfValues(stage.rows((2, FIRST, 21)), "at", [AT]), 2)

    assert stage.found() == [(2, FIRST, 21)]


PROMISES = (
    a_table_that_nothing_was_written_to_has_no_progress,
    rows_and_progress_are_written_together,
    no_rows_are_progress_too,
    rows_of_keys_take_the_place_of_the_former_and_keys_without_a_row_lose_theirs,
    rows_of_days_take_the_place_of_all_that_the_days_had,
    rows_of_times_take_the_place_of_all_that_the_times_had,
)
