"""Mails of alerts about views: one for each kind in a quiet period, with a count and examples of what is new.

The rows of alerts are the truth; a mail tells of those that no mail told of. Where whoever sends one dies before it
notes that, the next mail of the kind counts them once more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.clients.storage.view_alerts import ViewAlerts
from shared.domain.instants import utc_text
from shared.domain.view_alerts import AFTER_LOW_STARS, KINDS, SLOW, ViewAlert, ViewAlertKind
from shared.domain.volumes.alert import RunIncident
from shared.flows.measure import MetricsTools
from shared.flows.send_alerts import raise_alert

MOST_COUNTED: Final = 10_000
"""So many alerts one mail tells of at most; the next one tells of the rest."""

_EXAMPLES: Final = 3
_WHAT: Final[dict[ViewAlertKind, str]] = {
    "pageviews_high_latency": f"took more than {SLOW:,} ms",
    "pageviews_vip": "came from VIPs",
    "pageviews_after_low_stars": f"followed low stars within {AFTER_LOW_STARS // timedelta(minutes=1)} minutes",
}


@dataclass(frozen=True, slots=True)
class MailTools:
    """What mailing needs. name: the recipient's. metrics: None where no database is set, so that no mail is sent."""

    alerts: ViewAlerts
    metrics: MetricsTools | None
    name: str


def mail_view_alerts(tools: MailTools) -> dict[str, int]:
    """Mail what is new, for a timer; gives of how many alerts a mail tells now, by kind.

    Raises as Metrics and ViewAlerts do.
    """
    metrics = tools.metrics
    if metrics is None or not metrics.alert_sender.has_recipient(tools.name):
        return {}
    mailed = {kind: _mail(tools, metrics, kind) for kind in KINDS}
    return {kind: count for kind, count in mailed.items() if count}


def _mail(tools: MailTools, metrics: MetricsTools, kind: ViewAlertKind) -> int:
    """Mail of a kind, unless its quiet period lasts; the database is asked only where there is something to tell."""
    now, mailed_at = metrics.clock(), tools.alerts.mailed_at(kind)
    if mailed_at is not None and now - mailed_at < metrics.quiet:
        return 0
    unmailed = tools.alerts.unmailed(kind, MOST_COUNTED)
    if not unmailed:
        return 0
    incident = _incident(kind, tools.name, unmailed, now)
    state = raise_alert(metrics.metrics, metrics.alert_sender, incident, metrics.clock, metrics.quiet)
    if state not in ("pending", "sent"):
        return 0
    tools.alerts.note_mailed(kind, unmailed, now)
    return len(unmailed)


def _incident(kind: ViewAlertKind, name: str, alerts: Sequence[ViewAlert], now: datetime) -> RunIncident:
    """Make what is mailed; a key with a dot is none of METRICS_TABLES, so that no volume's recovery ends its quiet."""
    text = f"{_count(alerts)} {_WHAT[kind]}, for example {'; '.join(_example(one) for one in alerts[:_EXAMPLES])}."
    return RunIncident("stream_alert", f"view_alerts.{kind}", name, f"{now:%Y%m%dT%H%M%SZ}", now, text)


def _count(alerts: Sequence[ViewAlert]) -> str:
    number = f"{'At least ' if len(alerts) == MOST_COUNTED else ''}{len(alerts):,}"
    return f"{number} page {'views' if len(alerts) > 1 else 'view'} of the web shop"


def _example(alert: ViewAlert) -> str:
    """Name a view without any personal data but the user's id."""
    view, star = alert.view, alert.star
    stars = f", stars: {star.stars} at {utc_text(star.starred_at, 'seconds')}" if star else ""
    viewed_at = utc_text(view.viewed_at, "seconds")
    return f"view {view.view_id} of user {view.user_id} at {viewed_at} ({view.latency:,} ms{stars})"
