"""Azurite as the spill's storage account, behind a front that answers for its queues as a troubled service does."""

import contextlib
import http.client
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from shared.clients.identity.fake import FakeIdentity
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.clients.storage.account import Account
from shared.clients.storage.spill import CONTAINER, StoredSpill, blob_spill
from shared.clients.storage.spill_encoding import decode
from tests.azurite import running_azurite
from tests.faults.producing import arrival
from tests.faults.verdict import Arrival
from tests.integration.local_server import served

BUSY = b'<?xml version="1.0"?><Error><Code>ServerBusy</Code><Message>The server is busy.</Message></Error>'
IMPATIENT = RetryPolicy(Timeouts(5.0, 2.0, Backoff(0.02, 0.2), Backoff(0.02, 0.2)))


@dataclass
class Trouble:
    """Answers 503 to a share of all requests, every other time after they were carried out; to all where `away`."""

    share: float = 0.0
    away: bool = False
    draw: random.Random = field(default_factory=lambda: random.Random(1))
    met: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self) -> str:
        """Say what becomes of the next request: `served`, `refused`, or `lost` (carried out, but answered 503)."""
        with self.lock:
            if self.away:
                return "refused"
            if self.draw.random() >= self.share:
                return "served"
            self.met += 1
            return "lost" if self.met % 2 else "refused"


@dataclass(frozen=True)
class Store:
    """A storage account: `connection` reaches it as it is, `troubled` its queues through the front."""

    connection: str
    troubled: str
    trouble: Trouble

    def spill(self, retry: RetryPolicy = IMPATIENT, *, troubled: bool = False) -> StoredSpill:
        account = Account(self.troubled if troubled else self.connection, "", FakeIdentity())
        return blob_spill(account, account, retry=retry)

    def arrivals(self) -> list[Arrival]:
        """Read all events of all batches, in the order of their paths."""
        spill = self.spill()
        batches = ((batch, spill.read(batch.path)) for batch in spill.batches())
        return [arrival(event.body) for batch, content in batches if content for event in decode(batch, content)]

    def clear(self) -> None:
        """Delete all batches and messages, and end all trouble."""
        self.trouble.share, self.trouble.away, self.trouble.met = 0.0, False, 0
        with contextlib.closing(BlobServiceClient.from_connection_string(self.connection)) as service:
            container = service.get_container_client(CONTAINER)
            if container.exists():
                for blob in container.list_blob_names():
                    container.delete_blob(blob)
        with contextlib.closing(QueueServiceClient.from_connection_string(self.connection)) as queues:
            for queue in queues.list_queues():
                queues.get_queue_client(queue.name).clear_messages()


@contextlib.contextmanager
def running_store(folder: Path) -> Iterator[Store]:
    """Run Azurite in a process of its own, and the front in threads, for the length of a block."""
    with running_azurite(folder) as connection:
        trouble = Trouble()
        parts = dict(part.split("=", 1) for part in connection.strip(";").split(";"))
        queues = urlsplit(parts["QueueEndpoint"])
        with _front(f"{queues.hostname}:{queues.port}", trouble) as place:
            yield Store(connection, connection.replace(queues.netloc, place), trouble)


@contextlib.contextmanager
def _front(behind: str, trouble: Trouble) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            fate = trouble.next()
            answer = None if fate == "refused" else _ask(behind, self, body)
            status, headers, content = answer if answer and fate == "served" else (503, [], BUSY)
            self.send_response_only(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_PUT = do_DELETE = do_HEAD = do_GET  # noqa: N815 - the library's own names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with served(Handler) as url:
        yield url.removeprefix("http://")


def _ask(behind: str, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
    """Hand a request on as it is."""
    connection = http.client.HTTPConnection(behind, timeout=10)
    with contextlib.closing(connection):
        connection.request(request.command, request.path, body, dict(request.headers))
        answer = connection.getresponse()
        content = answer.read()
        kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in UNFIT]
        return answer.status, kept, content


UNFIT = {"content-length", "transfer-encoding", "connection", "keep-alive"}
