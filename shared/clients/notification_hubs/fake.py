"""A push service in memory, for tests."""

from dataclasses import dataclass, field

from shared.domain.notifications import Notification
from shared.errors import DeviceGone, Unavailable


@dataclass(slots=True)
class FakePushService:
    """Keeps what devices got; `failures` are those of the next pushes, one each.

    inboxes: of each device the notifications by id, one that comes again is shown once. pushes: the ids as they came.
    gone: the devices that are. loses_answers: whether a push that fails has its effect all the same.
    """

    failures: list[Unavailable] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    loses_answers: bool = False
    inboxes: dict[str, dict[str, Notification]] = field(default_factory=dict)
    pushes: list[str] = field(default_factory=list)

    def push(self, notification: Notification) -> None:
        self.pushes.append(notification.id)
        if notification.device in self.gone:
            raise DeviceGone(f"The push service answered 410: the device {notification.device!r} is gone.")
        failure = self.failures.pop(0) if self.failures else None
        if failure is None or self.loses_answers:
            self.inboxes.setdefault(notification.device, {}).setdefault(notification.id, notification)
        if failure is not None:
            raise failure
