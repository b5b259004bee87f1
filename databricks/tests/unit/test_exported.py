"""How exported files become events of bronze: exact values, a place for each record, reasons of what is refused."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.reference import StoredFile
from lakehouse.streams.contract import load_contract
from lakehouse.streams.export_lines import UnreadableExport
from lakehouse.streams.exported import Taken, events_of

ORDERS = load_contract("orders/1")
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
FILE = StoredFile(f"exports/orders/{0:020d}-{41:020d}.parquet", NOON)


def orders(count=1, **columns):
    made = {
        "order_id": [f"{number:08x}-0000-8000-8000-000000000000" for number in range(count)],
        "user_id": list(range(1, count + 1)),
        "order_date": pa.array([NOON] * count, pa.timestamp("us", "UTC")),
        "order_value": pa.array([Decimal("1234.50")] * count, pa.decimal128(38, 18)),
        **columns,
    }
    return pa.table({name: values for name, values in made.items() if values is not None})


def written(table):
    sink = BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def events(table, file=FILE):
    return events_of(file, written(table), ORDERS, NOON)


def test_a_row_is_a_line_with_the_digits_and_the_time_that_it_had():
    (event,) = events(orders())

    assert event["body"] == (
        b'{"order_id":"00000000-0000-8000-8000-000000000000","user_id":1,'
        b'"order_date":"2026-11-27T12:00:00.000000Z","order_value":1234.5}\n'
    )
    assert event["properties"] == {"contract": "orders/1", "rows": "1"}


@pytest.mark.parametrize(
    ("value", "text"),
    [("0", "0"), ("100", "100"), ("0.000000000000000001", "0.000000000000000001"), ("-1.10", "-1.1")],
)
def test_numbers_are_exact(value, text):
    (event,) = events(orders(order_value=pa.array([Decimal(value)], pa.decimal128(38, 18))))

    assert event["body"].endswith(f'"order_value":{text}}}\n'.encode())


def test_texts_are_escaped_and_nulls_are_left_out():
    (event,) = events(orders(order_id=['a"b\n{}'], user_id=pa.array([None], pa.int64())))

    record = json.loads(event["body"])
    assert (record["order_id"], "user_id" in record) == ('a"b\n{}', False)


def test_times_as_data_factory_writes_them_are_utc():
    naive = pa.array([NOON.replace(tzinfo=None)], pa.timestamp("ns"))

    assert events(orders(order_date=naive))[0]["body"] == events(orders())[0]["body"]


def test_a_large_file_is_several_events_each_with_a_place_of_its_own():
    found = events(orders(45_000))

    assert [event["properties"]["rows"] for event in found] == ["20000", "20000", "5000"]
    assert len({event["partition"] for event in found}) == 3
    assert b"".join(event["body"] for event in found).count(b"\n") == 45_000


def test_an_event_is_numbered_by_the_last_change_in_the_files_name():
    def number(name):
        return events(orders(), StoredFile(f"exports/orders/{name}", NOON))[0]["sequence_number"]

    assert number(f"{40:020d}-{41:020d}.parquet") == 41
    assert number("40-41_00002.parquet") == 41
    assert (number("by-hand.parquet"), number("40-.parquet")) == (0, 0)


def test_a_file_without_rows_is_no_event():
    assert events(orders(0)) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (None, "the file is gone"),
        (b'{"order_id":"a"}\n', "no Parquet"),
        (b"PAR1" + b"\x00" * 40 + b"PAR1", "no Parquet"),
        (written(orders(50))[:-700] + b"PAR1", "no Parquet"),
        (written(orders(order_value=None)), "it has the columns .*'order_date'], and orders/1 has"),
        (written(orders(password=["x"])), "'password'"),
        (written(orders(user_id=["one"])), "user_id as string, which can't be read as int64"),
        (written(orders(order_value=[0.1])), "order_value as double"),
        (written(orders(order_date=["noon"])), "order_date as string"),
        (written(orders(order_id=[{"a": 1}])), "order_id as struct"),
    ],
)
def test_what_is_no_file_of_the_contract_is_refused_with_the_reason(content, reason):
    with pytest.raises(UnreadableExport, match=reason):
        events_of(FILE, content, ORDERS, NOON)


def at(seconds, path="a"):
    return StoredFile(path, NOON + timedelta(seconds=seconds))


def test_a_file_is_taken_once_and_again_where_it_was_written_again():
    taken = Taken().having([at(0)])

    assert taken.has(at(0))
    assert not taken.has(at(1))
    assert not taken.has(at(0, "b")), "another file of the same second"


def test_what_is_remembered_is_bounded_and_survives_a_commit():
    taken = Taken()
    for hour in range(100):
        taken = taken.having([at(3600 * hour, f"{hour}-{n}") for n in range(3)])

    again = Taken.of_source(taken.as_source())

    assert again == taken
    assert len(again.near) == 3
    assert all(again.has(at(3600 * hour, f"{hour}-0")) for hour in range(100))
