"""Looking again at the spill: what waits and nobody redrives, what is dead and nobody knows of, what is too old."""

import json
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, islice
from operator import attrgetter
from typing import Final

from shared import telemetry
from shared.clients.storage.spill import QueuedMessage, Spill
from shared.clients.storage.windows import known_window
from shared.domain.redriving import AfterDead, after_death, drained_windows, first_due, overdue
from shared.domain.spill import SpilledBatch, SpillState, read_message
from shared.domain.windows.ledger_row import WindowRow
from shared.errors import IngestionError
from shared.flows.announce import WindowEvents, mark_spill, note
from shared.signals.metrics import OTHER, SPILL_AGE, SPILL_RECORDS
from shared.signals.recording import record

logger = logging.getLogger(__name__)

SPILL_DEAD: Final = "spill_dead"
"""Under which a window's row keeps when an alert of its dead batches was raised."""

MOST_BATCHES_PURGED: Final = 500
"""Of what was redriven, and of all else, in a tick: 144,000 a day."""

_LATELY: Final = timedelta(days=1)
_MOST_POISON: Final = 3_200
_AT_ONCE: Final = 32


@dataclass(frozen=True, slots=True)
class SpillHousekeepingTools:
    """What looking after the spill needs of the world. alert: tells a person of a window's dead batches, and why.

    keep: how long redriven batches are kept. keep_dead: how long dead and discarded ones are. streams: those that may
    be spilled.
    """

    spill: Spill
    events: WindowEvents
    alert: Callable[[WindowRow, str], None]
    after_dead: AfterDead
    keep: timedelta
    keep_dead: timedelta
    streams: Collection[str]

    @property
    def clock(self) -> Callable[[], datetime]:
        """Give the wall clock."""
        return self.events.clock


async def look_after_spill(tools: SpillHousekeepingTools) -> list[str]:
    """Take each poisoned message, remind, purge, alert, and tell of drained windows; says in sentences what it did.

    Raises Unavailable and LoginRefused.
    """
    batches = {batch.path: batch for batch in await telemetry.in_thread(tools.spill.batches)}
    _record(tools, batches.values())
    done = await telemetry.in_thread(_look_after_batches, tools, batches)
    return done + await _tell_drained(tools, batches.values())


def _record(tools: SpillHousekeepingTools, batches: Iterable[SpilledBatch]) -> None:
    """Record what waits of each stream, and how long; 0 of one that has nothing, and `other` for the rest."""
    waiting: dict[str, list[SpilledBatch]] = {stream: [] for stream in (*tools.streams, OTHER)}
    for batch in batches:
        if batch.state == "waiting":
            waiting.get(batch.stream, waiting[OTHER]).append(batch)
    now = tools.clock()
    for stream, own in waiting.items():
        record(SPILL_RECORDS, sum(batch.rows for batch in own), stream=stream)
        age = max(((now - batch.spilled_at).total_seconds() for batch in own), default=0.0)
        record(SPILL_AGE, age, stream=stream)


def _look_after_batches(tools: SpillHousekeepingTools, batches: dict[str, SpilledBatch]) -> list[str]:
    """Purge before alerting: while nobody can be told, storage must not fill."""
    done = _look_at_poison(tools, batches)
    done += _remind(tools, batches.values())
    done += _purge(tools, batches.values())
    return done + _alert_of_dead(tools, batches.values())


async def _tell_drained(tools: SpillHousekeepingTools, batches: Collection[SpilledBatch]) -> list[str]:
    """Tell of windows that are drained and of which a redriver could not tell, since it was killed or storage away.

    Of those alone that something was written of lately: the ends of older windows may be deleted by now.
    """
    done, lately = [], tools.clock() - _LATELY
    written = {batch.window_id for batch in batches if _is_written_since(batch, lately)}
    for window_id in drained_windows(batch for batch in batches if batch.window_id in written):
        try:
            if await mark_spill(tools.events, window_id):
                done.append(f"What became of the spill of window {window_id} was written into its end.")
        except IngestionError as failure:
            telemetry.warning(logger, "spill.not_told", window=window_id, cause=failure)
            if failure.kind.may_pass:
                return done
        except Exception as fault:  # noqa: BLE001 - its plan may be of a shape that this version can't read
            telemetry.error(logger, "spill.not_told", cause=fault, window=window_id)
    return done


