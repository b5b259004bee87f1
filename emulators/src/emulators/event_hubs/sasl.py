"""The server's side of SASL, as Event Hubs offers it: proton itself can offer neither MSSBCBS nor a PLAIN of its own.

Three of the four mechanisms let everybody in, since identity comes by `$cbs`; PLAIN names a shared access policy.
"""

from collections.abc import Callable
from typing import cast

from proton import UNDESCRIBED, Array, Data, Described, ProtonException, ubyte, ulong

MECHANISMS = ("MSSBCBS", "PLAIN", "ANONYMOUS", "EXTERNAL")
SASL_HEADER, AMQP_HEADER = b"AMQP\x03\x01\x00\x00", b"AMQP\x00\x01\x00\x00"
_HEADER_SIZE = 8
_MOST_BYTES = 4096
"""Of one frame: four times what a key with its name can take. Nobody has shown who they are yet."""
_FRAME = b"\x02\x01\x00\x00"
_MECHANISMS, _INIT, _OUTCOME = 0x40, 0x41, 0x44
_OK, _REFUSED = 0, 1


class SaslFailed(Exception):
    """Raised where what the client sends is no SASL; the text says what it is instead."""


class SaslServer:
    """Talks to one client until it may go on with AMQP.

    `log_in(policy, key)` says whether PLAIN is let in. A client that begins with AMQP at once skips SASL, and has
    nothing but `$cbs` to show who it is.
    """

    def __init__(self, log_in: Callable[[str, str], bool]) -> None:
        self.finished = False
        self.refused = False
        self._log_in = log_in
        self._unread = bytearray()
        self._greeted = False

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Take what came; return what to answer, and the AMQP bytes that follow once `finished`."""
        self._unread += data
        answer = b""
        while not self.finished and (part := self._take()):
            answer += self._answer(part) if self._greeted else self._greet(part)
        if not self.finished:
            return answer, b""
        rest = bytes(self._unread)
        self._unread.clear()
        return answer, rest

    def _take(self) -> bytes:
        """Cut the next header or frame off; empty while it isn't whole."""
        if len(self._unread) < _HEADER_SIZE:
            return b""
        size = int.from_bytes(self._unread[:4]) if self._greeted else _HEADER_SIZE
        if not _HEADER_SIZE <= size <= _MOST_BYTES:
            raise SaslFailed(f"a frame of {size} bytes; {_MOST_BYTES} are the most")
        if len(self._unread) < size:
            return b""
        part = bytes(self._unread[:size])
        del self._unread[:size]
        return part

    def _greet(self, header: bytes) -> bytes:
        self._greeted = True
        if header == SASL_HEADER:
            offered = Array(UNDESCRIBED, Data.SYMBOL, *MECHANISMS)  # type: ignore[arg-type]
            return SASL_HEADER + _encode(_MECHANISMS, offered)
        self._unread[:0] = header
        self.finished = True
        return b""

    def _answer(self, frame: bytes) -> bytes:
        mechanism, response = _read_init(frame)
        self.refused = not self._lets_in(mechanism, response)
        self.finished = True
        return _encode(_OUTCOME, ubyte(_REFUSED if self.refused else _OK))

    def _lets_in(self, mechanism: str, response: bytes) -> bool:
        if mechanism != "PLAIN":
            return mechanism in MECHANISMS
        _, _, login = response.partition(b"\0")
        policy, _, key = login.partition(b"\0")
        return self._log_in(policy.decode(errors="replace"), key.decode(errors="replace"))


def _encode(code: int, field: Array | ubyte) -> bytes:
    data = Data()
    data.put_object(Described(ulong(code), [field]))
    body = bytes(data.encode())
    return (len(body) + _HEADER_SIZE).to_bytes(4) + _FRAME + body


def _read_init(frame: bytes) -> tuple[str, bytes]:
    """Return mechanism and initial response of a `sasl-init`."""
    data = Data()
    try:
        data.decode(frame[frame[4] * 4 :])
    except (ProtonException, ValueError) as error:
        raise SaslFailed("a frame that is no AMQP") from error
    data.rewind()
    found = data.get_object() if data.next() else None
    if (
        not isinstance(found, Described)
        or found.descriptor != _INIT
        or not isinstance(found.value, list)
        or not found.value
    ):
        raise SaslFailed("a frame that is no sasl-init")
    mechanism, response = [*found.value, None][:2]
    # Binary is a view into `data`, which is gone after this.
    return str(mechanism), bytes(cast(bytes | None, response) or b"")
