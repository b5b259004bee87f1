import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from proton import Data, Message, symbol

from emulators.event_hubs.messages import MalformedMessage, encode_delivery, read_publication, skip_value

BODIES = st.binary(max_size=300)


def data_section(body):
    head = b"\xa0" + bytes((len(body),)) if len(body) < 256 else b"\xb0" + struct.pack(">I", len(body))
    return b"\x00\x53\x75" + head + body


def annotations_section(key):
    entry = b"\xa3\x13x-opt-partition-key\xa1" + bytes((len(key),)) + key.encode()
    return b"\x00\x53\x72\xc1" + bytes((len(entry) + 1, 2)) + entry


def delivered(event):
    message = Message()
    message.decode(encode_delivery(event, sequence=7, offset="1007", enqueued_ms=1234))
    return message


@given(st.lists(BODIES, min_size=1, max_size=20))
def test_a_batch_is_split_into_exactly_its_events(bodies):
    events = [data_section(body) for body in bodies]

    publication = read_publication(b"".join(data_section(event) for event in events))

    assert publication.events == events
    assert publication.partition_key is None


@given(BODIES)
def test_a_message_that_is_no_batch_is_one_event_as_it_came(body):
    payload = b"\x00\x53\x70\xc0\x02\x01\x41" + data_section(body)

    assert read_publication(payload).events == [payload]


def javascript_message(body, key=None, *fields):
    """Encode as JavaScript's library does: a header and properties around everything, empty or not."""
    annotations = b"\xd1" + struct.pack(">II", 4, 0) if key is None else annotations_section(key)[3:]
    header = b"\x00\x53\x70" + (b"\x45" if key is None else b"\xd0" + struct.pack(">II", 5, 1) + b"\x41")
    properties = b"".join(b"\xa1" + bytes((len(text),)) + text for text in fields)
    listed = b"\xd0" + struct.pack(">II", len(properties) + 4, len(fields)) + properties if fields else b"\x45"
    return header + b"\x00\x53\x72" + annotations + b"\x00\x53\x73" + listed + body


@pytest.mark.parametrize("key", [None, "BTC"])
def test_a_batch_of_the_javascript_client_with_headers_and_properties_everywhere_is_split_into_events(key):
    events = [javascript_message(data_section(body), key, b"an-id") for body in (b"1", b"2" * 400)]

    publication = read_publication(javascript_message(b"".join(map(data_section, events)), key))

    assert publication.events == events
    assert publication.partition_key == key
    messages = [delivered(event) for event in publication.events]
    assert [bytes(message.body) for message in messages] == [b"1", b"2" * 400]


def test_one_event_of_the_javascript_client_stays_one():
    payload = javascript_message(data_section(b"1"), "BTC", b"an-id")

    assert read_publication(payload).events == [payload]


def test_the_key_of_a_batch_is_read_from_its_annotations():
    inner = annotations_section("k") + data_section(b"a")

    publication = read_publication(annotations_section("k") + data_section(inner))

    assert publication.partition_key == "k"
    assert publication.events == [inner]


def test_an_event_without_annotations_inherits_the_key_of_its_batch():
    publication = read_publication(annotations_section("k") + data_section(data_section(b"a")))

    assert publication.events == [annotations_section("k") + data_section(b"a")]


def test_a_body_that_only_looks_like_a_message_is_one_event():
    payload = data_section(b"\x00\x53\x75 but not really")

    assert read_publication(payload).events == [payload]


@given(st.binary(max_size=60))
def test_noise_is_either_read_as_one_event_or_refused_as_malformed(noise):
    payload = b"\x00\x53\x75" + noise

    with suppress(MalformedMessage):
        assert b"".join(read_publication(payload).events) in payload


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=9), inner, max_size=5),
    max_leaves=12,
)


@given(VALUES, st.binary(max_size=5))
def test_skipping_a_value_ends_where_the_value_ends(value, after):
    data = Data()
    data.put_object(value)
    encoded = bytes(data.encode())

    assert skip_value(b"!" + encoded + after, 1) == 1 + len(encoded)


@pytest.mark.parametrize("encoded", [b"", b"\xa1", b"\xa1\x05abc", b"\xb1\x00", b"\x80\x00", b"\x00\x53", b"\x10"])
def test_a_value_cut_short_is_malformed(encoded):
    with pytest.raises(MalformedMessage):
        skip_value(encoded, 0)


def test_a_delivered_event_carries_the_hubs_annotations():
    message = delivered(data_section(b"a"))

    assert message.annotations == {
        symbol("x-opt-sequence-number"): 7,
        symbol("x-opt-offset"): "1007",
        symbol("x-opt-enqueued-time"): 1234,
    }
    assert bytes(message.body) == b"a"


def test_a_delivered_event_keeps_its_header_its_own_annotations_and_its_properties():
    original = Message(body=b"a", durable=True, id="m-1", properties={"p": 1, "q": "zwei"}, inferred=True)
    original.annotations = {"x-opt-partition-key": "k", "x-own": 5}

    message = delivered(bytes(original.encode()))

    assert (message.durable, message.id, message.properties) == (True, "m-1", {"p": 1, "q": "zwei"})
    assert message.annotations[symbol("x-opt-partition-key")] == "k"
    assert message.annotations[symbol("x-own")] == 5
    assert message.annotations[symbol("x-opt-offset")] == "1007"


def test_what_follows_the_head_is_delivered_byte_for_byte():
    rest = bytes(Message(body=b"a", id="m", properties={"p": 1.5}, inferred=True).encode())
    rest = rest[rest.index(b"\x00\x53\x73") :]

    assert encode_delivery(rest, sequence=0, offset="0", enqueued_ms=0).endswith(rest)
