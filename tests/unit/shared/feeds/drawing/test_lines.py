import json
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts import parse_contract
from shared.feeds.drawing.identifiers import identifiers
from shared.feeds.drawing.lines import ndjson, text_column

CONTRACT = parse_contract(
    "visits",
    1,
    {
        "x-key": ["id"],
        "x-partition-key": "page",
        "required": ["id", "page"],
        "properties": {
            "note": {"type": "string"},
            "id": {"type": "integer"},
            "page": {"type": "string"},
            "seconds": {"type": "number"},
            "known": {"type": "boolean"},
            "at": {"type": "string", "format": "date-time"},
        },
    },
)


def read(batch):
    return [json.loads(line) for line in ndjson(batch, CONTRACT).lines.to_pylist()]


def test_each_row_is_one_line_of_the_contracts_columns():
    at = datetime(2026, 11, 22, 10, 0, 0, 250, tzinfo=UTC)
    batch = pa.record_batch(
        {
            "id": [1, 2],
            "page": pa.array(["/a", "/b"]).dictionary_encode(),
            "seconds": pa.array([Decimal("0.10"), Decimal("12.00")]),
            "known": [True, False],
            "at": pa.array([at, at], pa.timestamp("us", "UTC")),
            "note": ['say "hi"', "back\\slash"],
        }
    )

    records = ndjson(batch, CONTRACT)

    assert records.lines[0].as_py().endswith(b"}\n")
    assert read(batch)[0] == {
        "id": 1,
        "page": "/a",
        "seconds": 0.10,
        "known": True,
        "at": "2026-11-22T10:00:00.000250Z",
        "note": 'say "hi"',
    }
    assert b'"seconds":0.10,' in records.lines[0].as_py()
    assert records.keys.to_pylist() == ["/a", "/b"]


@given(
    st.lists(st.tuples(st.text(), st.none() | st.text(), st.none() | st.floats(allow_nan=False, allow_infinity=False)))
)
def test_whatever_the_values_each_line_reads_back_as_its_row(rows):
    pages, notes, seconds = ([row[column] for row in rows] for column in range(3))
    batch = pa.record_batch(
        {
            "id": pa.array(range(len(rows)), pa.int64()),
            "page": pa.array(pages, pa.string()),
            "note": pa.array(notes, pa.string()),
            "seconds": pa.array(seconds, pa.float64()),
        }
    )

    expected = [
        {
            name: value
            for name, value in zip(("id", "page", "note", "seconds"), (number, *row), strict=True)
            if value is not None
        }
        for number, row in enumerate(rows)
    ]
    assert read(batch) == expected


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"id": [1]}, "requires column 'page'"),
        ({"id": [1], "page": pa.array([None], pa.string())}, "requires column 'page', and 1 are null"),
        ({"id": [1], "page": ["/a"], "color": ["red"]}, "has no column 'color'"),
        ({"id": [1], "page": ["/a"], "seconds": [float("nan")]}, "'seconds' holds a number that is not finite"),
        ({"id": [1], "page": ["/a"], "note": [[1, 2]]}, "'note' is of type list"),
    ],
)
def test_a_column_that_can_not_be_written_is_named(columns, words):
    with pytest.raises(ValueError, match=words):
        ndjson(pa.record_batch(columns), CONTRACT)


def test_identifiers_become_a_column_without_being_copied():
    digits = identifiers(b"0" * 16, np.arange(3, dtype=np.uint64))

    column = text_column(digits)

    assert column.to_pylist() == [row.tobytes().decode() for row in digits]
