import pytest
from hypothesis import given
from hypothesis import strategies as st
from proton import UNDESCRIBED, Array, Data, Described, symbol, ulong

from emulators.event_hubs.capabilities import AttachReader

WANTED = Array(UNDESCRIBED, Data.SYMBOL, "one", "two")
HEADER = b"AMQP\x00\x01\x00\x00"
HEARTBEAT = b"\x00\x00\x00\x08\x02\x00\x00\x00"


def frame(code, *fields, payload=b""):
    data = Data()
    data.put_object(Described(ulong(code), list(fields)))
    body = bytes(data.encode()) + payload
    return (len(body) + 8).to_bytes(4) + b"\x02\x00\x00\x00" + body


def attach(name, desired, *, by_receiver=False):
    return frame(0x12, name, 0, by_receiver, *[None] * 9, desired)


TRANSFER = frame(0x14, 0, 0, payload=attach("within", WANTED) * 3)
STREAM = HEADER + frame(0x10, "me") + attach("mine", WANTED) + TRANSFER + HEARTBEAT + attach("other", symbol("one"))


@given(st.lists(st.integers(1, 60), max_size=20))
def test_what_each_link_desires_is_read_wherever_the_bytes_are_cut(cuts):
    reader, at = AttachReader(), 0

    for cut in [*cuts, len(STREAM)]:
        reader.feed(STREAM[at : at + cut])
        at += cut

    assert reader.desired("mine", by_receiver=False) == {"one", "two"}
    assert reader.desired("other", by_receiver=False) == {"one"}
    assert reader.desired("within", by_receiver=False) == frozenset()


def test_what_a_link_desires_is_told_once_and_to_its_own_side():
    reader = AttachReader()
    reader.feed(attach("mine", WANTED, by_receiver=True))

    assert reader.desired("mine", by_receiver=False) == frozenset()
    assert reader.desired("mine", by_receiver=True) == {"one", "two"}
    assert reader.desired("mine", by_receiver=True) == frozenset()


@pytest.mark.parametrize("noise", [frame(0x12), b"\x00\x00\x00\x0c\x02\x00\x00\x00\x00\x53\x12\xff", b"\0" * 40])
def test_what_is_no_attach_that_can_be_read_is_left_to_proton(noise):
    reader = AttachReader()

    reader.feed(noise)

    assert reader.desired("mine", by_receiver=False) == frozenset()
