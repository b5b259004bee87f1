"""Values on their way to SQL: as Spark stages them, and as statements bind them."""

from datetime import UTC, date, datetime
from decimal import Decimal

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lakehouse.sinks.jdbc import Cell
from lakehouse.sinks.tables import Dialect


def staged(field: T.StructField, dialect: Dialect) -> Column:
    """Give a column as the database keeps it: SQLite has neither times nor decimals, and takes NaN for NULL."""
    column, kind = F.col(field.name), field.dataType
    if dialect == "tsql":
        return column
    if isinstance(kind, T.TimestampType):
        return F.concat(_day(column), F.date_format(column, "'T'HH:mm:ss.SSSSSS'Z'")).alias(field.name)
    if isinstance(kind, T.DateType):
        return _day(column).alias(field.name)
    as_text = isinstance(kind, (T.DecimalType, T.DoubleType, T.FloatType))
    return column.cast("string").alias(field.name) if as_text else column


def cell(value: object, dialect: Dialect) -> Cell:
    """Give a value of a column as a statement binds it: both databases turn a text into the column's own type."""
    if isinstance(value, datetime):
        return time_text(value) + ("Z" if dialect == "sqlite" else "")
    if isinstance(value, date):
        return value.isoformat()
    if value is None or isinstance(value, str | int):
        return value
    return str(value) if isinstance(value, Decimal) else repr(value)


def time_text(moment: datetime) -> str:
    """Write a time in UTC to the microsecond; one without a zone is this machine's, as Spark gives them."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def cut(text: str, units: int) -> str:
    """Keep as much of a text as so many UTF-16 units hold."""
    return text.encode("utf-16-le", "surrogatepass")[: 2 * units].decode("utf-16-le", "ignore")


def _day(column: Column) -> Column:
    """Write a day with its year as it is; `date_format` knows no year 0 and would call it 1."""
    return F.concat(F.format_string("%04d", F.year(column)), F.date_format(column, "-MM-dd"))