def _look_at_poison(tools: SpillHousekeepingTools, batches: dict[str, SpilledBatch]) -> list[str]:
    """Take all messages that the function died of, and look once at each stream and hub that they name.

    Once: what takes storage away for a while kills the messages of many good batches together.
    """
    done, parts = [], set()
    for message in _poison(tools.spill):
        try:
            named = read_message(json.loads(message.body))
            parts.add((named.path.partition("/")[0], named.hub))
        except (ValueError, RecursionError) as fault:
            done.append(f"A message of {len(message.body)} bytes in the queue spill-poison names no batch: {fault}.")
        tools.spill.forget(message)
    return done + [_after_death(tools, batches, *part) for part in sorted(parts)]


def _poison(spill: Spill) -> Iterator[QueuedMessage]:
    for _ in range(_MOST_POISON // _AT_ONCE):
        messages = spill.poison(_AT_ONCE)
        if not messages:
            return
        yield from messages


def _after_death(tools: SpillHousekeepingTools, batches: dict[str, SpilledBatch], stream: str, hub: str) -> str:
    """Have a stream tried once more at a hub, and bury what its redriver died of again.

    A redriver works in the order of paths, so it died of the first batch, whichever its message named.
    """
    due = _first_due(tools, batches.values(), stream, hub)
    if not due:
        return f"The function died five times at the spill of stream {stream}, where nothing is due any more."
    batch = after_death(due[0])
    batches[batch.path] = tools.spill.mark(batch) or batch
    if batch.state == "dead":
        tools.spill.bury(batch)
    for following in _first_due(tools, batches.values(), stream, hub):
        tools.spill.remind(following)
    ends = "It is dead now." if batch.state == "dead" else "It is tried once more."
    return f"The function died five times at {batch.path} ({batch.rows} records). {ends}"


def _first_due(
    tools: SpillHousekeepingTools, batches: Iterable[SpilledBatch], stream: str, hub: str
) -> list[SpilledBatch]:
    """Give what is due first of a stream at a hub; of all its hubs, the earliest first, where no hub is named."""
    own = [batch for batch in batches if batch.stream == stream and (not hub or batch.hub in {hub, ""})]
    return first_due(own, tools.after_dead)


def _remind(tools: SpillHousekeepingTools, batches: Iterable[SpilledBatch]) -> list[str]:
    messages, _ = tools.spill.waiting_messages()
    done = []
    for batch, delay in overdue(batches, tools.clock(), messages, tools.after_dead):
        tools.spill.remind(batch, delay)
        done.append(
            f"Stream {batch.stream} has records that wait since {batch.spilled_at.isoformat()}: reminded of them."
        )
    return done


def _alert_of_dead(tools: SpillHousekeepingTools, batches: Iterable[SpilledBatch]) -> list[str]:
    """Alert once of each window that has dead batches; one that is not in the ledger is alerted of by the log alone.

    What can't be alerted of now is at the next tick, and costs no other.
    """
    dead = sorted((batch for batch in batches if batch.state == "dead"), key=attrgetter("window_id", "path"))
    done = []
    for window_id, own in groupby(dead, key=attrgetter("window_id")):
        try:
            row = known_window(tools.events.ledger, window_id)
            if row is not None and SPILL_DEAD not in row.announced:
                done.append(_alert(tools, row, list(own)))
        except IngestionError as failure:
            telemetry.warning(logger, "window.not_alerted", window=window_id, cause=failure)
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


def _purge(tools: SpillHousekeepingTools, batches: Collection[SpilledBatch]) -> list[str]:
    """Delete what was redriven, and what else is settled when the ledger forgets its window; never what waits.

    What was discarded must be counted for as long as its window is: else it would be missed among what has arrived.
    """
    now = tools.clock()
    before: Mapping[SpillState, datetime] = {
        "redriven": now - tools.keep,
        "dead": now - tools.keep_dead,
        "discarded": now - tools.keep_dead,
    }
    old = [batch for batch in batches if batch.state in before and not _is_written_since(batch, before[batch.state])]
    redriven = _delete(tools, (batch for batch in old if batch.state == "redriven"))
    ended = _delete(tools, (batch for batch in old if batch.state != "redriven"))
    done = [f"{redriven} spilled batches that were redriven were deleted."] if redriven else []
    done += [f"{ended} dead or discarded batches were deleted; they can't be redriven any more."] if ended else []
    return done


def _is_written_since(batch: SpilledBatch, instant: datetime) -> bool:
    return batch.written_at is None or batch.written_at >= instant


def _delete(tools: SpillHousekeepingTools, old: Iterable[SpilledBatch]) -> int:
    return sum(tools.spill.delete(batch) for batch in islice(old, MOST_BATCHES_PURGED))
