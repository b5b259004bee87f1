"""Where recordings lie, and their copies on this machine: a file is read in place, a blob or a URL's file is copied.

A copy is kept under the identity of what was copied, so a file that changes is another copy, and no slice mixes two.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Protocol

from shared.clients.recordings.blocks import RecordingFile
from shared.clients.recordings.index import LineIndex
from shared.domain.recording import RecordingLocation
from shared.errors import FeedRefused, Unavailable

MOST_BYTES: Final = 8 << 30
"""So large a file may be that is copied."""

HEAD: Final = 1 << 16
"""So many of a file's first bytes belong to its identity."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """What is known of a remote file. size: bytes. version: its ETag. head: its first bytes, at most `HEAD`."""

    size: int
    version: str
    head: bytes


class Remote(Protocol):
    """Where files are copied from."""

    def look(self, location: RecordingLocation) -> RemoteFile | None:
        """Say what is there now, None where nothing is; raises Unavailable, LoginRefused, FeedRefused."""

    def fetch(self, location: RecordingLocation, take: Callable[[bytes], None]) -> None:
        """Give the whole file piece by piece; raises as `look` does."""


class Recordings(Protocol):
    """Where recordings are."""

    def identify(self, location: RecordingLocation) -> str:
        """Name the content of a recording as it is now; raises FeedRefused, Unavailable, LoginRefused."""

    def open(self, location: RecordingLocation, identity: str) -> RecordingFile:
        """Give a recording of that identity for reading; raises FeedRefused, too, where it is another one by now."""


@dataclass(frozen=True, slots=True)
class KeptRecordings:
    """Recordings with copies and indexes in `folder`. remotes: where those are that are no files, by kind."""

    folder: Path
    remotes: dict[str, Remote]

    def identify(self, location: RecordingLocation) -> str:
        """Look at size, version and first bytes."""
        if location.kind == "file":
            return _identity(_of_file(location))
        found = self.remotes[location.kind].look(location)
        if found is None:
            raise FeedRefused(f"There is no recording {location.address}.")
        return _identity(found)

    def open(self, location: RecordingLocation, identity: str) -> RecordingFile:
        """Read a file in place; copy any other, unless a copy is here."""
        name = hashlib.sha256(f"{location.address} {identity}".encode()).hexdigest()[:32]
        path = Path(location.path) if location.kind == "file" else self.folder / name
        if location.kind == "file" or not path.exists():
            self._check(location, identity)
        if location.kind != "file" and not path.exists():
            self._copy(location, identity, path)
        self.folder.mkdir(parents=True, exist_ok=True)
        return RecordingFile(path, location.address, LineIndex.read(self.folder / f"{name}.lines"))

    def _check(self, location: RecordingLocation, identity: str) -> None:
        if self.identify(location) != identity:
            raise FeedRefused(
                f"The recording {location.address} has changed since its window was planned; put the old file back, or "
                "ingest the window again, which takes the file as it is then."
            )

    def _copy(self, location: RecordingLocation, identity: str, path: Path) -> None:
        """Copy it whole, or leave nothing: what changed meanwhile may be a mixture."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=path.name, suffix=".partial", dir=self.folder)
        try:
            with os.fdopen(handle, "wb") as file:
                self.remotes[location.kind].fetch(location, lambda piece: _write(file, piece))
            self._check(location, identity)
            Path(name).replace(path)
        except OSError as error:
            raise Unavailable(f"{location.address} can't be copied to {self.folder}: {error.strerror}.") from error
        finally:
            Path(name).unlink(missing_ok=True)


def _of_file(location: RecordingLocation) -> RemoteFile:
    try:
        with Path(location.path).open("rb") as file:
            seen = os.fstat(file.fileno())
            return RemoteFile(seen.st_size, str(seen.st_mtime_ns), file.read(HEAD))
    except OSError as error:
        raise FeedRefused(f"The recording {location.address} can't be read: {error.strerror or error}.") from error


def _identity(found: RemoteFile) -> str:
    version = hashlib.sha256(found.version.encode()).hexdigest()[:16]
    return f"{found.size}-{version}-{hashlib.sha256(found.head).hexdigest()[:16]}"


def _write(file: IO[bytes], piece: bytes) -> None:
    file.write(piece)


def check_size(location: RecordingLocation, size: int) -> None:
    """Raise FeedRefused for a file that is too large to be copied."""
    if size > MOST_BYTES:
        raise FeedRefused(f"{location.address} is larger than {MOST_BYTES >> 30} GiB; pack it, or cut it in parts.")
