"""Alerts to Logic Apps: one POST to a checked URL, at an address that was checked too, and a hard deadline."""

import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final, NamedTuple, Protocol
from urllib.parse import quote

from shared.clients.failures import kind_of, retry_after_seconds, untrusted
from shared.clients.retrying import connect_seconds
from shared.domain.failures import FailureKind
from shared.domain.volumes.alert import Alert
from shared.domain.volumes.alert_address import AlertUrl, is_refused_address
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


type Resolve = Callable[[str, int], Sequence[str]]
type Dial = Callable[[tuple[str, int], float], socket.socket]


def resolve(host: str, port: int) -> list[str]:
    """Ask the system for the addresses of a host; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


@dataclass(frozen=True, slots=True)
class LogicApp:
    """Sends to the HTTP trigger of the Logic App of each name; for any number of threads.

    ca_bundle: a PEM file, None is the system's. seconds: for one alert in all. resolve, dial: the ways into the
    network; a host is resolved once a sending, so that a second answer can't lead elsewhere. Proxies named by the
    environment are ignored, and redirects are failures. Written on http.client, as HTTP libraries above it log the
    target of each request, which has the signature.
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
        status, headers = self._post(url, alert)
        if status // 100 != HTTPStatus.OK // 100:
            raise refused(alert, status, retry_after_seconds(headers))

    def _post(self, url: AlertUrl, alert: Alert) -> "_Answer":
        end = time.monotonic() + self.seconds
        try:
            return self._exchange(url, alert, end)
        except (OSError, ValueError, http.client.HTTPException) as error:
            failure = self._failure(error, alert, end)
        # Raised outside the handler: errors of the network may hold what was sent where.
        raise failure

    def _exchange(self, url: AlertUrl, alert: Alert, end: float) -> "_Answer":
        addresses = self._addresses(url, alert, end)
        trust = _trust(self.ca_bundle)
        connection = http.client.HTTPSConnection(url.host, url.port, context=trust)
        with self._reach(addresses, url.port, end) as raw:
            raw.settimeout(_left(end))
            # The handshake as a whole ends with the timeout; what follows is many waits, so it needs the cut.
            with trust.wrap_socket(raw, server_hostname=url.host) as connection.sock, _cut(connection.sock, end):
                connection.request("POST", url.target, _json(alert), _headers(alert))
                with closing(connection.getresponse()) as response:
                    _left(end)  # an answer that was cut in its headers looks like one without them
                    return _Answer(response.status, dict(response.headers.items()))

    def _addresses(self, url: AlertUrl, alert: Alert, end: float) -> Sequence[str]:
        found = _in_time(lambda: self.resolve(url.host, url.port), _left(end))
        if any(is_refused_address(ip_address(address), loopback=url.loopback) for address in found):
            raise _NotCalled(
                "its host leads to an address that is not public; "
                f"look at ALERT_{alert.name.upper()}_URL and at who answers for that name"
            )
        return found

    def _reach(self, addresses: Sequence[str], port: int, end: float) -> socket.socket:
        """Connect to the first address that accepts; nothing is sent before."""
        failure = OSError("no address")
        for address in addresses:
            try:
                return self.dial((address, port), connect_seconds(_left(end)))
            except OSError as error:
                failure = error
        raise failure

    def _failure(self, error: Exception, alert: Alert, end: float) -> Unavailable:
        if isinstance(error, _NotCalled):
            return ServiceRefused(f"{_app(alert)} was not called: {error}.")
        if isinstance(error, ssl.SSLCertVerificationError):
            return untrusted(_app(alert))
        if isinstance(error, TimeoutError) or time.monotonic() >= end:
            return Unavailable(f"{_app(alert)} did not answer in time, which is {self.seconds:g} s at most.")
        return Unavailable(f"{_app(alert)} can't be reached or stopped in the middle of its answer.")


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


class _Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]


class _NotCalled(OSError):
    """Why no connection was tried."""


def _app(alert: Alert) -> str:
    return f"The Logic App for alerts named {alert.name!r}"


def _advice(status: int) -> str:
    is_redirect = status // 100 == HTTPStatus.MULTIPLE_CHOICES // 100
    return ", a redirect, which is not followed: set the URL of the trigger itself" if is_redirect else ""


def _trust(ca_bundle: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_bundle)
    except OSError as error:
        raise _NotCalled(f"CA_BUNDLE can't be read: {error.strerror or 'it is no PEM file'}") from error


def _json(alert: Alert) -> bytes:
    return json.dumps(dict(alert.body)).encode("ascii")


def _headers(alert: Alert) -> dict[str, str]:
    # A run's id comes from outside: quoted, it can't be another header.
    return {"Content-Type": "application/json", "Connection": "close", "x-alert-id": quote(alert.id, safe=":")}


def _left(end: float) -> float:
    seconds = end - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def _in_time[Answer](ask: Callable[[], Answer], seconds: float) -> Answer:
    """Give what `ask` gives; it has no deadline of its own, so it is left alone in its thread when time is up."""
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(ask).result(seconds)
    finally:
        pool.shutdown(wait=False)


@contextmanager
def _cut(connection: socket.socket, end: float) -> Iterator[None]:
    """End a connection from outside when time is up, whatever its peer does; a wait on it then ends at once."""
    watch = threading.Timer(_left(end), _shut, (connection,))
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        # The plain socket's verb: TLS would first forget its state, under the hands of the thread that reads.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
