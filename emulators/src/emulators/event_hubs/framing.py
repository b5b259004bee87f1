"""Outgoing AMQP frames as azure-eventhub reads them: every performative list padded with nulls to its full length."""

import struct

_FULL_LENGTHS = {
    0x10: 10,  # open
    0x11: 8,  # begin
    0x12: 14,  # attach
    0x13: 11,  # flow
    0x14: 11,  # transfer: the client takes what follows field 11 as the payload
    0x15: 6,  # disposition
    0x16: 3,  # detach
    0x17: 1,  # end
    0x18: 1,  # close
}
_NULL = b"\x40"
_PROTOCOL_HEADER = b"AMQP"
_PROTOCOL_HEADER_SIZE = 8
_AMQP_FRAME = 0
_LIST0, _LIST8, _LIST32 = 0x45, 0xC0, 0xD0
_LIST8_LIMIT = 255


class FramePadder:
    """Re-frames the bytes proton wants to send.

    Proton leaves out trailing null fields, as the standard allows; pyamqp indexes fields by position and fails.
    """

    def __init__(self) -> None:
        self._unfinished = bytearray()

    def feed(self, data: bytes | bytearray) -> bytes:
        """Return the padded form of all frames that `data` completes; an unfinished frame waits for the next call."""
        self._unfinished += data
        whole, position = [], 0
        while (size := _frame_size(self._unfinished, position)) is not None:
            whole.append(pad_frame(bytes(self._unfinished[position : position + size])))
            position += size
        del self._unfinished[:position]
        return b"".join(whole)


def pad_frame(frame: bytes) -> bytes:
    """Pad one whole frame (or protocol header); frames that need nothing come back as they are."""
    body = frame[4] * 4 if len(frame) > _PROTOCOL_HEADER_SIZE else 0
    if not body or frame[5] != _AMQP_FRAME or len(frame) <= body or frame.startswith(_PROTOCOL_HEADER):
        return frame
    wanted = _FULL_LENGTHS.get(frame[body + 2], 0)
    fields, count, payload = _parse_list(frame, body + 3)
    if count >= wanted:
        return frame
    padded = frame[4 : body + 3] + _encode_list(fields + _NULL * (wanted - count), wanted) + payload
    return struct.pack(">I", len(padded) + 4) + padded


def _frame_size(buffer: bytearray, position: int) -> int | None:
    available = len(buffer) - position
    if available < _PROTOCOL_HEADER_SIZE:
        return None
    if buffer.startswith(_PROTOCOL_HEADER, position):
        return _PROTOCOL_HEADER_SIZE
    size = int.from_bytes(buffer[position : position + 4])
    return size if size <= available else None


def _parse_list(frame: bytes, at: int) -> tuple[bytes, int, bytes]:
    constructor = frame[at]
    if constructor == _LIST0:
        return b"", 0, frame[at + 1 :]
    if constructor == _LIST8:
        end = at + 2 + frame[at + 1]
        return frame[at + 3 : end], frame[at + 2], frame[end:]
    size, count = struct.unpack_from(">II", frame, at + 1)
    end = at + 5 + size
    return frame[at + 9 : end], count, frame[end:]


def _encode_list(fields: bytes, count: int) -> bytes:
    if len(fields) + 1 <= _LIST8_LIMIT:
        return bytes((_LIST8, len(fields) + 1, count)) + fields
    return struct.pack(">BII", _LIST32, len(fields) + 4, count) + fields
