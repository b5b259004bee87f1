"""Azure Notification Hubs: sends a notification directly to a device.

Source: learn.microsoft.com/rest/api/notificationhubs/direct-send: `POST <hub>/messages/?direct&api-version=2015-04`
with the device's handle in a header; 201 is success. The service itself knows no repeats: the phone shows an id once.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final, Protocol
from urllib.parse import quote

from shared.clients.checked_posts import CheckedPosts, Post
from shared.clients.failures import kind_of, retry_after_seconds, transient_failure
from shared.clients.notification_hubs.signatures import shared_access_token
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts, TransientError
from shared.domain.failures import FailureKind
from shared.domain.notifications import FORMAT, MOST_BYTES, Notification
from shared.domain.volumes.alert_address import AlertUrl
from shared.errors import Denied, DeviceGone, ServiceRefused, Unavailable

PATIENT: Final = Timeouts(total=60.0, attempt=10.0, ordinary=Backoff(0.5, 10.0), throttled=Backoff(2.0, 20.0))
"""For a consumer whose partition waits: a batch of 100 by 16 at once ends within the host's ten minutes."""

_PLACE: Final = "The push service"
_SETTING: Final = "PUSH_URL"
_QUERY: Final = "/messages/?direct&api-version=2015-04"
_TOKEN_LASTS: Final = timedelta(minutes=20)


class PushService(Protocol):
    """Sends notifications to devices."""

    def push(self, notification: Notification) -> None:
        """Send one; it may be sent again, its id makes the device show it once.

        Raises DeviceGone, ServiceRefused for a notification that is never taken, Denied, and Unavailable where it is
        not certain that it was sent.
        """


@dataclass(frozen=True, slots=True)
class PushAccess:
    """Where the hub is, and the shared access policy by which the app logs in."""

    url: AlertUrl
    policy: str
    key: str = field(repr=False)

    @property
    def address(self) -> str:
        """Give the hub's address as it is signed."""
        return f"https://{self.url.host}{self.url.target.rstrip('/')}"


@dataclass(slots=True)
class Rest:
    """Until when a service wants to be left alone, by the clock of its client; for all threads."""

    until: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, until: float) -> None:
        """Leave it alone until then, or longer where it asked for longer before."""
        with self.lock:
            self.until = max(self.until, until)


@dataclass(frozen=True, slots=True)
class NotificationHub:
    """A notification hub; for any number of threads, all of which leave it alone where it asks one of them to."""

    access: PushAccess
    clock: Callable[[], datetime]
    posts: CheckedPosts = field(default_factory=CheckedPosts)
    retry: RetryPolicy = field(default_factory=lambda: RetryPolicy(PATIENT))
    rest: Rest = field(default_factory=Rest)

    def push(self, notification: Notification) -> None:
        """Post it until the policy's time is up; what is too large for the service is refused here."""
        if len(notification.body(self.clock())) > MOST_BYTES:
            raise ServiceRefused(f"The notification is over {MOST_BYTES} bytes.", FailureKind.REJECTED)
        self.retry.call(lambda seconds: self._try(notification, seconds))

    def _try(self, notification: Notification, seconds: float) -> None:
        now = self.retry.clock.now
        if (left := self.rest.until - now()) > 0:
            raise TransientError(f"{_PLACE} asked to be left alone.", throttled=True, retry_after=left)
        try:
            status, headers = replace(self.posts, seconds=seconds).send(self._post(notification))
        except Unavailable as error:
            raise TransientError(str(error)) if error.kind.may_pass else error from None
        if status // 100 == HTTPStatus.OK // 100:
            return
        failure = refused(status, notification.device)
        if failure is None:
            self.rest.ask(now() + retry_after_seconds(headers))
            failure = transient_failure(f"{_PLACE} answered {status}.", kind_of(status), headers)
        raise failure

    def _post(self, notification: Notification) -> Post:
        now, access = self.clock(), self.access
        headers = {
            "Authorization": shared_access_token(
                access.address, access.policy, access.key, int((now + _TOKEN_LASTS).timestamp())
            ),
            "Content-Type": "application/json;charset=utf-8",
            "ServiceBusNotification-Format": FORMAT,
            "ServiceBusNotification-DeviceHandle": quote(notification.device, safe=":"),
        }
        url = replace(access.url, target=access.url.target.rstrip("/") + _QUERY)
        return Post(url, _PLACE, _SETTING, notification.body(now), headers)


def refused(status: int, device: str) -> Unavailable | None:
    """Make the error of an answer that will be the same next time; None for one that may pass.

    401 is a wrong key and 403 an exceeded quota, 404 a hub that is not there: an administrator mends these, and no
    notification is given up for them. 400 and 413 are about this one.
    """
    text = f"{_PLACE} answered {status}"
    if status == HTTPStatus.GONE:
        return DeviceGone(f"{text}: the device {device!r} is gone.")
    kind = kind_of(status)
    if kind is FailureKind.UNAUTHORIZED or status < HTTPStatus.BAD_REQUEST or status == HTTPStatus.NOT_FOUND:
        return Denied(f"{text}: look at {_SETTING}, PUSH_KEY_NAME and PUSH_KEY, and at the hub's quota.")
    return None if kind.may_pass else ServiceRefused(f"{text}.", FailureKind.REJECTED)
