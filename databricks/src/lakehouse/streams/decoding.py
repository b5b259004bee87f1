"""Application properties as text: how AMQP values look to a Kafka reader, and one spelling for every source."""

import struct
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

type Header = tuple[str, bytes | None]


def properties_of(headers: Sequence[Header]) -> dict[str, str | None]:
    """Read the headers of one Kafka record; of two with one name the later counts.

    What an AMQP producer sent reaches a Kafka reader as AMQP-encoded values, what a Kafka producer sent as its bytes.
    A few short texts could be either ("T5" is the number 53 in AMQP): such a value is read as AMQP where another
    header of its record can be nothing else, and as text otherwise.
    """
    readings = [(name, *_readings(value)) for name, value in headers]
    by_amqp = any(is_sure for *_, is_sure in readings)
    return {
        name: amqp if is_sure or (by_amqp and is_amqp) else plain for name, plain, amqp, is_amqp, is_sure in readings
    }


def text_of(value: object) -> str | None:
    """Spell a decoded AMQP value: texts as they are, bytes as UTF-8, true and false in small letters.

    A timestamp is its milliseconds since 1970, for the AMQP client shows it as that number, too.
    """
    match value:
        case None | str():
            return value
        case bytes():
            return value.decode(errors="replace")
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


@lru_cache(maxsize=8192)
def _readings(value: bytes | None) -> tuple[str | None, str | None, bool, bool]:
    """Return (text if plain, text if AMQP, can it be AMQP, can it be nothing else)."""
    if not value:
        return text_of(value), None, False, False
    plain, decode = text_of(value), _DECODERS.get(value[0])
    amqp = _NOT_AMQP if decode is None else decode(value[1:])
    if amqp is _NOT_AMQP:
        return plain, None, False, False
    return plain, text_of(amqp), True, not _is_printable(value)


def _is_printable(value: bytes) -> bool:
    """Say whether these bytes may have been written as text."""
    return value.isascii() and value.decode().isprintable()


def _fixed(layout: str) -> Callable[[bytes], object]:
    unpacker = struct.Struct(layout)
    return lambda rest: unpacker.unpack(rest)[0] if len(rest) == unpacker.size else _NOT_AMQP


def _constant(value: object) -> Callable[[bytes], object]:
    return lambda rest: _NOT_AMQP if rest else value


def _sized(width: int, *, is_text: bool) -> Callable[[bytes], object]:
    def decode(rest: bytes) -> object:
        content = rest[width:]
        if len(rest) < width or int.from_bytes(rest[:width]) != len(content):
            return _NOT_AMQP
        return content if not is_text or _is_utf8(content) else _NOT_AMQP

    return decode


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _boolean(rest: bytes) -> object:
    return {b"\x00": False, b"\x01": True}.get(rest, _NOT_AMQP)


def _character(rest: bytes) -> object:
    point = int.from_bytes(rest)
    is_character = len(rest) == _CHARACTER_BYTES and point <= _LAST_CHARACTER and point not in _SURROGATES
    return chr(point) if is_character else _NOT_AMQP


def _uuid(rest: bytes) -> object:
    return uuid.UUID(bytes=rest) if len(rest) == _UUID_BYTES else _NOT_AMQP


_CHARACTER_BYTES, _LAST_CHARACTER, _SURROGATES = 4, 0x10FFFF, range(0xD800, 0xE000)
_UUID_BYTES = 16
_NOT_AMQP = object()
_DECODERS: Mapping[int, Callable[[bytes], object]] = {
    0x40: _constant(None),
    0x41: _constant(True),
    0x42: _constant(False),
    0x43: _constant(0),  # uint
    0x44: _constant(0),  # ulong
    0x50: _fixed(">B"),
    0x51: _fixed(">b"),
    0x52: _fixed(">B"),  # small uint
    0x53: _fixed(">B"),  # small ulong
    0x54: _fixed(">b"),  # small int
    0x55: _fixed(">b"),  # small long
    0x56: _boolean,
    0x60: _fixed(">H"),
    0x61: _fixed(">h"),
    0x70: _fixed(">I"),
    0x71: _fixed(">i"),
    0x72: _fixed(">f"),
    0x73: _character,
    0x80: _fixed(">Q"),
    0x81: _fixed(">q"),
    0x82: _fixed(">d"),
    0x83: _fixed(">q"),  # timestamp
    0x98: _uuid,
    0xA0: _sized(1, is_text=False),
    0xA1: _sized(1, is_text=True),
    0xA3: _sized(1, is_text=True),  # symbol
    0xB0: _sized(4, is_text=False),
    0xB1: _sized(4, is_text=True),
    0xB3: _sized(4, is_text=True),
}
"""AMQP 1.0, part 1, section 1.6: the constructors of the simple types but the decimals."""
