import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients.sql.records import RecordRefused, RowFormat, rows_of
from shared.contracts import load_contract, parse_contract
from shared.domain.delivery import Delivery, Event

CONTRACT = parse_contract(
    "things",
    1,
    {
        "required": ["id", "n"],
        "x-key": ["id", "n"],
        "x-partition-key": "id",
        "properties": {
            "id": {"type": "string"},
            "n": {"type": "integer"},
            "x": {"type": "number"},
            "flag": {"type": "boolean"},
            "at": {"type": "string", "format": "date-time"},
        },
    },
)
FORMAT = RowFormat.of(CONTRACT)


def named(row):
    return dict(zip([column.name for column in CONTRACT.columns], row, strict=True))


def read(**values):
    return named(FORMAT.row_of(json.dumps({"id": "a", "n": 1} | values).encode()))


def number(text):
    return named(FORMAT.row_of(b'{"id": "a", "n": 1, "x": ' + text.encode() + b"}"))["x"]


def test_a_record_is_a_row_of_all_columns_and_what_is_not_there_is_none():
    assert read(flag=True, x=None) == {"id": "a", "n": 1, "x": None, "flag": True, "at": None}


@pytest.mark.parametrize("text", ["0", "-1.50", "1e3", "0.000000000000000001", "99999999999999999999.1", "1.0e-18"])
def test_a_number_keeps_its_digits(text):
    assert number(text) == format(Decimal(text), "f")


@pytest.mark.parametrize(
    "text", ["1e20", "1e-19", "0.0000000000000000001", "1e999999", "1e-999999", "123456789012345678901"]
)
def test_a_number_of_more_digits_than_the_column_holds_is_refused(text):
    with pytest.raises(RecordRefused, match="x must have at most 20 digits"):
        number(text)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=18, max_value=10**19, min_value=-(10**19)))
def test_every_number_within_the_digits_of_the_column_is_kept(value):
    assert Decimal(number(f"{value:f}")) == value


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 1.5, "1", True, [], {}])
def test_what_is_no_whole_number_of_64_bits_is_refused(value):
    with pytest.raises(RecordRefused, match="n must be a whole number of 64 bits"):
        read(n=value)


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("id", 1, "must be a string"),
        ("id", None, "is missing"),
        ("id", "\ud800", "surrogates|utf-8"),
        ("id", "x" * (FORMAT.key_length + 1), "at most 441 characters"),
        ("id", "𝄞" * (FORMAT.key_length // 2 + 1), "at most 441 characters"),
        ("id", "x ", "must not end in a space"),
        ("x", "1", "must be a number"),
        ("x", True, "must be a number"),
        ("flag", 1, "must be true or false"),
        ("at", "yesterday", "must be a date-time"),
        ("at", "2026-11-22T12:00:00", "with its zone"),
        ("at", "0001-01-01T00:00:00+14:00", "must be a date-time"),
        ("at", 1, "must be a date-time"),
        ("other", 1, "has no column"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_its_column_and_rule(field, value, rule):
    with pytest.raises(RecordRefused, match=rule) as refused:
        read(**{field: value})

    assert field in str(refused.value)


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"1", b"NaN", b'{"id": NaN}', b"\xff", b"[" * 9999, b"9" * 9999])
def test_what_is_no_json_object_is_refused(line):
    with pytest.raises(RecordRefused, match="a record is no JSON"):
        FORMAT.row_of(line)


def test_a_time_is_kept_in_utc():
    assert read(at="2026-11-22T14:00:00.123456+02:00")["at"] == "2026-11-22T12:00:00.123456"


def test_a_key_of_several_texts_shares_the_bytes_that_sql_server_gives_it():
    assert RowFormat.of(load_contract("trades/1")).key_length == 220


def test_an_event_that_has_not_the_records_that_it_says_is_refused_whole():
    event = Event(b'{"id": "a", "n": 1}\n{"id": "a", "n": 2}', 3, {})

    rows, refused = rows_of([event], FORMAT)

    assert (rows, refused.refused) == ([], 3)
    assert "an event of 3 records has 2 lines" in refused.refusals[0].reason


@given(st.lists(st.binary(max_size=60).filter(lambda body: b"\n" not in body and body.strip()), max_size=9))
def test_of_any_bytes_each_record_is_a_row_or_refused(lines):
    event = Event(b"\n".join(lines), len(lines), {})

    rows, refused = rows_of([event], FORMAT)

    assert len(rows) + refused.refused == len(lines)
    assert refused.accepted == Delivery().accepted
