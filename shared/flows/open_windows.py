"""Opening windows: what a tick of the timer claims in the ledger, and the start of what was claimed."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared import telemetry
from shared.clients.durable.orchestrations import Orchestrations
from shared.clients.event_hubs.hubs import EventHubs
from shared.clients.storage.windows import Ledger
from shared.domain.windows.ledger_row import WindowOrigin, WindowRow
from shared.domain.windows.plan import PlanTemplate
from shared.domain.windows.schedule import Schedule, decide_tick
from shared.domain.windows.window import Window
from shared.errors import IngestionError, Unavailable
from shared.trades.listing import Resolved

logger = logging.getLogger(__name__)

_ACTIVE = ("planned", "open")


@dataclass(frozen=True, slots=True)
class PlanFactory:
    """Makes plans from templates by feed and the facts that come from outside.

    fingerprint: of the pool that a feed draws from. partitions: of the hubs to which a template sends packs. resolve:
    says what a template's markets are to their venues.
    """

    templates: Mapping[str, PlanTemplate]
    fingerprint: Callable[[str], str]
    partitions: Callable[[PlanTemplate], Mapping[str, int]]
    resolve: Callable[[Sequence[str]], Resolved] = lambda sources: Resolved(tuple(sources))

    def row(self, window: Window, now: datetime, origin: WindowOrigin, *, queued: bool) -> WindowRow:
        """Make the row that claims a window, with its plan; raises Unavailable, FeedUnusable and LoginRefused."""
        template = self.templates[window.feed]
        plan = template.freeze(window, now, self.fingerprint(window.feed), self.partitions(template))
        if plan.sources:
            resolved = self.resolve(plan.sources)
            plan = replace(plan, sources=resolved.sources, refused=resolved.refused)
        return WindowRow(window, "planned", origin, now, plan.as_wire(), queued=queued)


def partitions_of(template: PlanTemplate, hubs: EventHubs) -> dict[str, int]:
    """Ask the hubs that packs go to for their partitions; a row needs no count, so its hub is not asked."""
    asked = {stream.hub for stream in template.streams if stream.hub and stream.packing == "pack"}
    return {hub: len(asyncio.run(hubs.properties(hub)).last_sequence_numbers) for hub in asked}


def claim_due_windows(
    ledger: Ledger, plans: PlanFactory, schedules: Iterable[Schedule], now: datetime, period: timedelta
) -> list[WindowRow]:
    """Claim what is due of each feed; one that fails, for whatever reason, is tried later and costs no other."""
    rows = []
    for schedule in schedules:
        try:
            rows += claim_due_of_feed(ledger, plans, schedule, now, period)
        except IngestionError as error:
            telemetry.warning(logger, "feed.not_claimed", feed=schedule.feed, cause=error)
        except Exception as fault:  # noqa: BLE001 - a fault in one feed's own code must not stop the others' windows
            telemetry.error(logger, "feed.not_claimed", feed=schedule.feed, cause=fault)
    return rows


def claim_due_of_feed(
    ledger: Ledger, plans: PlanFactory, schedule: Schedule, now: datetime, period: timedelta
) -> list[WindowRow]:
    """Claim what is due of one feed; give the rows whose orchestration must be started now, in order.

    A window that has wholly passed queues behind the one before it; one too far back is recorded as missed.
    """
    rows = _rows(ledger, schedule, now)
    tick = decide_tick(schedule, rows, now, period)
    for window in tick.missed:
        ledger.claim(_missed(window, now, schedule.catch_up))
    claims = [plans.row(window, now, "timer", queued=window.end <= now) for window in tick.claim]
    claimed = [row for row in claims if ledger.claim(row)]
    first_of_queue = next((row for row in claimed if row.queued), None)
    queue_idle = not any(row.queued for row in rows)
    at_once = [row for row in claimed if not row.queued or (queue_idle and row is first_of_queue)]
    return [*tick.start, *at_once]


async def start_windows(rows: Iterable[WindowRow], orchestrations: Orchestrations) -> None:
    """Start the orchestration of each row; one that can't be started is left to a later tick."""
    for row in rows:
        try:
            await orchestrations.start(row.instance, {"plan": dict(row.plan)})
            telemetry.info(logger, "window.started", window=row.window.id)
        except Unavailable as error:
            telemetry.warning(logger, "window.start_failed", window=row.window.id, cause=error)


def _rows(ledger: Ledger, schedule: Schedule, now: datetime) -> list[WindowRow]:
    """Gather the feed's recent rows (all, where there is no recent one) and those still active."""
    recent = ledger.windows(schedule.feed, since=now - schedule.catch_up - schedule.every)
    known = recent or ledger.windows(schedule.feed)
    active = ledger.windows(schedule.feed, states=_ACTIVE)
    return list({row.window.id: row for row in [*known, *active]}.values())


def _missed(window: Window, now: datetime, catch_up: timedelta) -> WindowRow:
    reason = f"It ended more than {catch_up} (the feed's _CATCH_UP) before {now.isoformat(timespec='seconds')}."
    return WindowRow(window, "missed", "timer", now, reason=reason, closed_at=now)
