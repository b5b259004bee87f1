import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients.storage.lake_encoding import lines_of, new_file
from shared.contracts import Column, Contract
from shared.domain.delivery import Event

CONTRACT = Contract(
    "orders",
    1,
    ("id",),
    "id",
    (
        Column("id", "integer", required=True),
        Column("price", "number", required=True),
        Column("note", "string", required=False),
        Column("paid", "boolean", required=True),
        Column("at", "date-time", required=True),
    ),
)
LINE = b'{"id":1,"price":0.1,"paid":true,"at":"2026-11-22T10:00:00.000001Z"}'
records = st.builds(dict, id=st.integers(), name=st.text())


def event(body, count=1, **properties):
    return Event(body, count, {"slice": "w/0.1", **properties})


def pack(lines, encoding="identity"):
    body = b"".join(line + b"\n" for line in lines)
    packed = pa.Codec("zstd").compress(body, asbytes=True) if encoding == "zstd" else body
    return event(packed, len(lines), rows=len(lines), encoding=encoding)


def parquet_of(*additions):
    """Write lines into a file one addition after the other; gives its bytes as a reader finds them after the last."""
    file, content = new_file(CONTRACT, "parquet"), b""
    for lines in additions:
        added = file.add(lines)
        file, content = added.file, content + added.block
    return content + added.tail


def line(**changes):
    return json.dumps(json.loads(LINE) | changes).encode()


@given(st.lists(st.lists(records, min_size=1), max_size=4), st.sampled_from(["identity", "zstd"]))
def test_lines_are_those_that_were_packed(groups, encoding):
    packs = [[json.dumps(record).encode() for record in group] for group in groups]

    read = lines_of([pack(lines, encoding) for lines in packs])

    assert read.lines == tuple(line for lines in packs for line in lines)
    assert (read.events, read.refusals) == (len(packs), ())


def test_a_row_is_one_line_whatever_separators_of_lines_its_text_has():
    body = '{"note":"a\u2028b\x85c"}'.encode()

    assert lines_of([event(body)]).lines == (body,)


def test_a_pack_of_several_frames_is_opened_whole():
    codec = pa.Codec("zstd")
    frames = codec.compress(b'{"a":1}\n', asbytes=True) + codec.compress(b'{"a":2}\n', asbytes=True)

    assert lines_of([event(frames, 2, rows=2, encoding="zstd")]).lines == (b'{"a":1}', b'{"a":2}')


@pytest.mark.parametrize(
    ("refused", "rows", "why"),
    [
        (event(b"not zstd", 7, rows=7, encoding="zstd"), 7, "it is not zstd"),
        (event(b"{}\n{}\n", 3, rows=3), 3, "it says that it has 3 records, and has 2"),
        (event(b"{}", 1, encoding="lz4"), 1, "its encoding is 'lz4'"),
        (event(b"[1]"), 1, "not one JSON object"),
        (event(b'{"a":'), 1, "not one JSON object"),
        (event(b'{"a":"\xff"}'), 1, "not one JSON object"),
        (event(b""), 1, "not one JSON object"),
        (event(b'{"a":' + b"[" * 5_000), 1, "not one JSON object"),
    ],
)
def test_what_can_not_be_read_is_refused_with_its_reason_and_the_rest_is_kept(refused, rows, why):
    read = lines_of([event(b'{"a":1}'), refused, event(b'{"a":2}')])

    assert read.lines == (b'{"a":1}', b'{"a":2}')
    assert [refusal.rows for refusal in read.refusals] == [rows]
    assert why in read.refusals[0].reason


def test_one_bad_record_of_a_pack_is_refused_alone():
    read = lines_of([pack([b'{"a":1}', b"nonsense", b'{"a":3}'])])

    assert read.lines == (b'{"a":1}', b'{"a":3}')
    assert [refusal.rows for refusal in read.refusals] == [1]
    assert "'nonsense'" in read.refusals[0].reason


def test_lines_keep_every_digit():
    number = b'{"price":0.10000000000000000000000001000}'

    added = new_file(CONTRACT, "ndjson").add([number])

    assert added.block + added.tail == number + b"\n"


def test_columns_are_those_of_the_contract_and_numbers_keep_their_digits():
    table = pq.read_table(io.BytesIO(parquet_of([LINE, line(price=123456789012, note="n")])))

    assert table.to_pylist() == [
        {"id": 1, "price": Decimal("0.1"), "note": None, "paid": True, "at": datetime(2026, 11, 22, 10, 0, 0, 1, UTC)},
        {
            "id": 1,
            "price": Decimal(123456789012),
            "note": "n",
            "paid": True,
            "at": datetime(2026, 11, 22, 10, 0, 0, 1, UTC),
        },
    ]
    assert [field.name for field in table.schema if field.nullable] == ["note"]


@pytest.mark.parametrize("price", ["0.000000000000000001", "12345678901234567890.123456789012345678"])
def test_a_number_is_never_rounded(price):
    body = LINE.replace(b"0.1", price.encode())

    assert pq.read_table(io.BytesIO(parquet_of([body])))["price"].to_pylist() == [Decimal(price)]


@pytest.mark.parametrize(
    ("misfit", "why"),
    [
        (line(id="x"), "`$.id`"),
        (line(id=2**63), "large"),
        (line(price=None), "`$.price`"),
        (line(price="0.1"), "`$.price`"),
        (line(price=True), "`$.price`"),
        (LINE.replace(b"0.1", b"0.0000000000000000001"), "Decimal"),
        (line(at="yesterday"), "`$.at`"),
        (line(at="2026-11-22T10:00:00"), "`$.at`"),
        (line(paid=1), "`$.paid`"),
        (line(surplus=1), "`surplus`"),
        (b'{"id":1}', "missing required field"),
    ],
)
def test_a_record_that_does_not_fit_the_columns_is_refused_alone(misfit, why):
    added = new_file(CONTRACT, "parquet").add([LINE, misfit, LINE])

    assert added.rows == 2
    assert [refusal.rows for refusal in added.refusals] == [1]
    assert why in added.refusals[0].reason


def test_an_addition_that_is_refused_whole_writes_nothing():
    file = new_file(CONTRACT, "parquet")

    added = file.add([b'{"id":1}'])

    assert (added.rows, added.block, added.tail, added.file) == (0, b"", b"", file)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6))
def test_a_file_is_whole_after_each_addition_though_only_what_is_new_is_written(sizes):
    additions = [[line(id=100 * number + one) for one in range(size)] for number, size in enumerate(sizes)]

    for count in range(1, len(additions) + 1):
        table = pq.read_table(io.BytesIO(parquet_of(*additions[:count])))
        assert table["id"].to_pylist() == [json.loads(each)["id"] for lines in additions[:count] for each in lines]
