"""A TLS server on 127.0.0.1 that behaves as badly as it is told, and remembers who asked it for what."""

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

type Behaviour = Callable[["Connection"], None]

OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 18\r\n\r\n{"status": "sent"}'


@dataclass(frozen=True)
class Request:
    """What one request said; `sni` is the name that the client wanted a certificate for."""

    line: str
    headers: dict[str, str]
    body: dict[str, Any]
    sni: str | None


@dataclass
class Connection:
    """One connection after its request was read; `over` is set when the test is."""

    socket: ssl.SSLSocket
    over: threading.Event

    def say(self, words: bytes) -> None:
        self.socket.sendall(words)

    def drip(self, words: bytes) -> None:
        """Send a byte at a time, over and over, until the client or the test has enough."""
        while not self.over.is_set():
            for place in range(len(words)):
                self.say(words[place : place + 1])
                self.over.wait(0.01)

    def fall_silent(self) -> None:
        self.over.wait(30)


def answers(status: int, headers: str = "", body: bytes = b"") -> Behaviour:
    """Answer properly."""
    head = f"HTTP/1.1 {status} Words\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
    return lambda connection: connection.say(head.encode() + body)


@dataclass
class Peer:
    """Behaves in turn, the last way for ever. effects: the ids that made a mail; a repeated one makes none.

    arrivals: how many connections were taken; `gone` is set when a connection has ended.
    """

    behaviours: list[Behaviour]
    port: int = 0
    arrivals: int = 0
    requests: list[Request] = field(default_factory=list)
    effects: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    gone: threading.Event = field(default_factory=threading.Event)

    def serve(self, raw: socket.socket, tls: ssl.SSLContext) -> None:
        self.arrivals += 1
        with raw, contextlib.suppress(OSError), tls.wrap_socket(raw, server_side=True) as connection:
            request = _read(connection, getattr(connection.context, "seen", None))
            self._take(request)
            behave = self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
            behave(Connection(connection, self.over))
        self.gone.set()

    def _take(self, request: Request) -> None:
        self.requests.append(request)
        alert_id = request.headers["x-alert-id"]
        if alert_id not in self.effects:
            self.effects.append(alert_id)


@contextlib.contextmanager
def running_peer(tls: Callable[[], ssl.SSLContext], *behaviours: Behaviour) -> Iterator[Peer]:
    """Serve for the length of a block; `tls` makes the server's context, one for each connection."""
    peer, threads = Peer(list(behaviours)), []
    with socket.create_server(("127.0.0.1", 0)) as server:
        peer.port = server.getsockname()[1]

        def accept() -> None:
            with contextlib.suppress(OSError):
                while not peer.over.is_set():
                    raw, _ = server.accept()
                    threads.append(threading.Thread(target=peer.serve, args=(raw, _watched(tls()))))
                    threads[-1].start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield peer
        finally:
            peer.over.set()
            server.shutdown(socket.SHUT_RDWR)
            for thread in [accepting, *threads]:
                thread.join(10)


def _watched(context: ssl.SSLContext) -> ssl.SSLContext:
    def note(_: ssl.SSLObject, name: str | None, seen: ssl.SSLContext) -> None:
        seen.seen = name

    context.sni_callback = note
    return context


def _read(connection: ssl.SSLSocket, sni: str | None) -> Request:
    with connection.makefile("rb") as file:
        line = file.readline().decode().strip()
        headers = dict(_header(text) for text in iter(lambda: file.readline().decode().strip(), ""))
        return Request(line, headers, json.loads(file.read(int(headers["content-length"]))), sni)


def _header(text: str) -> tuple[str, str]:
    name, _, value = text.partition(":")
    return name.lower(), value.strip()
