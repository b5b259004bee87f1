"""From views and stars to the rows of alerts, each once by its id, whatever comes first, late, twice or side by side.

A batch whose worker dies comes again and finds the same alerts; those that are there stay. Mails are of the timer
(`shared.flows.mail_view_alerts`), which reads the rows.
"""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared import telemetry
from shared.clients.storage.recent_views import RecentViews
from shared.clients.storage.view_alerts import ViewAlerts
from shared.domain.delivery import Event
from shared.domain.view_alerts import ViewAlert, after_low_stars, low_of, of_slow_views, of_vips
from shared.feeds.shop.hub_lines import read_star, read_view
from shared.flows.hub_records import read_records

logger = logging.getLogger(__name__)

PAGEVIEWS: Final = "pageviews/1"
STARS: Final = "stars/1"


@dataclass(frozen=True, slots=True)
class ViewAlertTools:
    """What alerting of views needs of the world.

    vips: gives the ids of VIPs; raises Unavailable where storage was never there to ask. fresh: how far from now a
    record's time may be, before and after.
    """

    recent: RecentViews
    alerts: ViewAlerts
    vips: Callable[[], Collection[int]]
    fresh: timedelta
    clock: Callable[[], datetime]


def alert_of_views(tools: ViewAlertTools, events: Sequence[Event]) -> Mapping[str, int]:
    """Raise the alerts of a batch of views; gives how many were found by kind, and what was passed over.

    Raises Unavailable or LoginRefused where the batch must come again; where only the list of VIPs can't be read, all
    other alerts are raised by then.
    """
    now = tools.clock()
    read = read_records(events, {PAGEVIEWS: lambda line, _: read_view(line, now, tools.fresh)})
    tools.recent.add_views(read.records)
    found = of_slow_views(read.records) + after_low_stars(read.records, tools.recent.stars_before(read.records))
    tools.alerts.add(found, tools.clock())
    of_vip = of_vips(read.records, tools.vips())
    tools.alerts.add(of_vip, tools.clock())
    return _counts("views", len(read.records), found + of_vip, read.refused)


def alert_of_stars(tools: ViewAlertTools, events: Sequence[Event]) -> Mapping[str, int]:
    """Raise the alerts of views that came before the stars of their users did; gives the counts, and raises, alike."""
    now = tools.clock()
    read = read_records(events, {STARS: lambda line, _: read_star(line, now, tools.fresh)})
    low = low_of(read.records)
    tools.recent.add_stars(low)
    found = after_low_stars(tools.recent.views_after(low), low)
    tools.alerts.add(found, tools.clock())
    return _counts("stars", len(read.records), found, read.refused)


def _counts(name: str, records: int, found: Iterable[ViewAlert], refused: Counter[str]) -> Mapping[str, int]:
    by_kind = Counter[str](one.kind for one in found)
    passed_over = {f"passed_over_{reason}": count for reason, count in sorted(refused.items())}
    counts = {name: records, **by_kind, **passed_over}
    telemetry.info(logger, "view_alerts.found", **counts)
    return counts
