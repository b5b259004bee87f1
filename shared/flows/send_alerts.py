"""Telling people: an alert is committed first, sent under a lease, and tried again until the Logic App has it."""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final

from shared import telemetry
from shared.clients.logic_app.alert_sender import AlertDoor
from shared.clients.sql.metrics import Outbox
from shared.domain.volumes.alert import Alert, Trouble, decide_trouble, next_try
from shared.domain.volumes.measurement import AlertState
from shared.errors import IngestionError, Unavailable

logger = logging.getLogger(__name__)

MOST_PER_TICK: Final = 20
"""How many alerts one tick of the timer sends at most."""

TICK: Final = timedelta(minutes=3)
"""After how long a tick of the timer sends no further alert."""


def send_alert(outbox: Outbox, door: AlertDoor, alert_id: str, clock: Callable[[], datetime]) -> AlertState:
    """Send an alert unless somebody else does or did; `pending` where it is not certain that it was sent.

    Raises nothing of what may befall the database or the Logic App: the alert stays in the outbox, for the timer.
    """
    try:
        alert = outbox.take(alert_id, clock())
        return "pending" if alert is None else _send(outbox, door, alert, clock)
    except IngestionError as error:
        telemetry.warning(logger, "alert.outbox_failed", alert=alert_id, cause=error)
        return "pending"


def retry_alerts(
    outbox: Outbox, door: AlertDoor, clock: Callable[[], datetime], most: int = MOST_PER_TICK
) -> dict[str, int]:
    """Send what is due, at most so many and for 3 min; count the due ones, and those `sent` and `pending` now.

    Raises as the outbox does where it can't be asked what is due.
    """
    begun = clock()
    due = outbox.due(begun)
    in_time = takewhile(lambda _: clock() - begun < TICK, due[:most])
    states = Counter(send_alert(outbox, door, alert_id, clock) for alert_id in in_time)
    return {"due": len(due), "sent": states["sent"], "pending": len(due) - states["sent"]}


def raise_alert(
    outbox: Outbox, door: AlertDoor, trouble: Trouble, clock: Callable[[], datetime], quiet: timedelta
) -> AlertState:
    """Tell a trouble of a run: `none` where nobody is to be told, `suppressed` where it was told before.

    Before: for this run and kind, or of this table in the quiet period. Raises as the outbox does.
    """
    if not door.knows(trouble.name):
        telemetry.warning(logger, "alert.nobody", table=trouble.table, kind=trouble.kind, name=trouble.name)
        return "none"
    now = clock()
    alert = outbox.post(trouble.table, lambda past: decide_trouble(trouble, past, now, quiet))
    return "suppressed" if alert is None else send_alert(outbox, door, alert.id, clock)


def _send(outbox: Outbox, door: AlertDoor, alert: Alert, clock: Callable[[], datetime]) -> AlertState:
    try:
        door.send(alert)
    except Unavailable as error:
        _put_off(outbox, alert, clock(), error)
        return "pending"
    outbox.settle(alert.id, clock())
    telemetry.info(logger, "alert.sent", alert=alert.id, kind=alert.kind, cause=alert.cause, attempts=alert.attempts)
    return "sent"


def _put_off(outbox: Outbox, alert: Alert, now: datetime, error: IngestionError) -> None:
    until = next_try(alert.attempts, now)
    telemetry.warning(logger, "alert.put_off", alert=alert.id, attempts=alert.attempts, until=until, cause=error)
    outbox.put_off(alert.id, until)
