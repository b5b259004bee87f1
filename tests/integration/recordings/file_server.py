"""A server of files by TLS that serves ranges, and fails as it is told."""

import contextlib
import hashlib
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.integration.local_server import served


@dataclass
class FileServer:
    """Serves `files` by their paths.

    statuses: what the next requests are answered with instead of a file, in turn. cuts: after how many bytes of their
    body the next ones break off. ranges: whether parts of a file can be asked for. location: where a 3xx leads.
    asked: (path with query, range) of each request.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    ranges: bool = True
    asked: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    def clear(self) -> None:
        self.files, self.statuses, self.cuts, self.ranges, self.asked = {}, [], [], True, []


@contextlib.contextmanager
def running_file_server(tls: ssl.SSLContext) -> Iterator[FileServer]:
    """Serve on 127.0.0.1 for the length of a block."""
    files = FileServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            files.asked.append((self.path, wanted))
            with contextlib.suppress(OSError):  # a client may leave in the middle
                _serve(self, files, wanted)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with served(Handler, tls) as files.url:
        yield files


def _serve(handler: BaseHTTPRequestHandler, files: FileServer, wanted: str) -> None:
    content = files.files.get(handler.path.partition("?")[0])
    status = files.statuses.pop(0) if files.statuses else 404 if content is None else 200
    if status != 200:
        handler.send_response(status)
        handler.send_header("Location", f"{files.url}/elsewhere")
        handler.end_headers()
        return
    begin, end = _range(wanted) if files.ranges else (0, len(content))
    part = content[begin : end + 1] if files.ranges else content
    if files.ranges and not part:
        handler.send_response(416)
    elif files.ranges:
        handler.send_response(206)
        handler.send_header("Content-Range", f"bytes {begin}-{begin + len(part) - 1}/{len(content)}")
    else:
        handler.send_response(200)
    handler.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()[:16]}"')
    handler.send_header("Content-Length", str(len(part)))
    handler.end_headers()
    handler.wfile.write(part[: files.cuts.pop(0)] if files.cuts else part)


def _range(wanted: str) -> tuple[int, int]:
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted)
    return int(match[1]), int(match[2] or 1 << 60)
