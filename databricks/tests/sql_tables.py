"""Gold tables for the tests of SQL: one as `Trades` has always been, and one with a column of each type."""

from typing import Any

from pyspark.sql import DataFrame

from lakehouse.pipelines.table import Column, Table


class Unasked:
    """A kind for tables that nobody makes rows of."""

    follows = ("things",)

    def rewritten(self, inputs: Any, build: Any) -> None:
        raise NotImplementedError


def build(**inputs: DataFrame) -> DataFrame:
    raise NotImplementedError


def table(columns: str, *key: str, sql: str = "Things", **more: Any) -> Table:
    """Make a published table of columns such as `id long, name string(64), needed date!`; `!`: never null."""
    name = more.pop("name", sql.lower())
    made = tuple(_column(*written.split(" ")) for written in columns.split(", "))
    return Table(name, "", made, key, Unasked(), ("things",), build, sql=sql, **more)


def _column(name: str, written: str) -> Column:
    kind = written.removesuffix("!")
    length = int(kind[7:-1]) if kind.startswith("string(") else None
    return Column(name, "string" if length else kind, "", length=length, required=written.endswith("!"))


TRADES = table(
    "id string(128), name string(200), symbol string(64), exchange string(32), quote string(64), direction string(8), "
    "price decimal(38,18), volume decimal(38,18), timestamp timestamp, explorer string(400), "
    "marketCapUsd decimal(38,18), maxSupply decimal(38,18), rank long, changePercent24Hr decimal(38,18), "
    "volumeUsd24Hr decimal(38,18), vwap24Hr decimal(38,18), venue string(32), market string(64), trade_id long, "
    "window_id string(64)!",
    *("venue", "market", "trade_id"),
    sql="Trades",
    name="trades_enriched",
    clustered_by=("venue", "market", "trade_id"),
)

ALL_TYPES = table(
    "id long, text string(8), amount decimal(10,2), at timestamp, day date, flag boolean, ratio double, few integer, "
    "needed string(4)!",
    "id",
    clustered_by=("day",),
)

BY_DAY = table(
    "day date, area string(16), agent long, period integer!, calls long!, is_full boolean, share decimal(9,4)",
    *("day", "area", "agent"),
    sql="Measures",
)
