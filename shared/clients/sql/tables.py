"""The tables of measurements, alerts and counts, declared once for both dialects."""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    DATE,
    REAL,
    TEXT,
    BigInteger,
    Column,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.dialects import mssql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.types import TypeEngine

from shared.clients.sql.columns import text_of_time

ADMINISTRATORS_FILE: Final = "definitions/sql/enrichment_pipeline_metrics.sql"
"""What an administrator runs where the identity may not make the tables; it holds the least grants too."""

TO_THE_LETTER: Final = "Latin1_General_100_BIN2"
"""The collation of keys in SQL Server, whose own tells no upper from lower case; SQLite compares so by itself."""

_TO_MICROSECONDS = mssql.DATETIME2(6)  # type: ignore[no-untyped-call] # SQLAlchemy gives it no types
_TO_SECONDS = mssql.TIME(0)  # type: ignore[no-untyped-call]


class Instant(TypeDecorator[datetime | str]):
    """A time in UTC to the microsecond: `datetime2(6)`, in SQLite a text that sorts alike."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the type of the database."""
        return dialect.type_descriptor(_TO_MICROSECONDS if dialect.name == "mssql" else TEXT())

    def process_bind_param(self, value: datetime | str | None, _dialect: Dialect) -> str | None:
        """Write the time as a text, which both drivers take; a text is one of these already."""
        return text_of_time(value.astimezone(UTC)) if isinstance(value, datetime) else value

    def process_result_value(self, value: object, _dialect: Dialect) -> datetime | None:
        """Read a text, or a datetime without a zone."""
        return None if value is None else datetime.fromisoformat(str(value)).replace(tzinfo=UTC)


def text_type(length: int | None, *, key: bool = False) -> TypeEngine[str]:
    """Give the type of a text of at most so many UTF-16 units, None for any number; keys differ by each letter."""
    unicode_text = mssql.NVARCHAR(length, collation=TO_THE_LETTER if key else None)
    return unicode_text.with_variant(TEXT(), "sqlite")


NUMBERS_CHANGES: Final = "numbers_changes"
"""Among a table's `info`: each change of a row is numbered above all others."""

ROW_VERSION: Final = "row_version"
"""The column with that number in SQL Server, which counts it for the whole database; SQLite's is `rowid`."""

_VERSION = mssql.ROWVERSION()  # type: ignore[no-untyped-call]
_INT = Integer().with_variant(sqlite.INTEGER(), "sqlite")
_LONG = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
_REAL = Float(53).with_variant(REAL(), "sqlite")
_DAY = DATE().with_variant(TEXT(), "sqlite")
_TIME = _TO_SECONDS.with_variant(TEXT(), "sqlite")

_OURS = MetaData()

METRICS: Final = Table(
    "enrichment_pipeline_metrics",
    _OURS,
    Column("table_key", text_type(128, key=True), nullable=False),
    Column("run_id", text_type(200, key=True), nullable=False),
    Column("entry", _LONG, nullable=False),
    Column("rows_count_delta", _LONG, nullable=False),
    Column("ingestion_date", _DAY, nullable=False),
    Column("ingestion_time", _TIME, nullable=False),
    Column("all_ingested_rows", _LONG, nullable=False),
    Column("window_id", text_type(100)),
    Column("kind", text_type(16), nullable=False),
    Column("verdict", text_type(16), nullable=False),
    Column("limit_floor", _LONG, nullable=False),
    Column("limit_low", _REAL),
    Column("limit_high", _REAL),
    Column("limit_median", _REAL),
    Column("limit_based_on", _INT, nullable=False),
    Column("alert", text_type(16), nullable=False),
    Column("measured_at", Instant, nullable=False),
    PrimaryKeyConstraint("table_key", "run_id", name="enrichment_pipeline_metrics_key"),
    UniqueConstraint("table_key", "entry", name="enrichment_pipeline_metrics_entry"),
)
"""One row a measurement; `entry` counts those of a table key in the order of their commits."""

ALERTS: Final = Table(
    "enrichment_alerts",
    _OURS,
    Column("alert_id", text_type(400, key=True), nullable=False),
    Column("table_key", text_type(128, key=True), nullable=False),
    Column("run_id", text_type(200, key=True), nullable=False),
    Column("name", text_type(128), nullable=False),
    Column("kind", text_type(16), nullable=False),
    Column("cause", text_type(32), nullable=False),
    Column("body", text_type(None), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("state", text_type(16), nullable=False),
    Column("next_try_at", Instant, nullable=False),
    Column("leased_until", Instant),
    Column("attempts", _INT, nullable=False),
    Column("sent_at", Instant),
    PrimaryKeyConstraint("alert_id", name="enrichment_alerts_key"),
)
"""Alerts, `pending` until they are `sent`; a sender has one for itself while its lease lasts."""

WINDOW_COUNTS: Final = Table(
    "window_counts",
    MetaData(),
    Column("window_id", text_type(64), primary_key=True),
    Column("stream", text_type(64), primary_key=True),
    Column("stage", text_type(32), primary_key=True),
    Column("name", text_type(128), primary_key=True),
    Column("rows", _LONG, nullable=False, quote=True),
    Column("updated_at", Instant, nullable=False),
)
"""What the lakehouse counted of each window; the lakehouse makes the table and writes it."""


def create_table(made: Table, dialect: str) -> CreateTable:
    """Compose the statement that makes a table; in SQL Server it lies in dbo, whatever schema the login's is."""
    return CreateTable(_placed(made, dialect))


def create_indexes(made: Table, dialect: str) -> list[CreateIndex]:
    """Compose the statements that make the indexes of a table, besides its keys."""
    return [CreateIndex(index) for index in _placed(made, dialect).indexes]


def _placed(made: Table, dialect: str) -> Table:
    if dialect != "mssql":
        return made
    placed = made.to_metadata(MetaData(), schema="dbo")
    if made.info.get(NUMBERS_CHANGES):
        placed.append_column(Column(ROW_VERSION, _VERSION, nullable=False))
        Index(f"{made.name}_by_change", placed.columns[ROW_VERSION])
    return placed
