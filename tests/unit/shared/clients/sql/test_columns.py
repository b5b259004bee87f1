import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clients.sql.columns import ColumnReader
from shared.clients.sql.records import RecordRefused, RowFormat, rows_of
from shared.contracts import load_contract, parse_contract
from shared.domain.delivery import Event

CONTRACT = parse_contract(
    "things",
    1,
    {
        "required": ["a key", "x"],
        "x-key": ["a key"],
        "x-partition-key": "a key",
        "properties": {
            "a key": {"type": "string"},
            "x": {"type": "number"},
            "n": {"type": "integer"},
            "text": {"type": "string"},
            "flag": {"type": "boolean"},
            "at": {"type": "string", "format": "date-time"},
        },
    },
)
FORMAT = RowFormat.of(CONTRACT)
READER = ColumnReader.of(CONTRACT, FORMAT.key_length)
PLAIN = b'{"a key": "a", "x": 1.50, "n": 7, "text": "\\u00e4", "flag": true, "at": "2026-11-22T12:00:00.123Z"}'

words = st.sampled_from(["", "a", "a ", " \n", "ä", "𝄞" * 230, "x" * 460, "\ud800", "2026-11-22T12:00:00.5+02:00"])
times = st.sampled_from(
    [
        "2026-11-22T12:00:00.123Z",
        "2026-02-29T12:00:00.123Z",
        "2026-11-22T24:00:00.000Z",
        "2026-11-22T12:00:00",
        "0001-01-01T00:00:00+14:00",
    ]
)
numbers = st.sampled_from(
    [
        "0",
        "-0",
        "-0.0",
        "1e3",
        "1.50",
        "1E-19",
        "123456789012345678901",
        "0.1234567890123456789",
        "1.0000000000000000000",
        "NaN",
    ]
)
integers = st.integers(-(2**65), 2**65).map(str)
values = st.one_of(
    words.map(json.dumps), times.map(json.dumps), numbers, integers, st.sampled_from(["null", "true", "[]", "{}"])
)


FITTING = {"a key": words.map(json.dumps), "x": numbers, "n": integers, "at": times.map(json.dumps)}


def one_by_one(lines):
    """Give the rows of records read one after the other, None for one that is refused."""
    rows = []
    for line in lines:
        try:
            rows.append(FORMAT.row_of(line))
        except RecordRefused:
            rows.append(None)
    return rows


def by_column(lines):
    """Give the rows of records that are all plain, or None."""
    try:
        return READER.rows(lines)
    except (ValueError, OverflowError, RecursionError):
        return None


@st.composite
def records(draw):
    good = {"a key": '"a"', "x": "1.5", "n": "1", "text": '"b"', "flag": "true", "at": '"2026-11-22T12:00:00.000Z"'}
    for name in draw(st.lists(st.sampled_from([*good, "other"]), max_size=2)):
        good[name] = draw(st.one_of(FITTING.get(name, values), values))
    for name in draw(st.lists(st.sampled_from(list(good)), max_size=1)):
        del good[name]
    return ("{" + ", ".join(f'"{name}": {value}' for name, value in good.items()) + "}").encode()


@settings(max_examples=600)
@given(st.lists(records(), min_size=1, max_size=4))
def test_what_is_read_by_column_is_what_is_read_one_by_one(lines):
    found = by_column(lines)

    assert found is None or found == one_by_one(lines)


def test_plain_records_are_read_by_column():
    lines = [PLAIN, b'{"a key": "b", "x": 2, "n": null, "at": null}', b'{"x": -0.1, "a key": "c"}']

    assert by_column(lines) == [
        ("a", "1.50", 7, "ä", True, "2026-11-22T12:00:00.123000"),
        ("b", "2", None, None, None, None),
        ("c", "-0.1", None, None, None, None),
    ]


@pytest.mark.parametrize("name", ["orders/1", "items/1", "trades/1"])
def test_contracts_of_the_feeds_are_read_by_column(name):
    contract = load_contract(name)
    examples = {"string": "a", "number": 1.5, "integer": 1, "boolean": True, "date-time": "2026-11-22T12:00:00.123456Z"}
    line = json.dumps({column.name: examples[column.kind] for column in contract.columns}).encode()

    rows = ColumnReader.of(contract, 200).rows([line, line])

    assert rows == [RowFormat.of(contract).row_of(line)] * 2


@pytest.mark.parametrize("place", [0, 250, 499, 500, 999, 1000, 1199])
def test_one_record_that_is_wrong_takes_nothing_from_its_neighbours(place):
    lines = [PLAIN.replace(b'"a"', f'"{number}"'.encode()) for number in range(1200)]
    lines[place] = b'{"x": 1}'

    rows, refused = rows_of([Event(b"\n".join(lines), 1200, {})], FORMAT)

    assert [row[0] for row in rows] == [str(number) for number in range(1200) if number != place]
    assert [refusal.reason for refusal in refused.refusals] == ["a key is missing"]
