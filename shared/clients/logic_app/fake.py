"""A Logic App in memory, for tests."""

from collections.abc import Collection
from dataclasses import dataclass, field

from shared.clients.logic_app.alert_sender import no_recipient
from shared.domain.volumes.alert import Alert
from shared.errors import Unavailable


@dataclass(slots=True)
class FakeLogicApp:
    """Keeps what it is sent; `failures` are those of the next sendings, one each: the error, or its text alone.

    sent: the alerts by id; one that comes again is dropped, as the Logic App does. tries: the ids as they arrived.
    loses_answers: whether a sending that fails has its effect all the same.
    """

    names: Collection[str] = ("ingestion",)
    failures: list[str | Unavailable] = field(default_factory=list)
    loses_answers: bool = False
    sent: dict[str, Alert] = field(default_factory=dict)
    tries: list[str] = field(default_factory=list)

    def has_recipient(self, name: str) -> bool:
        return name in self.names

    def send(self, alert: Alert) -> None:
        if not self.has_recipient(alert.name):
            raise no_recipient(alert)
        self.tries.append(alert.id)
        failure = self.failures.pop(0) if self.failures else None
        if failure is None or self.loses_answers:
            self.sent.setdefault(alert.id, alert)
        if failure is not None:
            raise failure if isinstance(failure, Unavailable) else Unavailable(failure)
