import zlib
from itertools import groupby

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.feeds.packing import Packing, as_events
from shared.feeds.records import Records

KEYS = ["us", "de", "fr", "unk", "gb", "jp"]


def records_of(pairs: list[tuple[str, bytes]], kind: pa.DataType | None = None) -> Records:
    keys = pa.array([key for key, _ in pairs], pa.string()).dictionary_encode()
    return Records(pa.array([body + b"\n" for _, body in pairs], kind or pa.binary()), keys)


def events_of(records: Records, packing: Packing, partitions: int = 4):
    return as_events(records, packing, contract="trades/1", slice_id="w/1.1", partitions=partitions)


def numbered(count: int, size: int = 10) -> list[tuple[str, bytes]]:
    return [(KEYS[number % len(KEYS)], b"%0*d" % (size, number)) for number in range(count)]


pairs = st.lists(st.tuples(st.sampled_from(KEYS), st.binary(max_size=60).filter(lambda body: b"\n" not in body)))


def test_a_row_is_one_record_without_its_newline_sent_by_its_key():
    events, refusals = events_of(records_of([("us", b'{"a":1}'), ("de", b'{"a":2}')]), Packing())

    assert [(event.body, event.partition_key, event.rows) for event in events] == [
        (b'{"a":1}', "us", 1),
        (b'{"a":2}', "de", 1),
    ]
    assert events[0].properties == {"contract": "trades/1", "slice": "w/1.1"}
    assert refusals == ()


def test_a_pack_says_contract_slice_rows_and_encoding():
    events, _ = events_of(records_of(numbered(3)), Packing("pack"), partitions=1)

    assert events[0].properties == {"contract": "trades/1", "slice": "w/1.1", "rows": 3, "encoding": "identity"}
    assert (events[0].partition_id, events[0].partition_key, events[0].rows) == ("0", None, 3)


def test_a_record_goes_to_the_partition_that_the_checksum_of_its_key_gives():
    events, _ = events_of(records_of([(key, key.encode()) for key in KEYS]), Packing("pack"))

    for event in events:
        keys = event.body.decode().split()
        assert {str(zlib.crc32(key.encode()) % 4) for key in keys} == {event.partition_id}


@pytest.mark.parametrize("encoding", ["identity", "zstd"])
def test_packs_for_a_destination_without_partitions_hold_all_keys_in_the_order_of_the_stream(encoding):
    pairs = numbered(30)

    events, refusals = events_of(records_of(pairs), Packing("pack", encoding=encoding), partitions=0)

    assert [(event.rows, event.partition_id, event.partition_key) for event in events] == [(30, None, None)]
    assert unpacked(events[0]) == b"".join(body + b"\n" for _, body in pairs)
    assert refusals == ()


@pytest.mark.parametrize("encoding", ["identity", "zstd"])
@given(pairs=pairs, limit=st.integers(90, 200), partitions=st.integers(1, 7))
def test_packs_hold_every_record_once_in_the_order_of_its_partition_within_the_limit(
    encoding, pairs, limit, partitions
):
    packing = Packing("pack", limit, encoding)

    events, refusals = events_of(records_of(pairs), packing, partitions)

    assert refusals == ()
    assert all(len(event.body) <= limit for event in events)
    assert sum(event.rows for event in events) == len(pairs)
    for partition, group in groupby(events, key=lambda event: event.partition_id):
        bodies = b"".join(unpacked(event) for event in group)
        assert bodies == b"".join(body + b"\n" for key, body in pairs if owner(key, partitions) == partition)


def unpacked(event) -> bytes:
    if event.properties["encoding"] == "identity":
        return event.body
    return pa.input_stream(pa.BufferReader(event.body), compression="zstd").read()


def owner(key: str, partitions: int) -> str:
    return str(zlib.crc32(key.encode()) % partitions)


@given(pairs=pairs, start=st.integers(0, 20), length=st.integers(0, 20))
def test_a_slice_of_records_gives_only_its_own(pairs, start, length):
    some = records_of(pairs).slice(min(start, len(pairs)), min(start + length, len(pairs)))

    packed, _ = events_of(some, Packing("pack"), partitions=1)
    rows, _ = events_of(some, Packing("row"))

    wanted = [body for _, body in pairs[start : start + length]]
    assert b"".join(event.body for event in packed) == b"".join(body + b"\n" for body in wanted)
    assert [event.body for event in rows] == wanted


def test_a_pack_is_as_full_as_its_limit_allows():
    events, _ = events_of(records_of(numbered(100, size=9)), Packing("pack", limit=100), partitions=1)

    assert [event.rows for event in events] == [10] * 10


@pytest.mark.parametrize("mode", ["row", "pack"])
def test_a_record_over_the_limit_is_refused_by_name_and_the_rest_goes(mode):
    giant = b'{"transactionID":"t-77","note":"' + b"x" * 400 + b'"}'

    events, refusals = events_of(records_of([("us", b"{}"), ("de", giant), ("fr", b"[]")]), Packing(mode, limit=300))

    assert sum(event.rows for event in events) == 2
    assert [refusal.rows for refusal in refusals] == [1]
    assert "t-77" in refusals[0].reason
    assert "'de'" in refusals[0].reason
    assert f"{len(giant) + 1} bytes" in refusals[0].reason
    assert "limit of 300 bytes" in refusals[0].reason
    assert "x" * 81 not in refusals[0].reason


@pytest.mark.parametrize(("mode", "accepted"), [("row", 1), ("pack", 0)])
def test_the_newline_counts_only_where_it_travels(mode, accepted):
    events, _ = events_of(records_of([("us", b"x" * 50)]), Packing(mode, limit=50))

    assert len(events) == accepted


def test_many_records_over_the_limit_are_named_twenty_at_most_but_all_counted():
    events, refusals = events_of(records_of(numbered(500, size=90)), Packing("pack", limit=50))

    assert events == []
    assert len(refusals) == 20
    assert sum(refusal.rows for refusal in refusals) == 500


def test_a_pack_that_compression_can_not_bring_under_the_limit_is_halved():
    noise = np.random.default_rng(3).integers(32, 127, (200, 100), dtype=np.uint8)

    events, refusals = events_of(
        records_of([("us", bytes(row)) for row in noise]), Packing("pack", limit=2_000, encoding="zstd"), partitions=1
    )

    assert refusals == ()
    assert sum(event.rows for event in events) == 200
    assert {event.properties["encoding"] for event in events} == {"zstd"}
    assert max(len(event.body) for event in events) <= 2_000


def test_a_record_that_compression_makes_too_large_travels_as_it_is_and_says_so():
    noise = bytes(np.random.default_rng(5).integers(128, 256, 99, dtype=np.uint8))

    events, refusals = events_of(records_of([("us", noise)]), Packing("pack", limit=100, encoding="zstd"))

    assert [(event.body, event.properties["encoding"]) for event in events] == [(noise + b"\n", "identity")]
    assert refusals == ()


def test_text_and_large_binary_lines_are_packed_alike():
    expected = events_of(records_of(numbered(20)), Packing("pack", limit=60))

    assert events_of(records_of(numbered(20), pa.large_binary()), Packing("pack", limit=60)) == expected


def test_no_records_make_no_events():
    assert events_of(records_of([]), Packing("pack")) == ([], ())
    assert events_of(records_of([]), Packing("row")) == ([], ())
