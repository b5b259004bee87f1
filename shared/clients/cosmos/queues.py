"""The records of one partition key, in their order, cut into the batches that a container takes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from shared.clients.cosmos.link import ItemRejected
from shared.clients.cosmos.settling import Part

MOST_ITEMS: Final = 100
MOST_BYTES: Final = 1_000_000
"""Of a transactional batch: the service takes 100 operations and 2 MB (learn.microsoft.com, service quotas); aiohttp
warns of bodies over 1 MB."""

_AROUND: Final = 256  # what an operation adds to its record, at most


@dataclass(slots=True)
class KeyQueue:
    """Records that go one batch after the other: those before `at` are settled.

    stop: where the next batch ends at the latest; it shrinks while a refused record is being looked for.
    may_be_stored: an attempt at this batch may have been stored.
    """

    partition_key: str
    parts: list[Part] = field(default_factory=list)
    at: int = 0
    stop: int = 0
    may_be_stored: bool = False

    @property
    def is_done(self) -> bool:
        """Say whether every record is settled."""
        return self.at == len(self.parts)

    def next(self) -> Sequence[Part]:
        """Give the next batch, at least one record."""
        end, size = self.at, 0
        last = min(self.at + MOST_ITEMS, self.stop or len(self.parts))
        while end < last and (end == self.at or size + len(self.parts[end].line) + _AROUND <= MOST_BYTES):
            size += len(self.parts[end].line) + _AROUND
            end += 1
        return self.parts[self.at : end]

    def accept(self, batch: Sequence[Part]) -> None:
        """Note that a batch is stored."""
        for part in batch:
            part.accept()
        self.at += len(batch)
        self.stop = 0 if self.at >= self.stop else self.stop
        self.may_be_stored = False

    def reject(self, batch: Sequence[Part], rejected: ItemRejected) -> None:
        """Refuse the record that is named, or halve the batch to find it."""
        self.may_be_stored = False
        if rejected.at is None and len(batch) > 1:
            self.stop = self.at + len(batch) // 2
            return
        part = self.parts.pop(self.at + (rejected.at or 0))
        self.stop = 0 if self.stop <= self.at + 1 else self.stop - 1
        part.of.refuse(
            part.line, f"an item of {len(part.line)} bytes (id {part.content['id']!r}) was refused: {rejected}"
        )

    def abandon(self) -> None:
        """Count what may be stored of the batch that is given up."""
        if self.may_be_stored:
            for part in self.next():
                part.of.stored += 1


def queues(parts: Iterable[Part]) -> list[KeyQueue]:
    """Sort records by their partition key, each in its order."""
    found: dict[str, KeyQueue] = {}
    for part in parts:
        queue = found.get(part.partition_key)
        if queue is None:
            queue = found[part.partition_key] = KeyQueue(part.partition_key)
        queue.parts.append(part)
    return list(found.values())
