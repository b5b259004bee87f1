import pytest
from hypothesis import given
from hypothesis import strategies as st
from proton import Data, Described, symbol, ulong

from emulators.event_hubs.sasl import AMQP_HEADER, MECHANISMS, SASL_HEADER, SaslFailed, SaslServer

LET_IN, TURNED_AWAY = 0, 1
POLICIES = {"root": "its-key"}
AFTER = AMQP_HEADER + b"what comes next"


def server():
    return SaslServer(lambda policy, key: POLICIES.get(policy) == key)


def init(mechanism, response=None):
    data = Data()
    data.put_object(Described(ulong(0x41), [symbol(mechanism), response]))
    body = bytes(data.encode())
    return (len(body) + 8).to_bytes(4) + b"\x02\x01\x00\x00" + body


def values(answer):
    """The SASL frames of an answer that begins with the header: (code, field)."""
    found, at = [], len(SASL_HEADER)
    while at < len(answer):
        size = int.from_bytes(answer[at : at + 4])
        data = Data()
        data.decode(answer[at + 8 : at + size])
        data.rewind()
        data.next()
        described = data.get_object()
        found.append((described.descriptor, described.value[0]))
        at += size
    return found


def test_the_mechanisms_of_the_service_are_offered():
    answer, rest = server().feed(SASL_HEADER)

    assert answer.startswith(SASL_HEADER)
    assert [(code, tuple(offered.elements)) for code, offered in values(answer)] == [(0x40, MECHANISMS)]
    assert rest == b""


@pytest.mark.parametrize(
    ("mechanism", "response", "code"),
    [
        ("MSSBCBS", None, LET_IN),
        ("ANONYMOUS", b"anyone", LET_IN),
        ("EXTERNAL", b"", LET_IN),
        ("PLAIN", b"\0root\0its-key", LET_IN),
        ("PLAIN", b"as\0root\0its-key", LET_IN),
        ("PLAIN", b"\0root\0another", TURNED_AWAY),
        ("PLAIN", b"\0nobody\0its-key", TURNED_AWAY),
        ("PLAIN", b"root", TURNED_AWAY),
        ("PLAIN", b"\0\xff\0\xff", TURNED_AWAY),
        ("PLAIN", None, TURNED_AWAY),
        ("SCRAM-SHA-1", b"", TURNED_AWAY),
    ],
)
def test_whoever_needs_no_key_or_has_it_is_let_in(mechanism, response, code):
    sasl = server()

    answer, rest = sasl.feed(SASL_HEADER + init(mechanism, response) + AFTER)

    assert values(answer)[1:] == [(0x44, code)]
    assert (sasl.finished, sasl.refused, rest) == (True, code == TURNED_AWAY, AFTER)


@given(st.lists(st.integers(1, 30), max_size=8))
def test_frames_cut_anywhere_are_answered_alike(cuts):
    stream = SASL_HEADER + init("PLAIN", b"\0root\0its-key") + AFTER
    sasl, answers, rests, at = server(), b"", b"", 0

    for cut in [*cuts, len(stream)]:
        part = stream[at : at + cut]
        answer, rest = (b"", part) if sasl.finished else sasl.feed(part)
        answers, rests, at = answers + answer, rests + rest, at + cut

    assert (answers, rests) == server().feed(stream)


def test_a_client_without_sasl_goes_on_with_amqp_at_once():
    sasl = server()

    assert sasl.feed(AFTER) == (b"", AFTER)
    assert (sasl.finished, sasl.refused) == (True, False)


@pytest.mark.parametrize(
    "frame",
    [
        b"\x00\x00\x00\x04\x02\x01\x00\x00",
        b"\x00\x01\x00\x00\x02\x01\x00\x00",
        b"\x00\x00\x00\x09\x02\x01\x00\x00\xff",
        b"\x00\x00\x00\x08\x02\x01\x00\x00",
        b"\x00\x00\x00\x0c\x02\x01\x00\x00\x00\x53\x44\x45",
        b"\x00\x00\x00\x0c\x02\x01\x00\x00\x00\x53\x41\x45",
    ],
)
def test_what_is_no_sasl_is_refused(frame):
    with pytest.raises(SaslFailed, match="a frame"):
        server().feed(SASL_HEADER + frame)
