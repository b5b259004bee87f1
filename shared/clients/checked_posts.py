"""One POST to a URL that was checked, at an address that is checked too, with a hard deadline.

Written on http.client, as HTTP libraries above it log the target of each request, which may hold a signature. Proxies
named by the environment are ignored, and redirects are answers like any other: they are not followed.
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import NamedTuple

from shared.clients.failures import untrusted
from shared.clients.kept_connections import KeptConnections
from shared.clients.retrying import connect_seconds
from shared.clients.trust import trusted
from shared.domain.volumes.alert_address import AlertUrl, is_refused_address
from shared.errors import ServiceRefused, Unavailable

type Resolve = Callable[[str, int], Sequence[str]]
type Dial = Callable[[tuple[str, int], float], socket.socket]


def resolve(host: str, port: int) -> list[str]:
    """Ask the system for the addresses of a host; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


class PostAnswer(NamedTuple):
    """What a service answered; its body is not read."""

    status: int
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Post:
    """What is posted where. place: names the service in messages. setting: names the setting that holds its URL."""

    url: AlertUrl
    place: str
    setting: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class CheckedPosts:
    """Posts, each on a connection of its own unless connections are kept; for any number of threads.

    ca_bundle: a PEM file, None is the system's. seconds: for one post in all. resolve, dial: the ways into the network;
    a host is resolved once a connection, so that a second answer can't lead elsewhere. kept: where connections wait for
    the next post, of which each must be one that may come twice: an idle connection may end as it is used again.
    """

    ca_bundle: str | None = None
    seconds: float = 10.0
    resolve: Resolve = resolve
    dial: Dial = socket.create_connection
    kept: KeptConnections | None = None

    def send(self, post: Post) -> PostAnswer:
        """Give the answer, whatever its status; raises Unavailable, Untrusted or ServiceRefused where there is none."""
        end = time.monotonic() + self.seconds
        try:
            return self._exchange(post, end)
        except (OSError, ValueError, http.client.HTTPException) as error:
            failure = self._failure(error, post, end)
        # Raised outside the handler: errors of the network may hold what was sent where.
        raise failure

    def _exchange(self, post: Post, end: float) -> PostAnswer:
        waiting = self.kept.take(post.url.host, post.url.port) if self.kept else None
        if waiting:
            with suppress(ConnectionError, ssl.SSLError):
                return self._ask(waiting, post, end)
        return self._ask(self._connect(post, end), post, end)

    def _connect(self, post: Post, end: float) -> http.client.HTTPSConnection:
        url = post.url
        addresses = self._addresses(post, end)
        trust = _trust(self.ca_bundle)
        raw = self._reach(addresses, url.port, end)
        try:
            raw.settimeout(_left(end))
            connection = http.client.HTTPSConnection(url.host, url.port, context=trust)
            connection.auto_open = 0  # never by itself to an address that nobody checked
            connection.sock = trust.wrap_socket(raw, server_hostname=url.host)
        except BaseException:
            raw.close()
            raise
        return connection

    def _ask(self, connection: http.client.HTTPSConnection, post: Post, end: float) -> PostAnswer:
        """Post on a connection, which is kept or closed then."""
        headers = post.headers if self.kept else {**post.headers, "Connection": "close"}
        is_free = False
        try:
            connection.sock.settimeout(_left(end))
            # The handshake as a whole ended with the timeout; what follows is many waits, so it needs the cut.
            with _cut(connection.sock, end):
                connection.request("POST", post.url.target, post.body, headers)
                response = connection.getresponse()
                _left(end)  # an answer that was cut in its headers looks like one without them
                is_free = self.kept is not None and _is_read(response)
            return PostAnswer(response.status, dict(response.headers.items()))
        finally:
            if is_free and self.kept:
                self.kept.give(connection)
            else:
                connection.close()

    def _addresses(self, post: Post, end: float) -> Sequence[str]:
        url = post.url
        found = _in_time(lambda: self.resolve(url.host, url.port), _left(end))
        if any(is_refused_address(ip_address(address), loopback=url.loopback) for address in found):
            raise _NotCalled(
                "its host leads to an address that is not public; "
                f"look at {post.setting} and at who answers for that name"
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

    def _failure(self, error: Exception, post: Post, end: float) -> Unavailable:
        if isinstance(error, _NotCalled):
            return ServiceRefused(f"{post.place} was not called: {error}.")
        if isinstance(error, ssl.SSLCertVerificationError):
            return untrusted(post.place)
        if isinstance(error, TimeoutError) or time.monotonic() >= end:
            return Unavailable(f"{post.place} did not answer in time, which is {self.seconds:g} s at most.")
        return Unavailable(f"{post.place} can't be reached or stopped in the middle of its answer.")


_MOST_READ = 65_536
"""Bytes of an answer; a service that says more has its connection closed."""


class _NotCalled(OSError):
    """Why no connection was tried."""


def _is_read(response: http.client.HTTPResponse) -> bool:
    """Read what is left of an answer, where that is little; say whether its connection is free then."""
    with suppress(OSError, ValueError, http.client.HTTPException):
        response.read(_MOST_READ)
        return response.isclosed() and not response.will_close
    return False


def _trust(ca_bundle: str | None) -> ssl.SSLContext:
    try:
        return trusted(ca_bundle)
    except OSError as error:
        raise _NotCalled(f"CA_BUNDLE can't be read: {error.strerror or 'it is no PEM file'}") from error


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
