"""One link to a container as its sender sees it."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from shared.clients.links import LinkFault
from shared.domain.failures import FailureKind


class ItemRejected(LinkFault):
    """An item of a batch is refused, so that nothing of the batch was written. at: which one, None for any of them."""

    def __init__(self, reason: str, at: int | None) -> None:
        super().__init__(FailureKind.REJECTED, reason, answered=True)
        self.at = at


class ContainerLink(Protocol):
    """A connected client of one container; its methods raise `LinkFault`, or `LoginRefused` where no token is given."""

    async def open(self) -> None:
        """Connect; returns at once where the link is open."""

    async def upsert(self, partition_key: str, items: Sequence[Mapping[str, Any]]) -> float:
        """Write items of one partition key, all or none of them, and give what it cost in request units.

        At most 100 of them, and 2 MB. Raises ItemRejected where one can't be taken.
        """

    async def close(self) -> None:
        """Disconnect; never raises."""
