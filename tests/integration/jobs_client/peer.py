"""A small HTTP peer that answers as it is told, request by request, and remembers what it was asked."""

import contextlib
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.integration.local_server import served


@dataclass(frozen=True)
class Answer:
    """What is sent; `cut` leaves out that many of the promised bytes, `hang_up` sends nothing at all."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0
    hang_up: bool = False
    drip: bool = False
    chunked: bool = False


@dataclass
class Peer:
    """Gives the answers in turn, the last one for ever; `asked` holds (method, path with query, headers, body)."""

    answers: list[Answer] = field(default_factory=lambda: [Answer()])
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""
    over: threading.Event = field(default_factory=threading.Event)

    def next(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextlib.contextmanager
def running_peer(*answers: Answer, tls: ssl.SSLContext | None = None) -> Iterator[Peer]:
    """Serve on 127.0.0.1 for the length of a block, by TLS where a context is given."""
    peer = Peer(list(answers) or [Answer()])

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            peer.asked.append((self.command, self.path, dict(self.headers), body))
            _send(self, peer.next(), peer.over)

        do_POST = do_PUT = do_HEAD = do_GET  # noqa: N815 - the library's own names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with served(Handler, tls) as peer.url:
        try:
            yield peer
        finally:
            peer.over.set()


def _send(handler: BaseHTTPRequestHandler, answer: Answer, over: threading.Event) -> None:
    handler.close_connection = True
    if answer.hang_up:
        return
    handler.send_response(answer.status)
    handler.send_header("Connection", "close")  # else a client may use the connection again while it is being closed
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    length = ("Transfer-Encoding", "chunked") if answer.chunked else ("Content-Length", str(len(answer.body)))
    handler.send_header(*length)
    handler.end_headers()
    with contextlib.suppress(OSError):
        for piece in _pieces(answer):
            handler.wfile.write(piece)
            handler.wfile.flush()
            if answer.drip:
                over.wait(0.02)


def _pieces(answer: Answer) -> list[bytes]:
    if answer.chunked:
        return [b"%x\r\n%b\r\n" % (len(answer.body), answer.body), b"0\r\n\r\n"]
    sent = answer.body[: len(answer.body) - answer.cut]
    return [sent[place : place + 1] for place in range(len(sent))] if answer.drip else [sent]
