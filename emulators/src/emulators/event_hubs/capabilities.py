"""What a client desires of each link: proton keeps it to itself, so the attach frames are read on their way to it."""

from proton import Array, Data, Described, ProtonException

_HEADER_SIZE = 8
_HEAD_SIZE = 11
"""Of a frame: its header, and the descriptor of its performative where that is as short as clients write it."""
_PROTOCOL, _AMQP_FRAME, _ATTACH = b"AMQP", 0, b"\x00\x53\x12"
_NAME, _ROLE, _DESIRED = 0, 2, 12


class AttachReader:
    """Follows the frames of one connection."""

    def __init__(self) -> None:
        self._unread = bytearray()
        self._skip = 0
        self._desired: dict[tuple[str, bool], frozenset[str]] = {}

    def feed(self, data: bytes) -> None:
        """Read on; what is no attach is passed over uncopied."""
        skipped = min(self._skip, len(data))
        self._skip -= skipped
        self._unread += memoryview(data)[skipped:]
        while size := self._next_size():
            if self._unread[_HEADER_SIZE:_HEAD_SIZE] == _ATTACH and self._unread[5] == _AMQP_FRAME:
                self._keep(bytes(self._unread[_HEADER_SIZE:size]))
            self._skip += max(0, size - len(self._unread))
            del self._unread[:size]

    def desired(self, name: str, *, by_receiver: bool) -> frozenset[str]:
        """Return the capabilities that the client desired when it attached a link of this name, once."""
        return self._desired.pop((name, by_receiver), frozenset())

    def _next_size(self) -> int:
        """Return the size of the frame to read or pass over next; 0 where that can't be said yet."""
        if len(self._unread) < _HEADER_SIZE:
            return 0
        if self._unread.startswith(_PROTOCOL):
            return _HEADER_SIZE
        size = int.from_bytes(self._unread[:4])
        known = min(size, _HEAD_SIZE)
        if self._unread[_HEADER_SIZE:_HEAD_SIZE] == _ATTACH:
            known = size
        return max(size, _HEADER_SIZE) if len(self._unread) >= known else 0

    def _keep(self, body: bytes) -> None:
        data = Data()
        try:
            data.decode(body)
        except ProtonException:
            return  # proton says what is wrong with it
        data.rewind()
        found = data.get_object() if data.next() else None
        fields = found.value if isinstance(found, Described) and isinstance(found.value, list) else []
        if len(fields) > _DESIRED:
            desired = fields[_DESIRED]
            names = desired.elements if isinstance(desired, Array) else [desired]
            self._desired[str(fields[_NAME]), bool(fields[_ROLE])] = frozenset(map(str, names))
