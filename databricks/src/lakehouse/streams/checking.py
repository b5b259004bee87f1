"""Turns records' text into typed columns, and says of each record which rule of its contract it breaks."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lakehouse.streams.contract import Contract, Field
from lakehouse.streams.events import cut

DECIMALS = 18
EXACT = T.DecimalType(38, DECIMALS)
"""Every number: 20 digits before the point and 18 behind it, as written; more is refused, never rounded."""

COLUMN_TYPES: dict[str, T.DataType] = {
    "string": T.StringType(),
    "number": EXACT,
    "integer": T.LongType(),
    "boolean": T.BooleanType(),
    "date-time": T.TimestampType(),
}
# Names of `schema_of_variant`, up to its bracket.
_VARIANT_KINDS = {
    "string": ("STRING",),
    "number": ("BIGINT", "DECIMAL", "DOUBLE"),
    "integer": ("BIGINT", "DECIMAL"),
    "boolean": ("BOOLEAN",),
    "date-time": ("STRING",),
}
_JSON_NAMES = {"BIGINT": "number", "DECIMAL": "number", "DOUBLE": "number", "VOID": "null"}
_PLAIN_NUMBER = rf"^-?[0-9]{{1,{38 - DECIMALS}}}([.][0-9]{{1,{DECIMALS}}})?$"
_DATE_TIME = r"^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.]\d{1,6})?(Z|[+-]\d\d:\d\d)\z"
_EARLIEST, _LATEST = "TIMESTAMP '0001-01-01T00:00:00Z'", "TIMESTAMP '9999-12-31T23:59:59.999999Z'"
"""The instants that T-SQL's datetime2 can hold; an offset may lead beyond them."""
_NOT_NUMBER = f"more than {38 - DECIMALS} digits before the point or {DECIMALS} behind it"
_UNREADABLE = {
    "number": _NOT_NUMBER,
    "integer": "no whole number of 64 bits",
    "date-time": "no date-time of RFC 3339 with at most 6 decimals, in the years 1 to 9999 of UTC",
}


def spark_schema(contract: Contract) -> T.StructType:
    """Give the contract's columns in their exact types: decimal(38,18), bigint, boolean, UTC timestamp (µs), string.

    A column's comment is the property's description.
    """
    return T.StructType([_column(field) for field in contract.fields])


def _column(field: Field) -> T.StructField:
    comment = {"comment": field.description} if field.description else {}
    return T.StructField(field.name, COLUMN_TYPES[field.kind], metadata=comment)


def checked(opened: DataFrame, contract: Contract) -> DataFrame:
    """Add the contract's typed columns and `reason`: null for a good record, else each rule that it breaks.

    opened: what `lakehouse.streams.packs.opened` gives; needs `body` (binary) and `failure`, why there is no record.
    A reason names field, rule and the kind of what was found, never the value: that is in `body`.
    """
    kept = [name for name in opened.columns if name != "failure"]
    raw, typed, reason = _expressions(contract)
    read = opened.select(*kept, "failure", _line().alias("_line"))
    parsed = read.select(
        *kept, "failure", _whole("_line").alias("_record"), F.json_object_keys("_line").alias("_names")
    )
    return (
        parsed.select(*kept, "failure", "_record", "_names", *raw)
        .select("*", *typed)
        .select(*kept, *contract.columns, reason)
    )


@lru_cache(maxsize=64)
def _expressions(contract: Contract) -> tuple[list[Column], list[Column], Column]:
    """Build a contract's expressions once a process: from Python that takes longer than a small batch does."""
    typed = [_value(field).alias(field.name) for field in contract.fields]
    return list(_raw(contract)), typed, _reason(contract).alias("reason")


def _line() -> Column:
    body = F.col("body")
    return F.when(F.col("failure").isNull() & F.is_valid_utf8(body.cast("string")), body.cast("string"))


def _whole(line: str) -> Column:
    """Parse a line that is one JSON value and nothing else: Spark's parser overlooks what follows a value.

    Only one whole value stands in an array and in an object alike; a duplicate key makes it null.
    """
    alone = F.json_array_length(F.concat(F.lit("["), line, F.lit("]"))) == 1
    return F.when(alone, F.try_parse_json(F.concat(F.lit('{"r":'), line, F.lit("}"))))


def _raw(contract: Contract) -> Iterator[Column]:
    """Give each property's kind (null where it is absent) and its text."""
    for field in contract.fields:
        path = f"$['r']['{field.name}']"
        kind = F.schema_of_variant(F.try_variant_get("_record", path, "variant"))
        yield F.substring_index(F.substring_index(kind, "(", 1), "<", 1).alias(f"_kind_{field.name}")
        yield F.try_variant_get("_record", path, "string").alias(f"_text_{field.name}")


