"""A run of neighbouring events of one partition, kept as raw bytes and dropped as one."""

from array import array
from collections.abc import Iterator

EVENT_OVERHEAD = 50
"""Bytes an event costs beside its own: the bytes object's head (33), its place in the list (8), its time (8)."""


class Segment:
    """Events with consecutive sequence numbers; `birth` orders segments of all partitions by age."""

    __slots__ = ("birth", "events", "first_sequence", "size", "times")

    def __init__(self, birth: int, first_sequence: int) -> None:
        self.birth = birth
        self.first_sequence = first_sequence
        self.events: list[bytes] = []
        self.times = array("q")
        self.size = 0

    def extend(self, events: list[bytes], enqueued_ms: int) -> int:
        """Keep events that came at one time and return the bytes of memory they take."""
        self.events += events
        self.times.extend([enqueued_ms] * len(events))
        added = sum(map(len, events)) + EVENT_OVERHEAD * len(events)
        self.size += added
        return added

    def read(self, sequence: int) -> Iterator[tuple[int, int, bytes]]:
        """Yield (sequence, enqueued ms, raw event) from `sequence` on."""
        for index in range(max(0, sequence - self.first_sequence), len(self.events)):
            yield self.first_sequence + index, self.times[index], self.events[index]
