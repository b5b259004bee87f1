"""Alerts to Logic Apps: one POST to a checked URL, at an address that was checked too, and a hard deadline."""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Protocol
from urllib.parse import quote

from shared.clients.checked_posts import CheckedPosts, Dial, Post, Resolve, resolve
from shared.clients.failures import kind_of, retry_after_seconds
from shared.domain.failures import FailureKind
from shared.domain.volumes.alert import Alert
from shared.domain.volumes.alert_address import AlertUrl
from shared.errors import Denied, ServiceRefused, Unavailable

SECONDS: Final = 10.0
"""How long sending one alert may take in all."""


class AlertSender(Protocol):
    """Sends alerts to people."""

    def has_recipient(self, name: str) -> bool:
        """Say whether a recipient is set under that name."""

    def send(self, alert: Alert) -> None:
        """Send an alert; one that was sent before, by its id, makes no second message.

        Raises Unavailable where it is not certain that it was sent: it may be sent again, and its `kind` says whether
        that can help before a person has mended something.
        """


@dataclass(frozen=True, slots=True)
class LogicApp:
    """Sends to the HTTP trigger of the Logic App of each name; for any number of threads.

    seconds: for one alert in all. The others are those of `CheckedPosts`.
    """

    urls: Mapping[str, AlertUrl]
    ca_bundle: str | None = None
    seconds: float = SECONDS
    resolve: Resolve = resolve
    dial: Dial = socket.create_connection

    def has_recipient(self, name: str) -> bool:
        """Say whether a URL is set for the name."""
        return name in self.urls

    def send(self, alert: Alert) -> None:
        """Post the alert's body; any 2xx answer is success, whose body is not read."""
        url = self.urls.get(alert.name)
        if url is None:
            raise no_recipient(alert)
        status, headers = self._posts.send(_post(url, alert))
        if status // 100 != HTTPStatus.OK // 100:
            raise refused(alert, status, retry_after_seconds(headers))

    @property
    def _posts(self) -> CheckedPosts:
        return CheckedPosts(self.ca_bundle, self.seconds, self.resolve, self.dial)


def refused(alert: Alert, status: int, retry_after: float = 0.0) -> Unavailable:
    """Make the error for an answer that is no success, by its status.

    The trigger of a Logic App answers 401 and 403 for a signature or an address that it does not take, 404 where the
    workflow is gone or disabled, 429 and 503 over its limits (learn.microsoft.com/azure/logic-apps, "Limits" and
    "Secure access").
    """
    kind, text = kind_of(status), f"{_app(alert)} answered {status}{_advice(status)}."
    if kind is FailureKind.UNAUTHORIZED:
        return Denied(text)
    if not kind.may_pass:
        return ServiceRefused(text)
    return Unavailable(text, throttled=kind is FailureKind.THROTTLED, retry_after=retry_after)


def no_recipient(alert: Alert) -> Unavailable:
    """Make the error for an alert without a recipient."""
    return ServiceRefused(f"No recipient is set for alerts named {alert.name!r}: set ALERT_{alert.name.upper()}_URL.")


def _app(alert: Alert) -> str:
    return f"The Logic App for alerts named {alert.name!r}"


def _advice(status: int) -> str:
    is_redirect = status // 100 == HTTPStatus.MULTIPLE_CHOICES // 100
    return ", a redirect, which is not followed: set the URL of the trigger itself" if is_redirect else ""


def _post(url: AlertUrl, alert: Alert) -> Post:
    return Post(url, _app(alert), f"ALERT_{alert.name.upper()}_URL", _json(alert), _headers(alert))


def _json(alert: Alert) -> bytes:
    return json.dumps(dict(alert.body)).encode("ascii")


def _headers(alert: Alert) -> dict[str, str]:
    # A run's id comes from outside: quoted, it can't be another header.
    return {"Content-Type": "application/json", "x-alert-id": quote(alert.id, safe=":")}
