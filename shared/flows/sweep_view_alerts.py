"""Forgetting the views and low stars that nothing can follow any more, and the alerts about views that are too old."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared import telemetry
from shared.clients.storage.recent_views import RecentViews
from shared.clients.storage.view_alerts import ViewAlerts
from shared.domain.view_alerts import AFTER_LOW_STARS

MOST_SWEPT: Final = 20_000
"""So many rows of a sort are deleted at once: some ten seconds' work."""

TIME: Final = timedelta(minutes=2)
"""After how long one tick of the timer begins no further sweep; the next one goes on."""


@dataclass(frozen=True, slots=True)
class SweepTools:
    """What is swept. fresh: how far from now a record's time may be. keep: how long alerts are kept."""

    recent: RecentViews
    alerts: ViewAlerts
    fresh: timedelta
    keep: timedelta
    clock: Callable[[], datetime]


async def sweep_view_alerts(tools: SweepTools) -> list[str]:
    """Sweep until nothing is left or time is up; it is nothing to tell a person."""
    await telemetry.in_thread(_sweep, tools)
    return []


def _sweep(tools: SweepTools) -> None:
    begun = tools.clock()
    tools.alerts.forget(begun - tools.keep, MOST_SWEPT)
    unneeded = begun - tools.fresh - AFTER_LOW_STARS
    while tools.recent.forget(unneeded, MOST_SWEPT) >= MOST_SWEPT and tools.clock() - begun < TIME:
        pass
