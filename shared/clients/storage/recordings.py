"""Recordings as blobs of the app's storage account."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from azure.core.exceptions import ResourceNotFoundError

from shared.clients.recordings.store import HEAD, RemoteFile, check_size
from shared.clients.retrying import RetryPolicy
from shared.clients.storage.account import Account
from shared.clients.storage.containers import Container, container_of
from shared.domain.recording import RecordingLocation
from shared.errors import FeedRefused

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

_PIECE: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class BlobRecordings:
    """Blobs by container and path."""

    account: Account
    retry: RetryPolicy = field(default_factory=RetryPolicy)

    def look(self, location: RecordingLocation) -> RemoteFile | None:
        """Ask for size and ETag, then for the first bytes: what comes with these says their size alone."""

        def ask(container: "ContainerClient", limits: dict[str, Any]) -> RemoteFile:
            blob = container.get_blob_client(location.path)
            found = blob.get_blob_properties(**limits)
            head = blob.download_blob(offset=0, length=HEAD, **limits).readall() if found.size else b""
            return RemoteFile(int(found.size), str(found.etag), bytes(head))

        try:
            return self._container(location).call(ask, ResourceNotFoundError)
        except ResourceNotFoundError:
            return None

    def fetch(self, location: RecordingLocation, take: Callable[[bytes], None]) -> None:
        """Download range by range, each of which is tried again by itself."""
        found = self.look(location)
        if found is None:
            raise FeedRefused(f"There is no recording {location.address}.")
        check_size(location, found.size)
        container = self._container(location)
        for begin in range(0, found.size, _PIECE):

            def ask(client: "ContainerClient", limits: dict[str, Any], at: int = begin) -> bytes:
                return bytes(client.download_blob(location.path, offset=at, length=_PIECE, **limits).readall())

            take(container.call(ask))

    def _container(self, location: RecordingLocation) -> Container:
        return container_of(location.container, self.account, self.retry)
