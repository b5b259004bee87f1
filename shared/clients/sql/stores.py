"""What the app keeps in its SQL database."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from shared.domain.volumes.alert import Alert, PastAlerts
from shared.domain.volumes.measurement import Counted, MeasuredTable, Measurement, MeasureRequest


class MetricsTransaction(Protocol):
    """One transaction that holds the lock of a table key; what it writes is there as a whole, or not at all."""

    def recorded(self, run_id: str) -> Measurement | None:
        """Read the measurement of a run, None where it was not measured yet."""

    def wrote(self, recorded: Measurement) -> bool:
        """Say whether this very call wrote a measurement, in a try before whose commit was not answered."""

    def counted(self, request: MeasureRequest, table: MeasuredTable) -> Counted:
        """Count the rows, and read what they are compared with; raises Unavailable where a table is missing."""

    def past_alerts(self) -> PastAlerts:
        """Read which alerts of the table key were raised before this call."""

    def record(self, measurement: Measurement, alert: Alert | None) -> None:
        """Write a measurement, and its alert where it raises one."""

    def post(self, alert: Alert) -> bool:
        """Write an alert; False where one of its id was raised before this call."""


class Metrics(Protocol):
    """Measurements, one for each table key and run, and alerts until they are sent.

    Every verb is one transaction, tried again where the database fails in passing, and raises Unavailable,
    LoginRefused or SettingsError.
    """

    def transact[Answer](
        self, table: str, work: Callable[[MetricsTransaction], Answer], *, counts_rows: bool = False
    ) -> Answer:
        """Give what `work` does in one transaction that holds the lock of a table key.

        It is called again, with another transaction, for every further try, so it must do nothing but by the one that
        it is given. counts_rows: it counts the rows of a table, which may take a minute.
        """

    def last(self, table: str, most: int) -> list[Measurement]:
        """List the measurements of a table key, newest first, at most so many."""

    def due(self, now: datetime) -> list[str]:
        """List the ids of alerts that are pending, that nobody has a lease on, and whose next try has come."""

    def outstanding(self) -> int:
        """Count the alerts that are pending, due or not, on lease or not."""

    def take(self, alert_id: str, now: datetime) -> Alert | None:
        """Take a lease on an alert and count the attempt; None where another has it, or it is sent or unknown."""

    def settle(self, alert_id: str, now: datetime) -> None:
        """Note that an alert was sent, in its measurement too."""

    def put_off(self, alert_id: str, until: datetime) -> None:
        """Give the lease back: the alert stays pending and is due again then."""


class Counts(Protocol):
    """The row counts that enrichment wrote."""

    def of_window(self, window_id: str) -> dict[str, dict[str, int]] | None:
        """Give the rows of a window by stream, then by `<stage>/<name>`; None where there is no such table yet.

        A window that nothing was written of is empty. Raises Unavailable or LoginRefused.
        """


@dataclass(frozen=True, slots=True)
class ChangedPart:
    """Some rows of a table that changed behind one position up to another, in the order of their changes.

    rows: in the order of the contract's columns, numbers as Decimal, times in UTC. has_more: further changes are
    committed already.
    """

    rows: list[tuple[Any, ...]]
    begin: int
    to: int
    has_more: bool = False


class ChangedRows(Protocol):
    """The rows of a stream's table by their last change; each row is there as it is now."""

    def after(self, position: int, most: int) -> ChangedPart:
        """Read what changed behind a position, about so many rows.

        0 is the beginning; so is a position that the table never reached, for then it was made anew. Raises
        Unavailable, Denied, LoginRefused or SettingsError.
        """
