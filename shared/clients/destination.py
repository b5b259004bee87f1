"""Where a stream's records go: everything that takes events does it by one verb, so that it can be put around another.

A hub takes them (`event_hubs.hubs`), a container of Cosmos DB (`cosmos.containers`), files in the lake do
(`storage.lake_files`), and rows of a SQL table. What sends twice, to a hub and a database, or keeps aside what a hub
did not take (`spilling`), is a `Sender` around a `Sender`.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from shared.domain.charge import Charge
from shared.domain.delivery import Delivery, Event

type OnRefusal = Callable[[Event, str], None]
"""Is told of each event that its destination will never take, and why."""


class Sender(Protocol):
    """Delivers events to one destination."""

    async def send(self, events: Sequence[Event]) -> Delivery:
        """Deliver the events, in order for each key and partition.

        Raises SendFailed where some could not be delivered in time (its `delivery` counts what became of the others),
        and LoginRefused.
        """


class RestingSender(Sender, Protocol):
    """Delivers events to a peer that it leaves alone for a while after it failed several times in a row."""

    async def send(self, events: Sequence[Event], *, briefly: bool = False) -> Delivery:
        """Deliver as every sender does; SendFailed names the events that are not settled.

        briefly: for no longer than one try may take, where nobody wants to wait for a peer that may be away.
        """

    @property
    def rest(self) -> float:
        """Give the seconds for which the peer is left alone; 0 where the next send asks it."""


class ChargedSender(RestingSender, Protocol):
    """Delivers events to a destination that is paid by use."""

    @property
    def charge(self) -> Charge:
        """Give what everything that was sent so far has cost."""
