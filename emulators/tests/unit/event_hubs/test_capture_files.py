import io
from datetime import UTC, datetime

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st
from proton import Message, symbol, timestamp

from emulators.event_hubs.capture_files import avro_file, avro_row, avro_value, blob_path, us_time

ENQUEUED = datetime(2026, 11, 22, 15, 5, 9, 123_000, UTC)
ENQUEUED_MS = int(ENQUEUED.timestamp() * 1000)


def encoded(body=b"{}", annotations=None, **fields):
    message = Message(body=body, inferred=True, **fields)
    message.annotations = {symbol(name): value for name, value in (annotations or {}).items()}
    return message.encode()


def read(content):
    reader = fastavro.reader(io.BytesIO(content))
    return reader.writer_schema, list(reader)


def test_a_file_has_captures_schema_and_one_row_an_event():
    schema, rows = read(avro_file([(7, ENQUEUED_MS, encoded(b"a")), (8, ENQUEUED_MS, encoded(b"b"))], 5_000))

    assert schema["name"] == "Microsoft.ServiceBus.Messaging.EventData"
    assert [field["name"] for field in schema["fields"]] == [
        "SequenceNumber", "Offset", "EnqueuedTimeUtc", "SystemProperties", "Properties", "Body",
    ]  # fmt: skip
    assert [(row["SequenceNumber"], row["Offset"], row["Body"]) for row in rows] == [
        (7, "5007", b"a"),
        (8, "5008", b"b"),
    ]


def test_properties_keep_their_kind():
    given = {"contract": "trades/1", "rows": 3, "share": 0.5, "raw": b"\x00", "flag": True, "at": timestamp(12)}

    _, (row,) = read(avro_file([(0, ENQUEUED_MS, encoded(properties=given))], 0))

    assert row["Properties"] == {**given, "flag": "True", "at": 12}


def test_system_properties_hold_key_enqueued_time_and_what_the_publisher_set():
    annotations = {"x-opt-partition-key": "BTC"}

    row = avro_row((0, ENQUEUED_MS, encoded(annotations=annotations, content_type="application/json", id="m")), 0)

    set_by_publisher = {"content-type": "application/json", "message-id": "m"}
    assert row["SystemProperties"] == annotations | set_by_publisher | {"x-opt-enqueued-time": ENQUEUED_MS}


def test_an_event_without_properties_has_empty_maps_and_its_time():
    row = avro_row((0, ENQUEUED_MS, encoded()), 0)

    assert (row["Properties"], row["SystemProperties"]) == ({}, {"x-opt-enqueued-time": ENQUEUED_MS})
    assert row["EnqueuedTimeUtc"] == "11/22/2026 3:05:09 PM"


def test_an_event_whose_text_is_none_is_kept_whole():
    spoilt = encoded(properties={"name": "spoilt"}).replace(b"spoilt", b"\xff" * 6)

    assert avro_row((0, ENQUEUED_MS, spoilt), 0)["Body"] == spoilt


@pytest.mark.parametrize(
    ("hour", "text"), [(0, "1/2/2026 12:00:03 AM"), (11, "1/2/2026 11:00:03 AM"), (12, "1/2/2026 12:00:03 PM")]
)
def test_times_are_written_as_in_the_united_states(hour, text):
    assert us_time(datetime(2026, 1, 2, hour, 0, 3, tzinfo=UTC)) == text


def test_a_path_has_captures_form():
    assert (
        blob_path("trades", "3", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "local/trades/3/2026/01/02/03/04/05.avro"
    )


@given(st.one_of(st.integers(), st.floats(allow_nan=False), st.text(), st.binary(), st.booleans(), st.none()))
def test_every_value_fits_the_schemas_maps(value):
    fitted = avro_value(value)

    assert isinstance(fitted, int | float | str | bytes)
    assert isinstance(fitted, str) or fitted == value
    assert not isinstance(fitted, int) or -(2**63) <= fitted < 2**63
