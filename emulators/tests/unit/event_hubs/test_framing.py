import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.event_hubs.framing import FramePadder, pad_frame

FULL_LENGTHS = {0x10: 10, 0x11: 8, 0x12: 14, 0x13: 11, 0x14: 11, 0x15: 6, 0x16: 3, 0x17: 1, 0x18: 1}


def frame(code, fields, payload=b"", kind=0, wide=False):
    if not fields and not wide:
        body = b"\x45"
    elif wide:
        body = b"\xd0" + struct.pack(">II", sum(map(len, fields)) + 4, len(fields)) + b"".join(fields)
    else:
        body = bytes((0xC0, sum(map(len, fields)) + 1, len(fields))) + b"".join(fields)
    rest = bytes((2, kind, 0, 0, 0x00, 0x53, code)) + body + payload
    return struct.pack(">I", len(rest) + 4) + rest


@pytest.mark.parametrize(("code", "length"), FULL_LENGTHS.items())
def test_every_performative_gets_its_full_number_of_fields(code, length):
    padded = pad_frame(frame(code, [b"\x43"]))

    assert padded == frame(code, [b"\x43"] + [b"\x40"] * (length - 1))


def test_an_empty_list_becomes_a_list_of_nulls():
    assert pad_frame(frame(0x18, [])) == frame(0x18, [b"\x40"])


def test_what_follows_the_list_stays_the_payload():
    assert pad_frame(frame(0x14, [b"\x43"], b"body")) == frame(0x14, [b"\x43"] + [b"\x40"] * 10, b"body")


def test_a_list_that_outgrows_one_byte_of_size_becomes_a_wide_one():
    field = b"\xa0\xf8" + b"x" * 248

    padded = pad_frame(frame(0x12, [field]))

    assert padded == frame(0x12, [field] + [b"\x40"] * 13, wide=True)


def test_a_sasl_frame_stays_as_it_is():
    sasl = frame(0x44, [b"\x50\x00"], kind=1)

    assert pad_frame(sasl) == sasl


def test_a_heartbeat_stays_as_it_is():
    assert pad_frame(b"\x00\x00\x00\x08\x02\x00\x00\x00") == b"\x00\x00\x00\x08\x02\x00\x00\x00"


@given(st.lists(st.integers(1, 40), max_size=8))
def test_frames_cut_anywhere_come_out_whole_and_padded(cuts):
    stream = b"AMQP\x00\x01\x00\x00" + frame(0x10, [b"\x43"]) + frame(0x14, [b"\x43"], b"payload") + frame(0x18, [])
    padder, out, at = FramePadder(), b"", 0

    for cut in [*cuts, len(stream)]:
        out += padder.feed(stream[at : at + cut])
        at += cut

    assert out == FramePadder().feed(stream)