def _value(field: Field) -> Column:
    """Read a property's text as its column's type; null where it can't be held exactly."""
    text = F.col(f"_text_{field.name}")
    expected = _kind_of(field).isin(*_VARIANT_KINDS[field.kind])
    if field.kind == "string":
        return F.when(expected, text)
    value = text.try_cast(COLUMN_TYPES[field.kind])
    if field.kind == "number":
        return F.when(expected & _exact(field, value), value)
    if field.kind == "date-time":
        return F.when(expected & text.rlike(_DATE_TIME) & value.between(F.expr(_EARLIEST), F.expr(_LATEST)), value)
    return F.when(expected, value)


def _exact(field: Field, value: Column) -> Column:
    """Say whether no digit is lost; a number with an exponent arrives as a double, so it must return to that double."""
    text = F.col(f"_text_{field.name}")
    plain = text.rlike(_PLAIN_NUMBER)
    return F.when(_kind_of(field) == "DOUBLE", value.cast("double") == text.try_cast("double")).otherwise(plain)


def _kind_of(field: Field) -> Column:
    return F.col(f"_kind_{field.name}")


def _reason(contract: Contract) -> Column:
    is_object = F.size("_names") >= 0
    broken = F.concat_ws("; ", *[_first_broken(field) for field in contract.fields], *_surplus(contract))
    of_record = F.when(is_object & F.col("_record").isNotNull(), F.nullif(broken, F.lit("")))
    return F.coalesce("failure", of_record.otherwise("the record is not one JSON object in UTF-8 with each name once"))


def _surplus(contract: Contract) -> Iterator[Column]:
    if contract.closed:
        names = F.array_except("_names", F.array(*[F.lit(name) for name in contract.columns]))
        yield F.when(F.size(names) > 0, F.concat(F.lit("not in the contract: "), cut(F.concat_ws(", ", names))))


def _first_broken(field: Field) -> Column:
    found = _kind_of(field)
    names = F.create_map(*[F.lit(name) for pair in _JSON_NAMES.items() for name in pair])
    wrong = F.concat(F.lit(f"{field.name}: expected {field.kind}, found "), F.coalesce(names[found], F.lower(found)))
    checks = [F.when(broken, F.lit(f"{field.name}: {rule}")) for broken, rule in _broken_rules(field)]
    allowed = found.isin(*_VARIANT_KINDS[field.kind], *(["VOID"] if field.nullable else []))
    missing = F.when(found.isNull(), F.lit(f"{field.name}: missing")) if field.required else F.lit(None)
    return F.coalesce(missing, F.when(~allowed, wrong), *checks)


def _broken_rules(field: Field) -> Iterator[tuple[Column, str]]:
    if field.kind in _UNREADABLE:
        there = _kind_of(field).isNotNull() & (_kind_of(field) != "VOID")
        yield there & F.col(field.name).isNull(), _UNREADABLE[field.kind]
    for rule, limit in field.rules.items():
        yield _broken(field, rule, limit)


def _broken(field: Field, rule: str, limit: Any) -> tuple[Column, str]:  # noqa: ANN401 - as JSON Schema has it
    value, text = F.col(field.name), F.col(f"_text_{field.name}")
    bound = F.lit(str(limit)).try_cast(EXACT)
    rules: dict[str, tuple[Any, str]] = {
        "enum": (lambda: ~value.isin(limit), f"not one of {limit}"),
        "pattern": (lambda: ~text.rlike(_java(limit)), f"does not match {limit}"),
        "minLength": (lambda: F.char_length(text) < limit, f"shorter than {limit}"),
        "maxLength": (lambda: _utf16_units(text) > limit, f"longer than {limit}"),
        "minimum": (lambda: value < bound, f"below {limit}"),
        "maximum": (lambda: value > bound, f"above {limit}"),
        "exclusiveMinimum": (lambda: value <= bound, f"not above {limit}"),
        "exclusiveMaximum": (lambda: value >= bound, f"not below {limit}"),
    }
    broken, message = rules[rule]
    return broken(), message


def _utf16_units(text: Column) -> Column:
    """Count as SQL Server's nvarchar(n) does, to whose columns the bounds belong: a character beyond U+FFFF is two."""
    return F.octet_length(F.encode(text, "UTF-16BE")) / 2


def _java(pattern: str) -> str:
    """Let a closing `$` mean the very end, as in JSON Schema: Java's also matches before a last newline."""
    return pattern[:-1] + r"\z" if pattern.endswith("$") and not pattern.endswith(r"\$") else pattern
