"""What has become of the records of some events: an event is settled when all of its records are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.clients.cosmos.items import Items, UnfitRecord
from shared.clients.destination import OnRefusal
from shared.domain.delivery import Delivery, Event, Refusal
from shared.domain.windows.window import window_of
from shared.feeds.packing import BodyUnreadable, lines_of


@dataclass(slots=True)
class Settling:
    """One event on its way. left: its records of which nothing is known yet. stored: those that are, or may be."""

    event: Event
    left: int
    stored: int = 0
    refusals: list[tuple[Event, Refusal]] = field(default_factory=list)

    @property
    def is_settled(self) -> bool:
        """Say whether each record was accepted or refused."""
        return self.left == 0

    def refuse(self, line: bytes, reason: str) -> None:
        """Note that a record will never be taken."""
        alone = Event(line, 1, self.event.properties, self.event.partition_key, self.event.partition_id)
        self.refusals.append((alone, Refusal(1, reason)))
        self.left -= 1


@dataclass(frozen=True, slots=True)
class Part:
    """One record on its way: of which event, and the item that it became."""

    of: Settling
    partition_key: str
    content: dict[str, Any]
    line: bytes

    def accept(self) -> None:
        """Note that the item is stored."""
        self.of.left -= 1
        self.of.stored += 1


def settling_of(events: Sequence[Event], items: Items) -> tuple[list[Settling], list[Part]]:
    """Read the records of events; those that can't become items are refused already."""
    settling: list[Settling] = []
    parts: list[Part] = []
    for event in events:
        one = Settling(event, event.rows)
        settling.append(one)
        try:
            lines = lines_of(event)
        except BodyUnreadable as error:
            one.refusals.append((event, Refusal(event.rows, str(error))))
            one.left = 0
            continue
        parts += _parts(one, lines, items)
    return settling, parts


def _parts(one: Settling, lines: Iterable[bytes], items: Items) -> list[Part]:
    found = []
    window_id = window_of(str(one.event.properties.get("slice", "")))
    for line in lines:
        try:
            key, content = items.item_of(line, window_id)
        except UnfitRecord as error:
            one.refuse(line, str(error))
        else:
            found.append(Part(one, key, content, line))
    return found


def delivery_of(settling: Iterable[Settling], on_refusal: OnRefusal | None) -> Delivery:
    """Count what became of events, and tell of each record that is refused for good.

    Of an event that is not settled the stored records are unknown, for all its records will be sent again; then those
    that are refused are told of.
    """
    accepted = unknown = events = 0
    refused = Delivery()
    for one in settling:
        if not one.is_settled:
            unknown += one.stored
            continue
        accepted += one.stored
        events += one.stored > 0
        for event, refusal in one.refusals:
            refused = refused + Delivery(refusals=(refusal,))
            if on_refusal is not None:
                on_refusal(event, refusal.reason)
    return Delivery(accepted=accepted, unknown=unknown, events=events) + refused
