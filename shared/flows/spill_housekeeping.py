"""Looking again at the spill: what waits and nobody redrives, what is dead and nobody knows of, what is too old."""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Final

from shared import telemetry
from shared.clients.storage.spill import QueuedMessage, Spill
from shared.domain.redriving import AfterDead, after_death, due_batches, overdue
from shared.domain.spill import SpilledBatch, SpillState, read_message
from shared.domain.windows.ledger_row import WindowRow
from shared.errors import CorruptRow, IngestionError
from shared.flows.announce import WindowEvents, note

logger = logging.getLogger(__name__)

SPILL_DEAD: Final = "spill_dead"
"""Under which a window's row keeps when an alert of its dead batches was raised."""

MOST_BATCHES_PURGED: Final = 500
"""Of each state and tick: 144,000 a day."""

_MOST_POISON: Final = 3_200
_AT_ONCE: Final = 32
_DEAD: Final[tuple[SpillState]] = ("dead",)
_OPEN: Final[tuple[SpillState, ...]] = ("waiting", "dead")


@dataclass(frozen=True, slots=True)
class SpillHousekeepingTools:
    """What looking after the spill needs of the world. alert: tells a person of a window's dead batches, and why.

    keep: how long redriven and discarded batches are kept. keep_dead: how long dead ones are.
    """

    spill: Spill
    events: WindowEvents
    alert: Callable[[WindowRow, str], None]
    after_dead: AfterDead
    keep: timedelta
    keep_dead: timedelta

    @property
    def clock(self) -> Callable[[], datetime]:
        """Give the wall clock."""
        return self.events.clock


def look_after_spill(tools: SpillHousekeepingTools) -> list[str]:
    """Take each poisoned message, remind, alert and purge; says in sentences what it did.

    Raises Unavailable and LoginRefused.
    """
    done = _look_at_poison(tools)
    batches = tools.spill.batches(states=_OPEN)
    return done + _remind(tools, batches) + _alert_of_dead(tools, batches) + _purge(tools)


def _look_at_poison(tools: SpillHousekeepingTools) -> list[str]:
    """Take all messages that the function died of, and look once at each stream that they name.

    Once: what takes storage away for a while kills the messages of many good batches together.
    """
    done, streams = [], set()
    for message in _poison(tools.spill):
        try:
            streams.add(read_message(json.loads(message.body)).path.partition("/")[0])
        except (ValueError, RecursionError) as fault:
            done.append(f"A message of {len(message.body)} bytes in the queue spill-poison names no batch: {fault}.")
        tools.spill.forget(message)
    return done + [_after_death(tools, stream) for stream in sorted(streams)]


def _poison(spill: Spill) -> Iterator[QueuedMessage]:
    for _ in range(_MOST_POISON // _AT_ONCE):
        messages = spill.poison(_AT_ONCE)
        if not messages:
            return
        yield from messages


def _after_death(tools: SpillHousekeepingTools, stream: str) -> str:
    """Have a stream tried once more, and bury what its redriver died of again.

    A redriver works in the order of paths, so it died of the first batch, whichever its message named.
    """
    first = next(iter(due_batches(tools.spill.batches(f"{stream}/", _OPEN), tools.after_dead)), None)
    if first is None:
        return f"The function died five times at the spill of stream {stream}, where nothing is due any more."
    batch = after_death(first)
    tools.spill.mark(batch)
    if batch.state == "dead":
        tools.spill.bury(batch)
    tools.spill.remind(batch)
    ends = "It is dead now." if batch.state == "dead" else "It is tried once more."
    return f"The function died five times at {batch.path} ({batch.rows} records). {ends}"


def _remind(tools: SpillHousekeepingTools, batches: Sequence[SpilledBatch]) -> list[str]:
    messages, _ = tools.spill.waiting_messages()
    done = []
    for batch, delay in overdue(batches, tools.clock(), messages, tools.after_dead):
        tools.spill.remind(batch, delay)
        done.append(
            f"Stream {batch.stream} has records that wait since {batch.spilled_at.isoformat()}: reminded of them."
        )
    return done


def _alert_of_dead(tools: SpillHousekeepingTools, batches: Iterable[SpilledBatch]) -> list[str]:
    """Alert once of each window that has dead batches; one that is not in the ledger is alerted of by the log alone."""
    dead = sorted((batch for batch in batches if batch.state == "dead"), key=attrgetter("window_id", "path"))
    done = []
    for window_id, own in groupby(dead, key=attrgetter("window_id")):
        row = _row(tools, window_id)
        if row is not None and SPILL_DEAD not in row.announced:
            done.append(_alert(tools, row, list(own)))
    return done


def _alert(tools: SpillHousekeepingTools, row: WindowRow, dead: Sequence[SpilledBatch]) -> str:
    rows = sum(batch.rows for batch in dead)
    reason = f"{rows} spilled records in {len(dead)} batches are dead. The first: {dead[0].reason}"
    try:
        tools.alert(row, reason)
    except IngestionError:
        raise
    except Exception as fault:  # noqa: BLE001 - its plan may be of a shape that this version can't read
        telemetry.error(logger, "window.no_alert", cause=fault, window=row.window.id, reason=reason)
    note(tools.events, row, SPILL_DEAD)
    return f"Of window {row.window.id}, {reason}"


def _row(tools: SpillHousekeepingTools, window_id: str) -> WindowRow | None:
    try:
        return tools.events.ledger.window(window_id)
    except CorruptRow as odd:
        telemetry.warning(logger, "window.not_looked_at", window=window_id, cause=odd)
        return None


def _purge(tools: SpillHousekeepingTools) -> list[str]:
    """Delete what is settled, and dead batches when the ledger forgets their windows; what waits is never deleted."""
    now = tools.clock()
    settled = tools.spill.delete_older(now - tools.keep, ("redriven", "discarded"), MOST_BATCHES_PURGED)
    dead = tools.spill.delete_older(now - tools.keep_dead, _DEAD, MOST_BATCHES_PURGED)
    done = [f"{settled} spilled batches that were redriven or discarded were deleted."] if settled else []
    return [*done, f"{dead} dead batches were deleted; they can't be redriven any more."] if dead else done
