"""The content of a spilled batch: what is kept is read back, and nothing else is."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients.storage.spill_encoding import decode, encode
from shared.domain.delivery import Event
from shared.domain.spill import SpilledBatch
from shared.errors import SpoiltBatch

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

properties = st.dictionaries(st.text(max_size=9), st.text(max_size=9) | st.integers(-(2**63), 2**63 - 1), max_size=4)
events = st.builds(
    Event,
    body=st.binary(max_size=200),
    rows=st.integers(0, 10**6),
    properties=properties,
    partition_key=st.none() | st.text(max_size=9),
    partition_id=st.none() | st.text("0123456789", min_size=1, max_size=2),
)


def batch_of(encoded, **changes):
    batch = SpilledBatch("p", "trades", "trades", encoded.rows, encoded.events, encoded.sha256, NOON)
    return replace(batch, **changes)


def packed(lines):
    return pa.Codec("zstd").compress(lines, asbytes=True)


def spoilt(content, **changes):
    """Say what decoding says of a content whose SHA-256 is right."""
    sha256 = hashlib.sha256(content).hexdigest()
    batch = SpilledBatch("p", "trades", "trades", 1, 1, sha256, NOON)
    with pytest.raises(SpoiltBatch) as caught:
        decode(replace(batch, **changes), content)
    return str(caught.value)


@given(st.lists(events, max_size=20), st.integers(1, 500))
def test_whatever_is_kept_is_read_back_in_its_order_with_the_types_of_its_properties(given_events, largest):
    batches = list(encode(given_events, largest))

    read = [event for encoded in batches for event in decode(batch_of(encoded), encoded.content)]

    assert read == given_events
    assert [[type(value) for value in event.properties.values()] for event in read] == [
        [type(value) for value in event.properties.values()] for event in given_events
    ]
    assert all(encoded.events for encoded in batches)


def test_a_batch_ends_with_the_line_that_reaches_its_size():
    batches = list(encode([Event(b"x" * 75, 1, {}) for _ in range(7)], largest=300))

    assert [encoded.events for encoded in batches] == [3, 3, 1]


def test_the_same_events_are_the_same_content():
    (first,), (second,) = (list(encode([Event(b"x", 1, {"a": 1})] * 9)) for _ in range(2))

    assert first == second


def test_a_line_is_what_the_docs_say():
    (encoded,) = encode([Event(b"{}", 3, {"contract": "trades/1", "rows": 3}, "k"), Event(b"", 1, {}, None, "7")])

    with pa.input_stream(pa.py_buffer(encoded.content), compression="zstd") as stream:
        lines = stream.read().splitlines()

    assert [json.loads(line) for line in lines] == [
        {"body": "e30=", "rows": 3, "properties": {"contract": "trades/1", "rows": 3}, "key": "k"},
        {"body": "", "rows": 1, "properties": {}, "partition": "7"},
    ]


def test_a_content_that_was_changed_is_refused():
    (encoded,) = encode([Event(b"{}", 1, {})])

    with pytest.raises(SpoiltBatch, match="changed after it was spilled"):
        decode(batch_of(encoded), encoded.content + b"\0")


def test_a_batch_of_a_newer_version_is_refused_before_it_is_read():
    (encoded,) = encode([Event(b"{}", 1, {})])

    with pytest.raises(SpoiltBatch, match=r"newer version of the app wrote it \(version 2; this one reads 1\)"):
        decode(batch_of(encoded, version=2, sha256="of another kind"), encoded.content)


LINE = b'{"body":"e30=","rows":1,"properties":{}}\n'


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (LINE * 2, "has 2 events of 2 records, not 1 of 1"),
        (b"", "has 0 events"),
        (LINE.replace(b'"rows":1', b'"rows":2'), "has 1 events of 2 records"),
        (LINE[:-5], "can't be read: DecodeError"),
        (LINE.replace(b"e30=", b"e3="), "can't be read"),
        (LINE.replace(b"{}}", b'{"a":1.5}}'), "can't be read: ValidationError"),
        (LINE.replace(b"{}}", b'{"a":true}}'), "can't be read: ValidationError"),
        (LINE.replace(b"{}}", b'{},"colour":"red"}'), "can't be read: ValidationError"),
        (LINE.replace(b'"rows":1', b'"rows":-1'), "can't be read: ValidationError"),
        (b"[" * 100_000, "can't be read"),
    ],
)
def test_lines_that_are_not_whole_are_refused_with_the_reason(lines, said):
    assert said in spoilt(packed(lines))


def test_what_is_no_zstd_or_breaks_off_is_refused_with_the_reason():
    whole = packed(LINE * 1_000)

    assert "can't be read" in spoilt(b"plain text")
    assert "can't be read" in spoilt(whole[:-9], rows=1_000, events=1_000)
    assert "has 0 events" in spoilt(b"")


def test_what_unpacks_to_more_than_any_batch_has_is_refused_without_being_held():
    assert "unpacks to more than" in spoilt(packed(b"\n" * 70_000_000))
