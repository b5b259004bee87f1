"""Every rule of a contract over real Spark: what is good, what is not, and in which words."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from pyspark.sql import functions as F

from job_house import START, trade
from lakehouse.streams.checking import spark_schema
from lakehouse.streams.contract import load_contract, parse_contract
from lakehouse.streams.versions import Versions, records
from silver_house import EVENTS

WIDE = parse_contract(
    "wide",
    1,
    {
        "x-key": ["id"],
        "required": ["id"],
        "properties": {
            "id": {"type": "integer"},
            "code": {"type": "string", "pattern": "^[A-Z]{2}$", "minLength": 2, "maxLength": 2},
            "level": {"type": "integer", "minimum": 1, "maximum": 3, "enum": [1, 3]},
            "share": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
            "on": {"type": "boolean"},
            "note": {"type": ["string", "null"]},
            "at": {"type": "string", "format": "date-time"},
        },
    },
)


def found(spark, contract, bodies, *columns):
    """The (typed row, reason) of each body, all in one job."""
    rows = [(body, "0", "0", place, START, None, {}, START, None, "") for place, body in enumerate(bodies)]
    bronze = spark.createDataFrame(rows, EVENTS).coalesce(1)
    checked = records(bronze, "trades", Versions((contract,), contract.name)).orderBy("sequence_number")
    return checked.select(*(columns or ("*",))).collect()


GOOD = {
    '{"id": 1}': {"id": 1, "code": None},
    '{"id": 1, "share": 0.1234567890123456789e0}': None,
    '{"id": -9223372036854775808, "share": 0.123456789012345678}': {"share": Decimal("0.123456789012345678")},
    '{"id": 5.0, "share": 1e-7}': {"id": 5, "share": Decimal("1E-7")},
    '{"id": 1, "note": null, "extra": [1, {"a": 2}]}': {"note": None},
    '{"id": 1, "at": "2026-11-22T12:00:00.000001+02:00"}': {"at": datetime(2026, 11, 22, 10, 0, 0, 1, tzinfo=UTC)},
    '  {"id": 1, "on": true}\t': {"on": True},
}
BAD = {
    "": "the record is not one JSON object",
    "null": "the record is not one JSON object",
    "[1]": "the record is not one JSON object",
    '{"id": 1} {"id": 2}': "the record is not one JSON object",
    '{"id": 1}] [{}': "the record is not one JSON object",
    '{"id": 1}, "x": 2': "the record is not one JSON object",
    '{"id": 1, "id": 2}': "the record is not one JSON object",
    '{"id": 1': "the record is not one JSON object",
    "{}": "id: missing",
    '{"id": null}': "id: expected integer, found null",
    '{"id": "1"}': "id: expected integer, found string",
    '{"id": 1.5}': "id: no whole number of 64 bits",
    '{"id": 9223372036854775808}': "id: no whole number of 64 bits",
    '{"id": 1, "code": "ABC"}': "code: does not match ^[A-Z]{2}$",
    '{"id": 1, "code": "AB\\n"}': "code: does not match ^[A-Z]{2}$",
    '{"id": 1, "code": 12}': "code: expected string, found number",
    '{"id": 1, "level": 0}': "level: below 1",
    '{"id": 1, "level": 4}': "level: above 3",
    '{"id": 1, "level": 2}': "level: not one of [1, 3]",
    '{"id": 1, "share": 0}': "share: not above 0",
    '{"id": 1, "share": 1}': "share: not below 1",
    '{"id": 1, "share": 0.1234567890123456789}': "share: more than 20 digits before the point or 18 behind it",
    '{"id": 1, "share": 1e400}': "share: more than 20 digits",
    '{"id": 1, "on": "true"}': "on: expected boolean, found string",
    '{"id": 1, "note": {"a": 1}}': "note: expected string, found object",
    '{"id": 1, "at": 1795341600}': "at: expected date-time, found number",
    '{"id": 1, "at": "2026-02-30T10:00:00Z"}': "at: no date-time of RFC 3339",
    '{"id": 1, "at": "2026-11-22T10:00:00"}': "at: no date-time of RFC 3339",
    '{"id": 1, "at": "2026-11-22T10:00:00.0000001Z"}': "at: no date-time of RFC 3339",
    '{"id": 1, "at": "2026-11-22T10:00:00Z\\n"}': "at: no date-time of RFC 3339",
    '{"id": 1, "at": "0000-01-01T00:00:00Z"}': "at: no date-time of RFC 3339",
    '{"id": 1, "at": "0000-12-31T23:59:00-00:01"}': "at: no date-time of RFC 3339",
    '{"id": 1, "at": "0001-01-01T00:00:00+00:01"}': "at: no date-time of RFC 3339",
    '{"id": 1, "at": "9999-12-31T23:59:59.999999-00:01"}': "at: no date-time of RFC 3339",
    '{"id": 1, "at": "٢٠٢٦-11-22T10:00:00Z"}': "at: no date-time of RFC 3339",
    '{"id": "x", "level": 9, "on": 1}': "id: expected integer, found string; level: above 3; on: expected boolean",
}


@pytest.fixture(scope="session")
def checked_good(spark):
    return dict(zip(GOOD, found(spark, WIDE, [text.encode() for text in GOOD]), strict=True))


@pytest.fixture(scope="session")
def checked_bad(spark):
    return dict(zip(BAD, found(spark, WIDE, [text.encode() for text in BAD]), strict=True))


@pytest.mark.parametrize("text", [text for text, values in GOOD.items() if values is not None])
def test_a_good_record_keeps_its_values_exactly(checked_good, text):
    record = checked_good[text].asDict()

    assert record["reason"] is None
    assert {name: record[name] for name in GOOD[text]} == {
        name: value.replace(tzinfo=None) if isinstance(value, datetime) else value for name, value in GOOD[text].items()
    }


@pytest.mark.parametrize("text", GOOD)
def test_a_good_record_breaks_no_rule(checked_good, text):
    assert checked_good[text]["reason"] is None


@pytest.mark.parametrize("text", BAD)
def test_a_bad_record_is_told_which_rule_it_breaks(checked_bad, text):
    assert checked_bad[text]["reason"].startswith(BAD[text])


def test_columns_have_the_contracts_exact_types():
    types = {field.name: field.dataType.simpleString() for field in spark_schema(WIDE)}

    assert types == {
        "id": "bigint",
        "code": "string",
        "level": "bigint",
        "share": "decimal(38,18)",
        "on": "boolean",
        "note": "string",
        "at": "timestamp",
    }


def test_a_closed_contract_names_what_it_does_not_know(spark):
    (record,) = found(spark, load_contract("trades/1"), [json.dumps(trade(1, colour="red")).encode()])

    assert record["reason"] == "not in the contract: colour"


def test_the_first_and_the_last_instant_that_sql_can_hold_are_good(spark):
    texts = ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00-00:01", "9999-12-31T23:59:59.999999Z")
    bodies = [json.dumps({"id": 1, "at": text}).encode() for text in texts]

    # Python's own datetime can't show the first of them.
    kept = [row["at"] for row in found(spark, WIDE, bodies, F.col("at").cast("string"))]

    assert kept == ["0001-01-01 00:00:00", "0001-01-01 00:01:00", "9999-12-31 23:59:59.999999"]


def test_a_reason_stays_short_whatever_a_record_names(spark):
    (record,) = found(spark, load_contract("trades/1"), [json.dumps(trade(1, **{"x" * 10_000: 1})).encode()])

    assert record["reason"] == f"not in the contract: {'x' * 100}…"


def test_a_text_that_no_sql_column_could_hold_is_set_aside(spark):
    (record,) = found(spark, load_contract("trades/1"), [json.dumps(trade(1, symbol="x" * 1_000_000)).encode()])

    assert record["reason"] == "symbol: longer than 64"


def test_columns_tell_what_the_contract_says_of_them():
    comments = {field.name: field.metadata.get("comment") for field in spark_schema(load_contract("trades/1"))}

    assert (comments["direction"], comments["venue"]) == ("The taker's side.", "The exchange.")


def test_bytes_that_are_no_text_are_set_aside_whole(spark):
    (record,) = found(spark, load_contract("trades/1"), [b"\xff{}"])

    assert (record["reason"][:34], bytes(record["body"])) == ("the record is not one JSON object ", b"\xff{}")
