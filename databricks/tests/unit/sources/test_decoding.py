"""Application properties as a Kafka reader gets them."""

import struct
import uuid

import pytest
from azure.eventhub._pyamqp._encode import encode_value
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.streams.decoding import properties_of, text_of

NAMES = st.text(min_size=1, max_size=8)
INTS = st.integers(-(2**31), 2**31 - 1)  # what the encoder of azure-eventhub has a type for
SENT_BY_AMQP = st.dictionaries(NAMES, st.text() | INTS | st.booleans() | st.floats(allow_nan=False) | st.uuids())


def amqp(value: object) -> bytes:
    encoded = bytearray()
    encode_value(encoded, value)
    return bytes(encoded)


@pytest.mark.parametrize(
    ("encoded", "text"),
    [
        pytest.param(b"\xa1\x08trades/1", "trades/1", id="short string"),
        pytest.param(b"\xb1\x00\x00\x00\x08trades/1", "trades/1", id="long string"),
        pytest.param(b"\xa3\x04zstd", "zstd", id="symbol"),
        pytest.param(b"\xb3\x00\x00\x00\x04zstd", "zstd", id="long symbol"),
        pytest.param(b"\xa0\x02ab", "ab", id="binary"),
        pytest.param(b"\xb0\x00\x00\x00\x02ab", "ab", id="long binary"),
        pytest.param(b"\x54\xff", "-1", id="small int"),
        pytest.param(b"\x71\x00\x01\x00\x00", "65536", id="int"),
        pytest.param(b"\x55\x80", "-128", id="small long"),
        pytest.param(b"\x81" + struct.pack(">q", -(2**40)), str(-(2**40)), id="long"),
        pytest.param(b"\x43", "0", id="zero uint"),
        pytest.param(b"\x44", "0", id="zero ulong"),
        pytest.param(b"\x52\xc8", "200", id="small uint"),
        pytest.param(b"\x53\xc8", "200", id="small ulong"),
        pytest.param(b"\x70\xff\xff\xff\xff", str(2**32 - 1), id="uint"),
        pytest.param(b"\x80" + b"\xff" * 8, str(2**64 - 1), id="ulong"),
        pytest.param(b"\x50\xc8", "200", id="ubyte"),
        pytest.param(b"\x51\xc8", "-56", id="byte"),
        pytest.param(b"\x60\xff\xff", "65535", id="ushort"),
        pytest.param(b"\x61\xff\xff", "-1", id="short"),
        pytest.param(b"\x41", "true", id="true"),
        pytest.param(b"\x42", "false", id="false"),
        pytest.param(b"\x56\x01", "true", id="boolean"),
        pytest.param(b"\x56\x00", "false", id="boolean no"),
        pytest.param(b"\x40", None, id="null"),
        pytest.param(b"\x72" + struct.pack(">f", 0.5), "0.5", id="float"),
        pytest.param(b"\x82" + struct.pack(">d", 0.1), "0.1", id="double"),
        pytest.param(b"\x73\x00\x00\x20\xac", "€", id="char"),
        pytest.param(b"\x83" + struct.pack(">q", 1795341600000), "1795341600000", id="timestamp"),
        pytest.param(b"\x98" + bytes(range(16)), str(uuid.UUID(bytes=bytes(range(16)))), id="uuid"),
    ],
)
def test_a_value_sent_by_amqp_is_decoded_beside_one_that_can_be_nothing_else(encoded, text):
    headers = [("contract", b"\xa1\x08trades/1"), ("value", encoded)]

    assert properties_of(headers)["value"] == text


@given(SENT_BY_AMQP)
def test_what_amqp_carries_is_what_a_kafka_reader_gets(sent):
    headers = [("contract", amqp("trades/1")), *((f"x-{name}", amqp(value)) for name, value in sent.items())]

    read = properties_of(headers)

    assert read == {"contract": "trades/1"} | {f"x-{name}": text_of(value) for name, value in sent.items()}


@given(st.dictionaries(NAMES, st.text(st.characters(min_codepoint=32, max_codepoint=126))))
def test_what_a_kafka_producer_wrote_as_text_stays_that_text(written):
    assert properties_of([(name, text.encode()) for name, text in written.items()]) == written


@given(st.lists(st.tuples(NAMES, st.none() | st.binary(max_size=12))))
def test_any_bytes_at_all_are_read_as_something(headers):
    read = properties_of(headers)

    assert read.keys() == {name for name, _ in headers}
    assert all(value is None or isinstance(value, str) for value in read.values())


def test_a_short_text_is_a_number_only_in_the_company_of_amqp():
    assert properties_of([("rows", b"T5")]) == {"rows": "T5"}
    assert properties_of([("rows", b"T5"), ("encoding", b"\xa1\x04zstd")]) == {"rows": "53", "encoding": "zstd"}


def test_a_length_that_does_not_fit_makes_plain_bytes():
    assert properties_of([("odd", b"\xa1\x09trades/1")]) == {"odd": "\ufffd\ttrades/1"}


def test_an_empty_header_is_an_empty_text_and_one_without_value_is_none():
    assert properties_of([("empty", b""), ("none", None)]) == {"empty": "", "none": None}


def test_of_two_headers_with_one_name_the_later_counts():
    assert properties_of([("n", b"first"), ("n", b"second")]) == {"n": "second"}
