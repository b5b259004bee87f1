"""What a redriver does about a stream's spilled batches: which are due, which of their events wait, what ends them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Final, Literal

from shared.domain.delivery import Event
from shared.domain.spill import SpilledBatch, SpillMessage, whole_path

type AfterDead = Literal["pass", "wait"]
"""What later events of a key do that a dead batch has: `pass`, or `wait` until it is redriven or discarded."""

type OrderKey = tuple[str | None, str | None]
"""Partition id and partition key of an event: those that share both are kept in order."""

DIED: Final = "The function died five times while it redrove this batch."
"""The reason of a batch that is tried once more after that."""

MESSAGE_TRUSTED: Final = timedelta(minutes=5)
"""For so long after a batch was spilled its own message is trusted."""

LONGEST_DELAY: Final = timedelta(minutes=10)
"""No reminder is put off for longer."""


@dataclass(frozen=True, slots=True)
class DeadKeys:
    """The dead batch at `path`, and whose events it has; None where it can't be read, so that it may have anybody's."""

    path: str
    keys: frozenset[OrderKey] | None


@dataclass(frozen=True, slots=True)
class Split:
    """The events of a batch that are sent now, those that wait, and for which dead batch, empty for none."""

    sendable: tuple[Event, ...]
    held: tuple[Event, ...] = ()
    waits_for: str = ""


def due_batches(batches: Iterable[SpilledBatch], after_dead: AfterDead) -> list[SpilledBatch]:
    """Give what may be sent of the batches of a stream and a hub, in the order of their paths.

    A batch that waits for a dead one is not among them while that is dead.
    """
    listed = sorted(batches, key=attrgetter("path"))
    dead = {batch.path for batch in listed if batch.state == "dead"} if after_dead == "wait" else set()
    return [batch for batch in listed if batch.state == "waiting" and batch.waits_for not in dead]


def first_due(batches: Iterable[SpilledBatch], after_dead: AfterDead) -> list[SpilledBatch]:
    """Give the first of each stream's batches that may be sent to a hub, for each hub that has any."""
    listed = sorted(batches, key=attrgetter("path"))
    parts = dict.fromkeys((batch.stream, batch.hub) for batch in listed)
    return [
        first
        for stream, hub in parts
        for first in due_batches(of_hub((one for one in listed if one.stream == stream), hub), after_dead)[:1]
    ]


def of_hub(batches: Iterable[SpilledBatch], hub: str) -> list[SpilledBatch]:
    """Give those of a stream's batches that are a hub's, or may be, since their metadata can't be read.

    Hubs have no order among each other, so what one does not take holds up no other.
    """
    return [batch for batch in batches if batch.hub in {hub, ""}]


def is_due(message: SpillMessage, first: SpilledBatch) -> bool:
    """Say whether a message is one to work upon, by the first batch that is due.

    While the hub is away only the reminder that was written last counts, which names the first batch as it is now: the
    messages of all the others would ask the hub again and again.
    """
    return first.tries == 0 or (message.path, message.tries) == (first.path, first.tries)


def is_left_to_reminder(message: SpillMessage, batch: SpilledBatch, first: SpilledBatch) -> bool:
    """Say whether a message has nothing to do, since its stream's first batch for its hub waits for that, reminded of.

    batch: the one that the message names. first: the one that was first when somebody looked last, as it is now; what
    came before it since is first itself.
    """
    is_away = first.state == "waiting" and first.tries > 0 and not first.waits_for
    is_later = batch.state != "waiting" or batch.path >= first.path
    return is_away and is_later and not is_due(message, first)


def keys_of(events: Iterable[Event]) -> frozenset[OrderKey]:
    """Give the keys of some events; one that has neither key nor partition is in no order, and has none."""
    return frozenset(key for event in events if (key := _key(event)) != _UNORDERED)


def split(path: str, events: Sequence[Event], dead: Iterable[DeadKeys]) -> Split:
    """Part the events of the batch at `path` by whether an earlier one that is dead has their key.

    What the hub refused of a batch is not earlier than the batch: where that is sent again, all of it is.
    """
    waits, found = "", frozenset[OrderKey]()
    for each in sorted(dead, key=attrgetter("path")):
        blocked = each.keys if whole_path(each.path) < whole_path(path) else frozenset()
        if blocked is None:
            return Split((), tuple(events), waits or each.path)
        met = blocked & keys_of(events)
        waits, found = waits or (each.path if met else ""), found | met
    held = tuple(event for event in events if _key(event) in found)
    return Split(tuple(event for event in events if _key(event) not in found), held, waits)


def drained_windows(batches: Iterable[SpilledBatch]) -> list[str]:
    """Give the windows of which no batch waits for hubs any more, or none for Cosmos DB; batches: of all states."""
    of_sink = attrgetter("window_id", "sink")
    parts = groupby(sorted(batches, key=of_sink), key=of_sink)
    found = {window_id for (window_id, _), own in parts if all(batch.state != "waiting" for batch in own)}
    return sorted(found)


def overdue(
    batches: Iterable[SpilledBatch], now: datetime, messages: int, after_dead: AfterDead
) -> list[tuple[SpilledBatch, timedelta]]:
    """Give the first due batch of each stream and hub that may have no message any more, and when to remind of it.

    messages: about how many there are, never too few. Where there is any, it may be the one: a reminder as late as a
    redriver's own can be is out of date when it comes, unless nobody else reminded.
    """
    delay = LONGEST_DELAY if messages else timedelta()
    first = first_due(batches, after_dead)
    return [(batch, delay) for batch in first if now - batch.spilled_at >= MESSAGE_TRUSTED]


def after_death(batch: SpilledBatch) -> SpilledBatch:
    """Give what the first due batch is after a message's five deaths: tried once more, and then dead."""
    return replace(batch, state="dead" if batch.reason == DIED else "waiting", reason=DIED)


def _key(event: Event) -> OrderKey:
    return event.partition_id, event.partition_key


_UNORDERED: Final[OrderKey] = (None, None)
