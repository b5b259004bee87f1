"""What became of the events that were produced: set algebra over a ledger that no part of the app keeps.

A producer numbers its events within a source and notes of each what its sender was told. What arrived is told by event
and key: a consumer keeps one row per key, as silver does.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Event(NamedTuple):
    """An event as its producer numbered it; `number` grows within its source."""

    source: str
    number: int


class Arrival(NamedTuple):
    """One delivery of an event, and the key by which a consumer knows it."""

    event: Event
    key: object


class Told(Enum):
    """What the sender of an event was told: a failed or unknown one may have arrived, an accepted one must have."""

    ACCEPTED = "accepted"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Verdict:
    """What became of the events.

    lost: accepted, but not kept by the consumer. phantom: arrived, but never produced. unknown: nobody was told whether
    they are there, and they are not. doubled_raw: deliveries beyond the first of an event. doubled: rows beyond the
    first of an event, after the consumer kept one per key. disordered: events whose first delivery came after that of a
    later event of their source.
    """

    lost: frozenset[Event]
    phantom: frozenset[Event]
    unknown: frozenset[Event]
    doubled_raw: int
    doubled: int
    disordered: int


def numbered(source: str, count: int, told: Told = Told.ACCEPTED) -> dict[Event, Told]:
    """Give the ledger of a source that produced `count` events, of which all senders were told the same."""
    return {Event(source, number): told for number in range(count)}


def judge(ledger: Mapping[Event, Told], arrived: Sequence[Arrival]) -> Verdict:
    """Compare what was produced with what arrived, in the order of arrival."""
    rows = {one.key: one.event for one in reversed(arrived)}  # the first row of a key is kept
    kept = frozenset(rows.values())
    return Verdict(
        lost=_told(ledger, Told.ACCEPTED) - kept,
        phantom=frozenset(one.event for one in arrived) - ledger.keys(),
        unknown=_told(ledger, Told.UNKNOWN) - kept,
        doubled_raw=_beyond_first(one.event for one in arrived),
        doubled=_beyond_first(rows.values()),
        disordered=_disordered(dict.fromkeys(one.event for one in arrived)),
    )


def _told(ledger: Mapping[Event, Told], told: Told) -> frozenset[Event]:
    return frozenset(event for event, one in ledger.items() if one is told)


def _beyond_first(events: Iterable[Event]) -> int:
    return sum(times - 1 for times in Counter(events).values())


def _disordered(events: Iterable[Event]) -> int:
    highest: dict[str, int] = {}
    late = 0
    for source, number in events:
        late += number < highest.get(source, number)
        highest[source] = max(number, highest.get(source, number))
    return late
