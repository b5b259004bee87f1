"""An ingestion endpoint of Application Insights on this machine: keeps each envelope, or answers as a test says."""

import contextlib
import gzip
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.integration.local_server import served

KEY = "00000000-0000-0000-0000-000000000001"


@dataclass
class Endpoint:
    """What came, and what is answered. gate: an answer waits until it is set. status: other than 200 keeps nothing."""

    connection: str = ""
    status: int = 200
    gate: threading.Event = field(default_factory=threading.Event)
    asked: threading.Event = field(default_factory=threading.Event)
    envelopes: list[dict[str, Any]] = field(default_factory=list)
    logins: set[str] = field(default_factory=set)

    def take(self, body: bytes) -> tuple[int, dict[str, Any]]:
        """Keep envelopes, and say how many."""
        self.asked.set()
        self.gate.wait(60)
        items = json.loads(body)
        if self.status != 200:
            return self.status, {"itemsReceived": len(items), "itemsAccepted": 0, "errors": []}
        self.envelopes += items
        return 200, {"itemsReceived": len(items), "itemsAccepted": len(items), "errors": []}

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Give the data of the envelopes of a kind: `MessageData`, `MetricData`, `RemoteDependencyData`, …."""
        return [one["data"]["baseData"] for one in self.envelopes if one["data"]["baseType"] == kind]

    def operation_of(self, kind: str) -> list[tuple[str, str]]:
        """Give trace and parent of the envelopes of a kind."""
        tags = [one["tags"] for one in self.envelopes if one["data"]["baseType"] == kind]
        return [(each["ai.operation.id"], each.get("ai.operation.parentId", "")) for each in tags]


@contextlib.contextmanager
def endpoint(tls: ssl.SSLContext | None = None) -> Iterator[Endpoint]:
    """Serve for the length of a block, by TLS where a context is given."""
    kept = Endpoint()
    kept.gate.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.logins.add(self.headers.get("Authorization", ""))
            body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            status, answer = kept.take(body)
            text = json.dumps(answer).encode()
            with contextlib.suppress(OSError):  # who waited too long is gone
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with served(Handler, tls) as url:
        kept.connection = f"InstrumentationKey={KEY};IngestionEndpoint={url}/"
        try:
            yield kept
        finally:
            kept.gate.set()
