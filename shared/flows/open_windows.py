"""Opening windows: what a tick of the timer claims in the ledger, and the start of what was claimed."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared import telemetry
from shared.clients.durable.orchestrations import Orchestrations
from shared.clients.event_hubs.hubs import EventHubs
from shared.clients.storage.windows import Ledger, claim_attempt
from shared.domain.windows.ledger_row import WindowOrigin, WindowRow
from shared.domain.windows.plan import MAX_WINDOW, Plan, PlanTemplate
from shared.domain.windows.replay import ReplayPlan, ReplaySettings
from shared.domain.windows.schedule import Schedule, Tick, decide_tick
from shared.domain.windows.window import Window
from shared.errors import IngestionError, Unavailable
from shared.flows.window_signals import record_end
from shared.signals.recording import record_span
from shared.trades.listing import Resolved

logger = logging.getLogger(__name__)

_ACTIVE = ("planned", "open")


@dataclass(frozen=True, slots=True)
class PlanFactory:
    """Makes plans from templates by feed and the facts that come from outside.

    fingerprint: of the pool that a feed draws from. partitions: of the hubs to which a template sends packs. resolve:
    says what a template's markets are to their venues. replay: says what a feed's windows replay, None is nothing.
    """

    templates: Mapping[str, PlanTemplate]
    fingerprint: Callable[[str], str]
    partitions: Callable[[PlanTemplate], Mapping[str, int]]
    resolve: Callable[[Sequence[str]], Resolved] = lambda sources: Resolved(tuple(sources))
    replay: Callable[[str, ReplaySettings], ReplayPlan | None] = lambda _feed, _settings: None

    def rows(
        self,
        feed: str,
        now: datetime,
        origin: WindowOrigin,
        claim: Sequence[Window] = (),
        reopen: Sequence[WindowRow] = (),
    ) -> list[WindowRow]:
        """Make the rows that claim windows of a feed, then those of the next attempts of ended ones, with their plans.

        A window that has wholly passed queues behind the one before it. What comes from outside is asked once for all
        of them. Raises Unavailable, FeedUnusable and LoginRefused.
        """
        if not claim and not reopen:
            return []
        template = self.templates[feed]
        replay = self.replay(feed, template.replay)
        fingerprint, partitions = "" if replay else self.fingerprint(feed), self.partitions(template)
        resolved = self.resolve(template.sources) if template.sources else Resolved(())

        def planned(window: Window, attempt: int, earlier: Plan | None = None) -> WindowRow:
            fresh = template.freeze(window, now, fingerprint, partitions, attempt)
            fresh = replace(fresh, sources=resolved.sources, refused=resolved.refused, replay=replay)
            plan = fresh.with_keys_of(earlier) if earlier else fresh
            return WindowRow(window, "planned", origin, now, plan.as_wire(), queued=plan.past, attempt=attempt)

        again = [planned(row.window, row.attempt + 1, _plan_of(row)) for row in reopen]
        return [*(planned(window, 1) for window in claim), *again]


def _plan_of(row: WindowRow) -> Plan | None:
    """Give the plan by which a window was ingested, None where it never was, or not by one that can be read."""
    try:
        return Plan.from_wire(dict(row.plan)) if row.plan else None
    except (KeyError, TypeError, ValueError):
        return None


def partitions_of(template: PlanTemplate, hubs: EventHubs) -> dict[str, int]:
    """Ask the hubs that packs go to for their partitions; a row needs no count, so its hub is not asked."""
    asked = {hub for stream in template.streams if stream.packing == "pack" for hub in stream.hubs}
    return {hub: len(asyncio.run(hubs.properties(hub)).last_sequence_numbers) for hub in asked}


def claim_due_windows(
    ledger: Ledger, plans: PlanFactory, schedules: Iterable[Schedule], now: datetime, period: timedelta
) -> list[WindowRow]:
    """Claim what is due of each feed; give the rows whose orchestration must be started now, in order.

    A feed that fails, for whatever reason, is tried later and costs no other, nor its own windows that wait already.
    """
    rows: list[WindowRow] = []
    for schedule in schedules:
        try:
            known = _rows(ledger, schedule, now)
            tick = decide_tick(schedule, known, now, period)
            rows += tick.start
            rows += _claim(ledger, plans, schedule, tick, now, queue_idle=not any(row.queued for row in known))
        except IngestionError as error:
            telemetry.warning(logger, "feed.not_claimed", feed=schedule.feed, cause=error)
        except Exception as fault:  # noqa: BLE001 - a fault in one feed's own code must not stop the others' windows
            telemetry.error(logger, "feed.not_claimed", feed=schedule.feed, cause=fault)
    return rows


def _claim(
    ledger: Ledger, plans: PlanFactory, schedule: Schedule, tick: Tick, now: datetime, *, queue_idle: bool
) -> list[WindowRow]:
    """Claim what a tick found due, record what is missed, and give the rows to start at once."""
    for window in tick.missed:
        missed = _missed(window, now, schedule.catch_up)
        if ledger.claim(missed):
            record_end(missed)
    rows = plans.rows(schedule.feed, now, "timer", tick.claim, tick.reopen)
    claimed = [row for row in rows if claim_attempt(ledger, row)]
    first = min((row for row in claimed if row.queued), key=lambda row: row.window.start, default=None)
    return [row for row in claimed if not row.queued or (queue_idle and row is first)]


async def start_windows(rows: Iterable[WindowRow], orchestrations: Orchestrations) -> None:
    """Start the orchestration of each row; one that can't be started is left to a later tick."""
    for row in rows:
        try:
            await orchestrations.start(row.instance, {"plan": dict(row.plan)})
            telemetry.info(logger, "window.started", window=row.window.id)
        except Unavailable as error:
            telemetry.warning(logger, "window.start_failed", window=row.window.id, cause=error)


def record_tick(rows: Iterable[WindowRow], began: datetime, ended: datetime) -> None:
    """Tell a tick of the timer in the trace of each window that it started."""
    for row in rows:
        record_span("tick", row.window.id, began, ended, attempt=row.attempt)


def _rows(ledger: Ledger, schedule: Schedule, now: datetime) -> list[WindowRow]:
    """Gather the feed's rows from a day before the end of the timer's newest one on, and those still active.

    Where catching up opens windows again, from as far back as that goes.
    """
    recent = now - schedule.every - MAX_WINDOW
    since = recent - schedule.catch_up if schedule.reingest else recent
    known = ledger.windows(schedule.feed, since=since)
    if not any(row.origin == "timer" for row in known):
        newest = ledger.newest(schedule.feed, 1, now=now, origin="timer")
        known = ledger.windows(schedule.feed, since=newest[0].window.end - MAX_WINDOW) if newest else known
    active = ledger.windows(schedule.feed, states=_ACTIVE)
    return list({row.window.id: row for row in [*known, *active]}.values())


def _missed(window: Window, now: datetime, catch_up: timedelta) -> WindowRow:
    reason = f"It ended more than {catch_up} (the feed's _CATCH_UP) before {now.isoformat(timespec='seconds')}."
    return WindowRow(window, "missed", "timer", now, reason=reason, closed_at=now)
