"""The types that columns have in SQL: Azure SQL's own, and what SQLite needs to refuse what Azure SQL would refuse."""

from dataclasses import dataclass

from pyspark.sql import types as T

LONGEST_TEXT = 4000


@dataclass(frozen=True, slots=True)
class SqlType:
    """A type in both dialects.

    key_bytes: what a value takes in a key; None where it can't be in one. rule: what Azure SQL's type demands of a
    value, in words. check: the same as a condition of SQLite, `{0}` in the column's place.
    """

    tsql: str
    sqlite: str
    key_bytes: int | None
    rule: str = ""
    check: str = ""
    is_text: bool = False


def sql_type(kind: T.DataType, length: int = 0) -> SqlType | None:
    """Give the type for one of Spark; None where there is none. length: of a text, in UTF-16 units; 0 for any."""
    if isinstance(kind, T.StringType):
        return text(length)
    return _decimal(kind.precision, kind.scale) if isinstance(kind, T.DecimalType) else _PLAIN.get(type(kind))


def text(length: int = 0) -> SqlType:
    """Give the type of a text; SQLite heeds no length, but remembers it."""
    if not 0 < length <= LONGEST_TEXT:
        return SqlType("nvarchar(max)", "TEXT", None, is_text=True)
    fits = f"{_UTF16_UNITS} <= {length}"
    return SqlType(
        f"nvarchar({length})", f"TEXT({length})", 2 * length, f"at most {length} characters", fits, is_text=True
    )


_UTF16_UNITS = "length({0}) + (length(hex({0})) - length(replace(hex({0}), 'F0', ''))) / 2"
"""Counts as nvarchar does: a character beyond U+FFFF is two units. In UTF-8 it begins with the byte F0."""

# With a modifier SQLite works the day out, and 30 February becomes another one.
_TIME = (
    "{0} >= '0001' AND datetime(substr({0}, 1, 19), '+0 days') IS replace(substr({0}, 1, 19), 'T', ' ')"
    " AND substr({0}, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]*' AND substr({0}, 27) IN ('', 'Z')"
)


def _decimal(precision: int, scale: int) -> SqlType:
    digits, size = precision - scale, f"({precision}, {scale})"
    check = f"typeof({{0}}) IN ('integer', 'real', 'null') AND abs({{0}}) < 1e{digits}"
    return SqlType(f"decimal{size}", f"NUMERIC{size}", 17, f"at most {digits} digits before the point", check)


# `INTEGER` as a lone key would be SQLite's own row number, which is made up where it is missing; `INT` is not.
def _integer(tsql: str, size: int) -> SqlType:
    half = 1 << (8 * size - 1)
    check = f"typeof({{0}}) IN ('integer', 'null') AND {{0}} BETWEEN {-half} AND {half - 1}"
    return SqlType(tsql, "INT", size, f"an integer of {8 * size} bits", check)


def _float(tsql: str, size: int, greatest: str) -> SqlType:
    check = f"typeof({{0}}) IN ('real', 'null') AND abs({{0}}) <= {greatest}"
    return SqlType(tsql, "REAL", size, "a finite number", check)


LONG = _integer("bigint", 8)
TIME = SqlType("datetime2(6)", "TEXT", 8, "a time of the years 0001 to 9999, to the microsecond", _TIME)

_PLAIN: dict[type[T.DataType], SqlType] = {
    T.LongType: LONG,
    T.IntegerType: _integer("int", 4),
    T.ShortType: _integer("smallint", 2),
    T.ByteType: _integer("smallint", 2),
    T.BooleanType: SqlType("bit", "INT", 1, "0 or 1", "{0} IN (0, 1)"),
    T.DoubleType: _float("float", 8, "1.7976931348623157e308"),
    T.FloatType: _float("real", 4, "3.4028235e38"),
    T.DateType: SqlType(
        "date", "TEXT", 3, "a day of the years 0001 to 9999", "date({0}, '+0 days') IS {0} AND {0} >= '0001'"
    ),
    T.TimestampType: TIME,
}
