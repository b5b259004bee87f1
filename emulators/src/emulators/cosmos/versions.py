"""The latest version of each item of one physical partition, in the order in which they were written."""

import heapq
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

_SLACK: Final = 1_000


class Key(NamedTuple):
    """What names an item within its container."""

    partition_key: str
    id: str


@dataclass(frozen=True, slots=True)
class Version:
    """An item as it was written last. lsn: the number of the write. expires_at: in epoch seconds, None for never."""

    key: Key
    lsn: int
    item: dict[str, Any]
    expires_at: float | None


class Versions:
    """Numbers the writes of a partition from `first` on; forgets those that a later one of the same item replaced."""

    def __init__(self, first: int) -> None:
        self.first = self.last = first
        self._latest: dict[Key, Version] = {}
        self._written: list[tuple[int, Key]] = []
        self._expiring: list[tuple[float, int, Key]] = []

    def __len__(self) -> int:
        """Count the items."""
        return len(self._latest)

    def note(self, key: Key, item: dict[str, Any], expires_at: float | None) -> int:
        """Note a write; gives its number."""
        self.last += 1
        self._latest[key] = Version(key, self.last, item, expires_at)
        self._written.append((self.last, key))
        if expires_at is not None:
            heapq.heappush(self._expiring, (expires_at, self.last, key))
        if len(self._written) > 2 * len(self._latest) + _SLACK:
            self._written = [one for one in self._written if self._is_latest(*one)]
        return self.last

    def since(self, lsn: int) -> Iterator[Version]:
        """Give the latest versions that were written after a number, in their order."""
        start = bisect_right(self._written, lsn, key=lambda one: one[0])
        written = self._written[start:]
        return (self._latest[key] for number, key in written if self._is_latest(number, key))

    def take_expired(self, now: float) -> list[Key]:
        """Forget the items whose time is over, and name them."""
        gone = []
        while self._expiring and self._expiring[0][0] <= now:
            _, number, key = heapq.heappop(self._expiring)
            if self._is_latest(number, key):
                del self._latest[key]
                gone.append(key)
        return gone

    def _is_latest(self, number: int, key: Key) -> bool:
        latest = self._latest.get(key)
        return latest is not None and latest.lsn == number
