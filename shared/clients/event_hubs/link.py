"""One link to a hub as the sender sees it: what it can do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.domain.delivery import Event


@dataclass(frozen=True, slots=True)
class Batch:
    """The first `events` of some events as one message of the link."""

    events: int
    content: object


@dataclass(frozen=True, slots=True)
class HubProperties:
    """What a hub says of itself.

    created_at: when it was made, in UTC; a hub made anew under the same name counts its events from 0 again.
    last_sequence_numbers: of each of its partitions, -1 for an empty one.
    """

    created_at: datetime
    last_sequence_numbers: Mapping[str, int]


class Link(Protocol):
    """A connected client of one hub. Every method raises `LinkFault`, or `LoginRefused` where no token can be had."""

    async def open(self) -> None:
        """Connect; returns at once where the link is open."""

    async def connect(self, partitions: Sequence[str]) -> None:
        """Connect to those partitions ahead of their first messages; no send may be under way."""

    async def fill(self, partition_id: str | None, events: Sequence[Event]) -> Batch:
        """Put as many of the events, from the first on, into one message as the hub allows; each keeps its own key.

        partition_id: the message's, None where it may be any. Rejects where the first is too large for any message.
        """

    async def send(self, batch: Batch) -> None:
        """Send one message and wait for the hub's answer."""

    async def partitions(self) -> tuple[str, ...]:
        """Ask the hub for the ids of its partitions, in its order."""

    async def properties(self) -> HubProperties:
        """Ask the hub, and each of its partitions."""

    async def close(self) -> None:
        """Disconnect; never raises."""
