"""The spill: batches that a hub did not take in time, as blobs, and the queue that wakes those who redrive them."""

from collections.abc import Collection
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Final, Protocol

from shared.domain.spill import SpilledBatch, SpillState

CONTAINER: Final = "spill"
QUEUE: Final = "spill"
DEAD_QUEUE: Final = "spill-dead"


class Spill(Protocol):
    """Batches by path; every verb raises Unavailable or LoginRefused. For any number of threads."""

    def keep(self, batch: SpilledBatch, content: bytes) -> None:
        """Write a batch's blob, and then the message that names it; nothing is kept unless both are written.

        A batch that is kept again, because the answer to a try was lost, is one.
        """

    def batches(self, prefix: str = "", states: Collection[SpillState] = ()) -> list[SpilledBatch]:
        """Give the batches whose paths begin so, in the order of their paths; of these states, or of all."""

    def batch(self, path: str) -> SpilledBatch | None:
        """Give one batch, None where there is none."""

    def read(self, path: str) -> bytes | None:
        """Give a batch's content as it is kept, None where it is gone."""

    def mark(self, batch: SpilledBatch) -> bool:
        """Write what a batch is now (state, tries, reason, waits_for); says whether its blob was there."""

    def remind(self, batch: SpilledBatch, delay: timedelta = timedelta()) -> None:
        """Write a message that names a batch, visible after `delay` (at most 7 days)."""

    def bury(self, batch: SpilledBatch) -> None:
        """Write a message that names a batch into the queue of dead ones, for people and their tools."""

    def lock(self, stream: str) -> AbstractContextManager["SpillLock | None"]:
        """Take the right to redrive a stream for the length of a block; None where another has it.

        A lock whose holder died is free again after 60 s.
        """

    def delete_older(self, before: datetime, states: Collection[SpillState], most: int) -> int:
        """Delete batches of these states that were last written before an instant; say how many, at most `most`."""

    def waiting_messages(self) -> tuple[int, int]:
        """Say about how many messages the queue holds, and the queue of dead ones."""


class SpillLock(Protocol):
    """The right to redrive one stream."""

    def renew(self) -> None:
        """Keep it for another 60 s; raises Unavailable where it was lost."""
