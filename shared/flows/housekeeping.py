"""Looking again at what every stage left behind: windows that nobody ends, and what is too old to be kept."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from shared import telemetry
from shared.clients.durable.orchestrations import Orchestrations
from shared.clients.storage.runs import RunLedger
from shared.domain.windows.housekeeping import ALERTED, LOST, decide_remedy, ended, lost_unsaid, suspects
from shared.domain.windows.instances import Standing, leg_instance
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import Plan
from shared.errors import IngestionError
from shared.flows.announce import MARKERS, WindowEvents, announce_closing, mark_closed, note
from shared.flows.lookups import folder_of
from shared.flows.window_signals import record_active, record_end

logger = logging.getLogger(__name__)

MOST_WINDOWS_PURGED: Final = 20
"""Of each feed and tick, each with its tries: 5,760 a day, more than any grid has."""

ALERT_FOR: Final = timedelta(hours=24)
"""So long after its end a window that was not ingested is alerted of, where the database was away until then."""

MOST_ALERTS: Final = 50
"""Of each feed and tick."""

MOST_BLOBS_PURGED: Final = 50
_ASKED_AT_ONCE: Final = 16

type HousekeepingStep = Callable[[], Awaitable[Iterable[str]]]
"""Looks after one kind of thing, and says in sentences what it did."""


@dataclass(frozen=True, slots=True)
class Keep:
    """How long each kind of thing is kept."""

    history: timedelta
    ledger: timedelta
    lookups: timedelta
    markers: timedelta
    spill: timedelta


@dataclass(frozen=True, slots=True)
class HousekeepingTools:
    """What housekeeping needs of the world. alert: tells a person of a window that was not ingested, and why.

    feeds, lookups: the names of those whose rows and files are looked after.
    """

    events: WindowEvents
    runs: RunLedger
    alert: Callable[[WindowRow], None]
    feeds: tuple[str, ...]
    lookups: tuple[str, ...]
    keep: Keep


def housekeeping_steps(tools: HousekeepingTools, orchestrations: Orchestrations) -> dict[str, HousekeepingStep]:
    """Give the steps of housekeeping by name, in order."""
    return {
        "windows": lambda: end_or_restart_windows(tools, orchestrations),
        "alerts": lambda: telemetry.in_thread(_alert_of_lost, tools),
        "history": lambda: _purge_history(tools, orchestrations),
        "ledger": lambda: telemetry.in_thread(_purge_ledger, tools),
        "lookups": lambda: telemetry.in_thread(_purge_lookups, tools),
        "markers": lambda: telemetry.in_thread(_purge_markers, tools),
    }


async def look_after(steps: Mapping[str, HousekeepingStep]) -> None:
    """Take each step, and log what it did; one that fails is taken again at the next tick, and costs no other."""
    for name, step in steps.items():
        try:
            for sentence in await step():
                telemetry.warning(logger, "housekeeping.done", step=name, what=sentence)
        except IngestionError as error:
            telemetry.warning(logger, "housekeeping.failed", step=name, cause=error)
        except Exception as fault:  # noqa: BLE001 - a fault in one step's own code must not stop the others
            telemetry.error(logger, "housekeeping.failed", cause=fault, step=name)


async def end_or_restart_windows(tools: HousekeepingTools, orchestrations: Orchestrations) -> list[str]:
    """Start the orchestrations again of windows whose own is gone or failed, and end what that does not help.

    A window that can't be looked at, for whatever reason, costs no other.
    """
    active = await telemetry.in_thread(tools.events.ledger.active)
    record_active(active, tools.feeds, tools.events.clock(), announced=tools.events.topic is not None)
    done: list[str] = []
    for row in suspects(active, tools.events.clock()):
        try:
            done.extend(await _look_at(tools, orchestrations, row))
        except IngestionError as error:
            telemetry.warning(logger, "window.not_looked_at", window=row.window.id, cause=error)
        except Exception as fault:  # noqa: BLE001 - its plan may be of a shape that this version can't read
            telemetry.error(logger, "window.not_looked_at", cause=fault, window=row.window.id)
    return done


async def _look_at(tools: HousekeepingTools, orchestrations: Orchestrations, row: WindowRow) -> list[str]:
    own = await orchestrations.standing(row.instance)
    remedy = "leave" if own == "alive" else decide_remedy(row, await _standings_below(orchestrations, row))
    if remedy == "restart":
        return await _restart(tools, orchestrations, row, own)
    return await _end(tools, row, own) if remedy == "end" else []


async def _standings_below(orchestrations: Orchestrations, row: WindowRow) -> list[Standing]:
    plan = Plan.from_wire(dict(row.plan))
    instances = [*(leg_instance(row.instance, leg.number) for leg in plan.legs()), *plan.slice_instances()]
    found: list[Standing] = []
    for first in range(0, len(instances), _ASKED_AT_ONCE):
        some = instances[first : first + _ASKED_AT_ONCE]
        found.extend(await asyncio.gather(*map(orchestrations.standing, some)))
    return found


async def _restart(
    tools: HousekeepingTools, orchestrations: Orchestrations, row: WindowRow, standing: Standing
) -> list[str]:
    """Count the restart, then start: the orchestration finds what was done, closes the window and so ends it."""
    if await telemetry.in_thread(_change, tools, row, replace(row, restarts=row.restarts + 1)):
        await orchestrations.start(row.instance, {"plan": dict(row.plan)})
        return [f"Window {row.window.id} is {row.state}, but its orchestration is {standing}; it was started again."]
    return []


async def _end(tools: HousekeepingTools, row: WindowRow, standing: Standing) -> list[str]:
    """End a window and tell of its end."""
    row = ended(row, standing, tools.events.clock())
    if not await telemetry.in_thread(_change, tools, row, row):
        return []
    record_end(row)
    await mark_closed(tools.events, row.window.id)
    await telemetry.in_thread(announce_closing, tools.events, row.window.id)
    return [f"Window {row.window.id} was ended as {row.state}: {row.reason}"]


def _alert_of_lost(tools: HousekeepingTools) -> list[str]:
    """Alert once of each window that failed or was missed, however long ago its time was.

    What can't be alerted of now, because the database is away, is at the next tick.
    """
    done = []
    for feed in tools.feeds:
        rows = tools.events.ledger.windows(feed, states=LOST)
        for row in lost_unsaid(rows, tools.events.clock() - ALERT_FOR)[:MOST_ALERTS]:
            try:
                tools.alert(row)
            except IngestionError:
                raise
            except Exception as fault:  # noqa: BLE001 - its plan may be of a shape that this version can't read
                telemetry.error(logger, "window.no_alert", cause=fault, window=row.window.id, reason=row.reason)
            note(tools.events, row, ALERTED)
            done.append(f"Window {row.window.id} is {row.state}: it was not ingested.")
    return done


def _change(tools: HousekeepingTools, seen: WindowRow, wanted: WindowRow) -> bool:
    """Write a row unless the window has moved on since it was looked at."""

    def changed(row: WindowRow) -> WindowRow | None:
        return wanted if (row.attempt, row.restarts, row.ended) == (seen.attempt, seen.restarts, False) else None

    return tools.events.ledger.change(seen.window.id, changed) == wanted


async def _purge_history(tools: HousekeepingTools, orchestrations: Orchestrations) -> list[str]:
    purged = await orchestrations.purge(tools.events.clock() - tools.keep.history)
    return [f"{purged} orchestrations were deleted from the task hub."] if purged else []


def _purge_ledger(tools: HousekeepingTools) -> list[str]:
    """Delete old rows; the timer's newest window stays, by which a feed that was off knows where it ended."""
    now, done = tools.events.clock(), []
    for feed in tools.feeds:
        newest = tools.events.ledger.newest(feed, 1, now=now, origin="timer")
        before = min([now - tools.keep.ledger, *(row.window.start for row in newest)])
        windows = tools.events.ledger.purge(feed, before, MOST_WINDOWS_PURGED)
        runs = tools.runs.purge(feed, before, MOST_WINDOWS_PURGED)
        if windows or runs:
            done.append(f"{windows} windows and {runs} runs of {feed} were deleted from the ledger.")
    return done


def _purge_lookups(tools: HousekeepingTools) -> list[str]:
    """Delete old lookups; the newest of each stays, for a window whose own can't be made."""
    before, done = tools.events.clock() - tools.keep.lookups, []
    for name in tools.lookups:
        newest = tools.events.reference.newest(folder_of(name))
        deleted = tools.events.reference.delete_older(folder_of(name), before, MOST_BLOBS_PURGED, keep=newest)
        done += [f"{deleted} lookups {name} were deleted."] if deleted else []
    return done


def _purge_markers(tools: HousekeepingTools) -> list[str]:
    deleted = tools.events.reference.delete_older(MARKERS, tools.events.clock() - tools.keep.markers, MOST_BLOBS_PURGED)
    return [f"{deleted} markers of ended windows were deleted."] if deleted else []
