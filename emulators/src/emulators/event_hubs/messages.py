"""AMQP messages as bytes: where their sections lie, the events a batch holds, and how an event is delivered.

Events are kept as the raw bytes the publisher encoded, so that properties come back byte for byte.
"""

import struct
from dataclasses import dataclass

_HEADER, _ANNOTATIONS, _PROPERTIES, _APPLICATION_PROPERTIES, _FOOTER = 0x70, 0x72, 0x73, 0x74, 0x78
_HEADER_SECTION, _ANNOTATIONS_SECTION, _DATA_SECTION = b"\x00\x53\x70", b"\x00\x53\x72", b"\x00\x53\x75"
_SMALL_DESCRIPTOR, _LARGE_DESCRIPTOR = b"\x00\x53", b"\x00\x80"
_FIXED_WIDTHS = {0x4: 0, 0x5: 1, 0x6: 2, 0x7: 4, 0x8: 8, 0x9: 16}
_SHORT_SIZES = (0xA, 0xC, 0xE)
_LONG_SIZES = (0xB, 0xD, 0xF)
_BINARY8, _BINARY32, _MAP8, _MAP32 = 0xA0, 0xB0, 0xC1, 0xD1
_PARTITION_KEY = b"x-opt-partition-key"
_LONG = struct.Struct(">q")
_SIZE_AND_COUNT = struct.Struct(">II")
_HUB_ENTRIES = 6
"""Keys and values that the hub adds to an event's annotations."""


class MalformedMessage(ValueError):
    """Raised when the bytes are not AMQP sections."""


@dataclass(frozen=True, slots=True)
class Head:
    """What precedes the properties and body of a message: where header, annotations and the rest lie.

    `entries` are the annotations' keys and values as they are encoded, `count` how many values that is.
    """

    header_end: int = 0
    annotations: int = 0
    annotations_end: int = 0
    entries: bytes = b""
    count: int = 0
    body: int = 0


@dataclass(frozen=True, slots=True)
class Publication:
    """What one transfer publishes: the events' raw bytes and the partition key they share, if any."""

    events: list[bytes]
    partition_key: str | None


_NO_HEAD = Head()


def read_publication(payload: bytes) -> Publication:
    """Split a transfer into its events.

    Proton hides the message format 0x80013700, so a batch is known by its content: every body section is
    binary data that holds an encoded message. JavaScript's library writes a header and properties around every
    message, also where they are empty. Raises `MalformedMessage`.
    """
    try:
        return _read_publication(payload)
    except (IndexError, struct.error) as error:
        raise MalformedMessage(f"it runs over the end of its {len(payload)} bytes") from error


def encode_delivery(event: bytes, *, sequence: int, offset: str, enqueued_ms: int) -> bytes:
    """Encode a stored event as consumers get it: its own sections, the hub's three annotations added."""
    head = read_head(event)
    text = offset.encode()
    entries = b"%b\xa3\x15x-opt-sequence-number\x81%b\xa3\x0cx-opt-offset\xa1%c%b\xa3\x13x-opt-enqueued-time\x83%b" % (
        head.entries,
        _LONG.pack(sequence),
        len(text),
        text,
        _LONG.pack(enqueued_ms),
    )
    sizes = _SIZE_AND_COUNT.pack(len(entries) + 4, head.count + _HUB_ENTRIES)
    return b"%b%b\xd1%b%b%b" % (event[: head.header_end], _ANNOTATIONS_SECTION, sizes, entries, event[head.body :])


def read_head(message: bytes) -> Head:
    """Find header and annotations of an encoded message that may have neither."""
    if message[2] > _ANNOTATIONS:
        return _NO_HEAD
    header_end = annotations = annotations_end = at = count = 0
    entries = b""
    while at < len(message):
        code, value = _descriptor(message, at)
        if code > _ANNOTATIONS:
            break
        end = skip_value(message, value)
        if code == _HEADER:
            header_end = end
        elif code == _ANNOTATIONS:
            annotations, annotations_end = at, end
            entries, count = _map_entries(message, value)
        at = end
    return Head(header_end, annotations, annotations_end, entries, count, at)


def skip_value(data: bytes, at: int) -> int:
    """Return the position after the AMQP value that starts at `at`; raise `MalformedMessage` past the end."""
    try:
        end = _end_of_value(data, at)
    except (IndexError, struct.error) as error:
        raise MalformedMessage(f"the value at byte {at} runs over the end of {len(data)} bytes") from error
    if end > len(data):
        raise MalformedMessage(f"the value at byte {at} ends at {end}, after the message's {len(data)} bytes")
    return end


