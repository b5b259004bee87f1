"""Alerts are committed first, sent under a lease, and tried again until the Logic App has them."""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any, Final

from shared import telemetry
from shared.clients.logic_app.alert_sender import AlertSender
from shared.clients.sql.stores import Metrics, MetricsTransaction
from shared.domain.volumes.alert import Alert, RunIncident, decide_incident, next_try
from shared.domain.volumes.measurement import AlertState
from shared.errors import IngestionError, Unavailable
from shared.signals.metrics import ALERTS, Telling
from shared.signals.recording import record, record_span

logger = logging.getLogger(__name__)

MOST_PER_TICK: Final = 20
"""How many alerts one tick of the timer sends at most."""

TICK: Final = timedelta(minutes=3)
"""After how long a tick of the timer sends no further alert."""


def send_alert(metrics: Metrics, sender: AlertSender, alert_id: str, clock: Callable[[], datetime]) -> AlertState:
    """Send an alert unless another instance does or did; `pending` where it is not certain that it was sent.

    Raises nothing for any failure of the database or the Logic App: the alert stays pending, for the timer.
    """
    try:
        alert = metrics.take(alert_id, clock())
        return "pending" if alert is None else _send(metrics, sender, alert, clock)
    except IngestionError as error:
        telemetry.warning(logger, "alert.outbox_failed", alert=alert_id, cause=error)
        return "pending"


def retry_alerts(
    metrics: Metrics, sender: AlertSender, clock: Callable[[], datetime], most: int = MOST_PER_TICK
) -> dict[str, int]:
    """Send what is due, at most so many and for 3 min; count the due ones, and those `sent` and `pending` now.

    Raises as Metrics does where it can't be asked what is due.
    """
    begun = clock()
    due = metrics.due(begun)
    in_time = takewhile(lambda _: clock() - begun < TICK, due[:most])
    states = Counter(send_alert(metrics, sender, alert_id, clock) for alert_id in in_time)
    return {"due": len(due), "sent": states["sent"], "pending": len(due) - states["sent"]}


def raise_alert(
    metrics: Metrics, sender: AlertSender, incident: RunIncident, clock: Callable[[], datetime], quiet: timedelta
) -> AlertState:
    """Raise and send the alert of an incident: `none` where there is no recipient, `suppressed` where one was raised.

    One was raised: for this run and kind, or for this table in the quiet period. Raises as Metrics does.
    """
    if not sender.has_recipient(incident.name):
        about: dict[str, Any] = {"window": incident.window_id or "-", "table": incident.table, "kind": incident.kind}
        telemetry.warning(logger, "alert.no_recipient", **about, name=incident.name)
        record(ALERTS, 1, kind=incident.kind, outcome="no_recipient")
        return "none"
    now = clock()
    alert = metrics.transact(incident.table, lambda tx: _post_once(tx, incident, now, quiet))
    return "suppressed" if alert is None else send_alert(metrics, sender, alert.id, clock)


def _post_once(tx: MetricsTransaction, incident: RunIncident, now: datetime, quiet: timedelta) -> Alert | None:
    alert = decide_incident(incident, tx.past_alerts(), now, quiet)
    return alert if alert is not None and tx.post(alert) else None


def _send(metrics: Metrics, sender: AlertSender, alert: Alert, clock: Callable[[], datetime]) -> AlertState:
    about: dict[str, Any] = {"window": alert.body.get("window") or "-", "alert": alert.id, "attempts": alert.attempts}
    began = clock()
    try:
        sender.send(alert)
    except Unavailable as error:
        until = next_try(alert.attempts, clock())
        telemetry.warning(logger, "alert.put_off", **about, until=until, cause=error)
        metrics.put_off(alert.id, until)
        _record(alert, began, clock(), "put_off", f"{error}")
        return "pending"
    metrics.settle(alert.id, clock())
    telemetry.info(logger, "alert.sent", **about, kind=alert.kind, cause=alert.cause)
    _record(alert, began, clock(), "sent")
    return "sent"


def _record(alert: Alert, began: datetime, ended: datetime, outcome: Telling, failure: str = "") -> None:
    record(ALERTS, 1, kind=alert.kind, outcome=outcome)
    if window_id := alert.body.get("window"):
        record_span("mail", window_id, began, ended, failure=failure, kind=alert.kind, alert=alert.id)
