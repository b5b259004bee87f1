"""A fake place of recordings: files by where they lie, which change, go away and fail as real ones do."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.clients.recordings.store import HEAD, RemoteFile
from shared.domain.recording import RecordingLocation
from shared.errors import FeedRefused, IngestionError


@dataclass(slots=True)
class FakeRemote:
    """Holds files by `address`. failures: what the next calls raise, in turn; None is nothing.

    meanwhile: what a file becomes while it is fetched.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    failures: list[IngestionError | None] = field(default_factory=list)
    meanwhile: dict[str, bytes] = field(default_factory=dict)
    fetched: int = 0

    def look(self, location: RecordingLocation) -> RemoteFile | None:
        """Say what is there."""
        self._fail()
        content = self.files.get(location.address)
        return (
            None if content is None else RemoteFile(len(content), hashlib.sha256(content).hexdigest(), content[:HEAD])
        )

    def fetch(self, location: RecordingLocation, take: Callable[[bytes], None]) -> None:
        """Give it in two pieces."""
        self._fail()
        self.fetched += 1
        content = self.files.get(location.address)
        if content is None:
            raise FeedRefused(f"There is no recording {location.address}.")
        take(content[: len(content) // 2])
        self.files |= self.meanwhile
        take(self.files[location.address][len(content) // 2 :])

    def _fail(self) -> None:
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
