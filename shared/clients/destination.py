"""Where a stream's records go: everything that takes events does it by one verb, so that it can be put around another.

A hub takes them (`event_hubs.hubs`), files in the lake do (`storage.lake_files`), and rows of a SQL table. What sends
twice, to a hub and a database, or keeps aside what a hub did not take, is a `Sender` around a `Sender` and belongs in
this module.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

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
