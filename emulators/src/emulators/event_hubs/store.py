"""The events of every hub in memory: appended to partitions, found by position, dropped oldest first."""

import hashlib
import logging
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from emulators.event_hubs.positions import Field, Position, PositionError
from emulators.event_hubs.segments import Segment

logger = logging.getLogger(__name__)
_EPOCH_SPAN = 10**9
_EPOCH_ZERO = datetime(2020, 1, 1, tzinfo=UTC)
_EPOCH_STEP = timedelta(milliseconds=100)
_LARGEST_SEGMENT = 256 * 1024


@dataclass(frozen=True, slots=True)
class Epoch:
    """One life of the hub: the tenths of a second from 2020 to its start. Its offsets are `number` × 10⁹ + sequence."""

    number: int

    @classmethod
    def at(cls, started: datetime) -> "Epoch":
        """Name the epoch of a hub that starts at `started` (aware)."""
        return cls((started - _EPOCH_ZERO) // _EPOCH_STEP)

    def offset(self, sequence: int) -> str:
        """Return the offset of the event with this sequence number."""
        return str(self.number * _EPOCH_SPAN + sequence)

    def sequence(self, offset: str) -> int:
        """Return the sequence number at `offset`; raise `PositionError` for an offset of another epoch."""
        if not offset.isascii() or not offset.isdigit():
            raise PositionError(f"The supplied offset {offset!r} is invalid: it must be a number, -1 or @latest.")
        number, sequence = divmod(int(offset), _EPOCH_SPAN)
        if number != self.number:
            raise PositionError(
                f"The supplied offset {offset!r} belongs to epoch {number} of this hub, whose events are gone; "
                f"the hub is in epoch {self.number}. Delete the checkpoint and start from -1 or @latest."
            )
        return sequence


class Partition:
    """The events of one partition, sequence numbers from 0, and who wants to know of new ones."""

    def __init__(self, partition_id: str, epoch: Epoch) -> None:
        self.id = partition_id
        self.epoch = epoch
        self.segments: list[Segment] = []
        self.next_sequence = 0
        self.size = 0
        self.last_enqueued_ms = 0
        self.listeners: set[Callable[[], None]] = set()

    @property
    def begin_sequence(self) -> int:
        """The sequence number of the oldest event still kept; of the next one where none is."""
        return self.segments[0].first_sequence if self.segments else self.next_sequence

    @property
    def last_offset(self) -> str:
        """The offset of the newest event ever appended, "-1" before the first."""
        return self.epoch.offset(self.next_sequence - 1) if self.next_sequence else "-1"

    def start_of(self, position: Position) -> int:
        """Return the sequence number reading starts with; raise `PositionError` for one that cannot exist."""
        if position.value == "@latest":
            return self.next_sequence
        if position.value == "-1":
            return self.begin_sequence
        if position.field is Field.ENQUEUED_TIME:
            return self._first_at(_whole(position), inclusive=position.inclusive)
        sequence = self.epoch.sequence(position.value) if position.field is Field.OFFSET else _whole(position)
        if sequence >= self.next_sequence:
            raise PositionError(
                f"The supplied {position.field.removeprefix('x-opt-')} {position.value!r} is invalid. The last one in "
                f"partition {self.id} is {self._last(position.field)!r}."
            )
        return max(self.begin_sequence, sequence + (0 if position.inclusive else 1))

    def read(self, sequence: int) -> Iterator[tuple[int, int, bytes]]:
        """Yield (sequence, enqueued ms, raw event) from `sequence` on; what retention dropped is skipped."""
        index = max(0, bisect_right(self.segments, sequence, key=lambda segment: segment.first_sequence) - 1)
        for segment in self.segments[index:]:
            yield from segment.read(sequence)

    def _last(self, field: Field) -> str:
        return self.last_offset if field is Field.OFFSET else str(self.next_sequence - 1)

    def _first_at(self, enqueued_ms: int, *, inclusive: bool) -> int:
        bisect = bisect_left if inclusive else bisect_right
        for segment in self.segments:
            if segment.times[-1] > enqueued_ms or (inclusive and segment.times[-1] == enqueued_ms):
                return segment.first_sequence + bisect(segment.times, enqueued_ms)
        return self.next_sequence


class Store:
    """All hubs (name → partitions) under one retention in bytes."""

    def __init__(self, hubs: Mapping[str, int], *, retention_bytes: int, started: datetime) -> None:
        self.epoch = Epoch.at(started)
        self.started = started
        self.hubs = {name: [Partition(str(n), self.epoch) for n in range(count)] for name, count in hubs.items()}
        self.dropped_events = 0
        self._retention = retention_bytes
        self._segment_size = max(1, min(_LARGEST_SEGMENT, retention_bytes // 64))
        self._size = 0
        self._turns = dict.fromkeys(hubs, 0)
        self._births = 0
        self._next_report = 1

    def choose(self, hub: str, key: str | None) -> Partition:
        """Return the partition of a key (stable over restarts), or the next one in turn without a key."""
        partitions = self.hubs[hub]
        if key is not None:
            return partitions[int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) % len(partitions)]
        self._turns[hub] += 1
        return partitions[(self._turns[hub] - 1) % len(partitions)]

    def append(self, partition: Partition, events: list[bytes], now: datetime) -> None:
        """Append raw events, drop the oldest ones over the retention, wake the listeners."""
        partition.last_enqueued_ms = max(int(now.timestamp() * 1000), partition.last_enqueued_ms)
        added = self._open_segment(partition).extend(events, partition.last_enqueued_ms)
        partition.next_sequence += len(events)
        partition.size += added
        self._size += added
        self._retain()
        for wake in tuple(partition.listeners):
            wake()

    def _open_segment(self, partition: Partition) -> Segment:
        if not partition.segments or partition.segments[-1].size >= self._segment_size:
            self._births += 1
            partition.segments.append(Segment(self._births, partition.next_sequence))
        return partition.segments[-1]

    def _retain(self) -> None:
        while self._size > self._retention:
            keepers = [p for partitions in self.hubs.values() for p in partitions if p.segments]
            oldest = min(keepers, key=lambda partition: partition.segments[0].birth)
            segment = oldest.segments.pop(0)
            oldest.size -= segment.size
            self._size -= segment.size
            self.dropped_events += len(segment.events)
            self._report()

    def _report(self) -> None:
        if self.dropped_events >= self._next_report:
            logger.warning("hub.retention_dropped events=%d retention_bytes=%d", self.dropped_events, self._retention)
            self._next_report = self.dropped_events * 2


def _whole(position: Position) -> int:
    try:
        return int(position.value)
    except ValueError as error:
        raise PositionError(f"The supplied {position.field} {position.value!r} is not a whole number.") from error
