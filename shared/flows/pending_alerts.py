"""Alerts that wait to be sent are remembered beside the database, so that only where there is one it is asked.

A serverless database that a timer asks each minute never sleeps. So a blob is written before an alert is committed; a
timer that finds none has nothing to do.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.clients.sql.stores import Metrics, MetricsTransaction
from shared.clients.storage.reference import Reference
from shared.domain.volumes.alert import Alert, PastAlerts
from shared.domain.volumes.measurement import Counted, MeasuredTable, Measurement, MeasureRequest
from shared.flows.measure import MetricsTools
from shared.flows.send_alerts import retry_alerts
from shared.signals.metrics import ALERTS_PENDING
from shared.signals.recording import record

FOLDER: Final = "alerts/pending/"
"""Where the blobs lie, one for each alert that was raised."""

_UNCERTAIN: Final = timedelta(minutes=10)
"""How long after its blob was written an alert may still be committed: longer than any transaction is tried."""


def retry_pending_alerts(tools: MetricsTools | None) -> dict[str, int]:
    """Send what is due, for a timer: count what was `due`, and what is `sent` and `pending` now.

    tools: None where no database is set, so that there are no alerts. Raises as Metrics and Reference do.
    """
    if tools is None:
        return {"due": 0, "sent": 0, "pending": 0}
    done = retry_alerts(tools.metrics, tools.alert_sender, tools.clock)
    if done["due"]:
        record(ALERTS_PENDING, done["pending"])
    return done


@dataclass(frozen=True, slots=True)
class RememberedAlerts:
    """Metrics that ask their database for due alerts only where one may be pending; else as they are.

    Verbs that raise or list alerts raise as Reference does, too: an alert that can't be remembered is not committed.
    """

    metrics: Metrics
    reference: Reference

    def transact[Answer](
        self, table: str, work: Callable[[MetricsTransaction], Answer], *, counts_rows: bool = False
    ) -> Answer:
        """Do the work; each alert that it writes is remembered before it is there."""
        return self.metrics.transact(table, lambda tx: work(_Remembering(tx, self.reference)), counts_rows=counts_rows)

    def due(self, now: datetime) -> list[str]:
        """List what is due, where anything is remembered; forget all once the database knows of no pending alert."""
        if self.reference.newest(FOLDER) is None:
            record(ALERTS_PENDING, 0)
            return []
        found = self.metrics.due(now)
        if not found:
            self._look_at_the_rest(now)
        return found

    def _look_at_the_rest(self, now: datetime) -> None:
        left = self.metrics.outstanding()
        record(ALERTS_PENDING, left)
        if not left:
            self.reference.delete_older(FOLDER, now - _UNCERTAIN)

    def outstanding(self) -> int:
        """Count in the database."""
        return self.metrics.outstanding()

    def last(self, table: str, most: int) -> list[Measurement]:
        """List from the database."""
        return self.metrics.last(table, most)

    def take(self, alert_id: str, now: datetime) -> Alert | None:
        """Take in the database."""
        return self.metrics.take(alert_id, now)

    def settle(self, alert_id: str, now: datetime) -> None:
        """Note in the database."""
        self.metrics.settle(alert_id, now)

    def put_off(self, alert_id: str, until: datetime) -> None:
        """Note in the database."""
        self.metrics.put_off(alert_id, until)


@dataclass(frozen=True, slots=True)
class _Remembering:
    """A transaction whose alerts are remembered when they are written."""

    transaction: MetricsTransaction
    reference: Reference

    def recorded(self, run_id: str) -> Measurement | None:
        return self.transaction.recorded(run_id)

    def wrote(self, recorded: Measurement) -> bool:
        return self.transaction.wrote(recorded)

    def counted(self, request: MeasureRequest, table: MeasuredTable) -> Counted:
        return self.transaction.counted(request, table)

    def past_alerts(self) -> PastAlerts:
        return self.transaction.past_alerts()

    def record(self, measurement: Measurement, alert: Alert | None) -> None:
        if alert is not None:
            self._remember(alert)
        self.transaction.record(measurement, alert)

    def post(self, alert: Alert) -> bool:
        self._remember(alert)
        return self.transaction.post(alert)

    def _remember(self, alert: Alert) -> None:
        name = hashlib.sha256(alert.id.encode()).hexdigest()[:32]
        self.reference.write(f"{FOLDER}{name}", alert.id.encode())