def _read_publication(payload: bytes) -> Publication:
    head = read_head(payload)
    key = _partition_key(head.entries)
    bodies = _batch_bodies(payload, head.body)
    if bodies is None:
        _check_sections(payload, head.body)
        return Publication([payload], key)
    if key is not None:
        outer = payload[head.annotations : head.annotations_end]
        bodies = [_with_annotations(body, outer) for body in bodies]
    return Publication(bodies, key)


def _batch_bodies(payload: bytes, at: int) -> list[bytes] | None:
    """Return the messages that the binary body sections after `at` hold, or None if that is not what they hold."""
    bodies: list[bytes] = []
    at = _after_properties(payload, at)
    while payload.startswith(_DATA_SECTION, at):
        start, at = _binary_bounds(payload, at + len(_DATA_SECTION))
        body = payload[start:at]
        if not body.startswith((_SMALL_DESCRIPTOR, _LARGE_DESCRIPTOR)):
            return None
        bodies.append(body)
    return bodies if bodies and at == len(payload) and _is_message(bodies[0]) else None


def _after_properties(payload: bytes, at: int) -> int:
    while at < len(payload):
        code, value = _descriptor(payload, at)
        if code not in {_PROPERTIES, _APPLICATION_PROPERTIES}:
            break
        at = skip_value(payload, value)
    return at


def _binary_bounds(data: bytes, at: int) -> tuple[int, int]:
    if data[at] == _BINARY8:
        return at + 2, at + 2 + data[at + 1]
    if data[at] == _BINARY32:
        return at + 5, at + 5 + int.from_bytes(data[at + 1 : at + 5])
    raise MalformedMessage(f"the data section at byte {at} holds no binary")


def _is_message(data: bytes) -> bool:
    try:
        _check_sections(data, 0)
    except MalformedMessage:
        return False
    return True


def _check_sections(data: bytes, at: int) -> None:
    while at < len(data):
        _, value = _descriptor(data, at)
        at = skip_value(data, value)


def _descriptor(data: bytes, at: int) -> tuple[int, int]:
    """Return the code of the section at `at` and where its value starts."""
    code, value = 0, at
    if data.startswith(_SMALL_DESCRIPTOR, at):
        code, value = int.from_bytes(data[at + 2 : at + 3]), at + 3
    elif data.startswith(_LARGE_DESCRIPTOR, at):
        code, value = int.from_bytes(data[at + 2 : at + 10]), at + 10
    if not _HEADER <= code <= _FOOTER:
        raise MalformedMessage(f"byte {at} does not begin a message section")
    return code, value


def _end_of_value(data: bytes, at: int) -> int:
    constructor = data[at]
    if constructor == 0:
        return _end_of_value(data, _end_of_value(data, at + 1))
    kind = constructor >> 4
    if kind in _FIXED_WIDTHS:
        return at + 1 + _FIXED_WIDTHS[kind]
    if kind in _SHORT_SIZES:
        return at + 2 + data[at + 1]
    if kind in _LONG_SIZES:
        return at + 5 + int(struct.unpack_from(">I", data, at + 1)[0])
    raise MalformedMessage(f"byte {at} is {constructor:#04x}, which begins no AMQP value")


def _partition_key(entries: bytes) -> str | None:
    at = 0
    while at < len(entries):
        value = skip_value(entries, at)
        end = skip_value(entries, value)
        if entries[at + 2 : value] == _PARTITION_KEY:
            return _text(entries, value, end)
        at = end
    return None


def _text(data: bytes, at: int, end: int) -> str | None:
    kind = data[at] >> 4
    if kind not in _SHORT_SIZES + _LONG_SIZES:
        return None
    return data[at + (2 if kind in _SHORT_SIZES else 5) : end].decode(errors="replace")


def _with_annotations(event: bytes, annotations: bytes) -> bytes:
    """Give the batch's annotations, and with them its key, to an event that carries none of its own."""
    header_end = skip_value(event, len(_HEADER_SECTION)) if event.startswith(_HEADER_SECTION) else 0
    if event.startswith(_ANNOTATIONS_SECTION, header_end):
        return event
    return event[:header_end] + annotations + event[header_end:]


def _map_entries(data: bytes, at: int) -> tuple[bytes, int]:
    if data[at] == _MAP8:
        return data[at + 3 : at + 2 + data[at + 1]], data[at + 2]
    if data[at] == _MAP32:
        size, count = _SIZE_AND_COUNT.unpack_from(data, at + 1)
        return data[at + 9 : at + 5 + size], count
    raise MalformedMessage("its annotations are not a map")
