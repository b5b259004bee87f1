"""The day's gold: once a day a run of the lakehouse takes in what came late for the day before.

The lakehouse makes exactly the days anew that changed, whatever run it is; this one makes sure that there is a run.
"""

import logging
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final

from shared import telemetry
from shared.clients.durable.orchestrations import Orchestrations
from shared.domain.days import ONE_DAY, DailySchedule, begins, moment, newest_due
from shared.domain.runs.daily_run import INGESTED, daily_run
from shared.domain.runs.run import RunRow
from shared.domain.windows.ledger_row import WindowRow
from shared.errors import IngestionError
from shared.flows.enrich import EnrichmentTools
from shared.flows.request_runs import start_enrichment_of

logger = logging.getLogger(__name__)

TICK: Final = timedelta(minutes=5)
"""How often the timer asks what is due."""


async def start_daily_runs(
    tools: EnrichmentTools, schedules: Mapping[str, DailySchedule], orchestrations: Orchestrations
) -> None:
    """Start the run of each feed whose time has come and that has none yet; a feed that fails costs no other.

    Whether it has one is read from the ledgers alone, so a tick that was missed is made good within the day. A run that
    is claimed and can't be started is started by housekeeping.
    """
    for feed, daily in schedules.items():
        try:
            run = await telemetry.in_thread(claim_daily_run, tools, feed, daily)
            if run is not None:
                await start_enrichment_of(orchestrations, run.window.id, run.number, run.mode)
                telemetry.info(logger, "daily_gold.started", window=run.window.id, number=run.number)
        except IngestionError as error:
            telemetry.warning(logger, "daily_gold.not_started", feed=feed, cause=error)


def claim_daily_run(tools: EnrichmentTools, feed: str, daily: DailySchedule) -> RunRow | None:
    """Claim the run that is due for a feed's day before; None where there is one, or nothing to run for.

    It is in the name of the newest window that began in that day and has ended. Of two callers at once one claims it.
    """
    if daily.gold_at is None or feed not in tools.jobs_of:
        return None
    now = tools.clock()
    today = newest_due(now, daily.gold_at, daily.zone)
    due, day = moment(today, daily.gold_at, daily.zone), today - ONE_DAY
    row = _newest_window(tools, feed, begins(day, daily.zone), begins(today, daily.zone))
    if row is None:
        _report_no_window(feed, day, now - due)
        return None
    run = daily_run(row, tools.runs.of_window(row.window), due, now)
    return run if run is not None and tools.runs.claim(run) else None


def _newest_window(tools: EnrichmentTools, feed: str, first: datetime, end: datetime) -> WindowRow | None:
    newest = tools.ledger.newest(feed, 1, now=tools.clock(), before=end, states=sorted(INGESTED))
    return next((row for row in newest if row.window.start >= first), None)


def _report_no_window(feed: str, day: date, since_due: timedelta) -> None:
    """Tell at the first tick that there was nothing to run for; the next ones of the day would tell the same."""
    if since_due < TICK:
        telemetry.info(logger, "daily_gold.no_window", feed=feed, day=day)
