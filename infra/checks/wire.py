"""Protocol Buffers on the wire, as much as a schema needs: whole numbers, texts and messages in numbered fields."""

_VARINT, _BYTES = 0, 2
_SEVEN_BITS = 0x7F
_MORE = 0x80


def number(field: int, value: int) -> bytes:
    """Write a whole number from 0 on, or a truth; 0 is left out, as protobuf 3 does."""
    return _varint(field << 3 | _VARINT) + _varint(value) if value else b""


def text(field: int, value: str) -> bytes:
    """Write a text."""
    return message(field, value.encode())


def message(field: int, body: bytes) -> bytes:
    """Write a message that is written already."""
    return _varint(field << 3 | _BYTES) + _varint(len(body)) + body


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > _SEVEN_BITS:
        written.append(value & _SEVEN_BITS | _MORE)
        value >>= 7
    written.append(value)
    return bytes(written)
