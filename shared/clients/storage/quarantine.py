"""Lines of recordings that are no records, kept as files of the container `lake`, one for each try at a slice."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from shared.clients.retrying import RetryPolicy
from shared.clients.storage.account import Account
from shared.clients.storage.containers import BlockFile, container_of
from shared.clients.storage.lake_files import CONTAINER
from shared.domain.windows.plan import SliceAttempt

MOST_LINES: Final = 10_000
"""So many refused lines of one try are kept; all are counted."""
_MOST_BYTES: Final = 4096


class RefusedLike(Protocol):
    """A refused line."""

    @property
    def number(self) -> int:
        """Give its number in the file, from 1."""

    @property
    def reason(self) -> str:
        """Say why."""

    @property
    def content(self) -> bytes:
        """Give its bytes."""


class Quarantine(Protocol):
    """Where the refused lines of one try are kept."""

    path: str

    def keep(self, lines: Sequence[RefusedLike]) -> None:
        """Keep further lines; raises Unavailable or LoginRefused."""


@dataclass(slots=True)
class BlobQuarantine:
    """A file of JSON lines, written block by block; there is none where nothing was refused."""

    path: str
    file: BlockFile
    kept: int = 0

    def keep(self, lines: Sequence[RefusedLike]) -> None:
        """Append them as one block; what goes beyond the most that are kept is left out."""
        fitting = lines[: MOST_LINES - self.kept]
        if fitting:
            self.file.append([b"".join(map(_row, fitting))])
            self.kept += len(fitting)


def path_of(stream: str, attempt: SliceAttempt) -> str:
    """Name the file of one try: a later one keeps its own, since it may go on where an earlier one was."""
    part = attempt.part
    return f"quarantine/{stream}/window={part.window_id}/slice={part.number:04d}/{attempt.attempt:04d}.ndjson"


def blob_quarantine(account: Account, retry: RetryPolicy, stream: str, attempt: SliceAttempt) -> BlobQuarantine:
    """Give the file of one try."""
    path = path_of(stream, attempt)
    return BlobQuarantine(path, BlockFile(container_of(CONTAINER, account, retry), path, attempt.attempt))


def _row(line: RefusedLike) -> bytes:
    head = line.content[:_MOST_BYTES]
    row: dict[str, Any] = {"line": line.number, "reason": line.reason, "bytes": len(line.content)}
    try:
        row["text"] = head.decode()
    except UnicodeDecodeError:
        row["base64"] = base64.b64encode(head).decode()
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"
