"""Recordings as blobs of the app's storage account."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from azure.core.exceptions import ResourceNotFoundError

from shared.clients.recordings.store import HEAD, RemoteFile, check_size
from shared.clients.storage.account import Account
from shared.clients.storage.containers import container_of
from shared.domain.recording import RecordingLocation
from shared.errors import FeedRefused

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

_PIECE: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class BlobRecordings:
    """Blobs by container and path."""

    account: Account

    def look(self, location: RecordingLocation) -> RemoteFile | None:
        """Ask for the first bytes; with them come size and ETag."""

        def ask(container: "ContainerClient", limits: dict[str, Any]) -> RemoteFile:
            blob = container.download_blob(location.path, offset=0, length=HEAD, **limits)
            return RemoteFile(int(blob.properties.size), str(blob.properties.etag), bytes(blob.readall()))

        try:
            return container_of(location.container, self.account).call(ask, ResourceNotFoundError)
        except ResourceNotFoundError:
            return None

    def fetch(self, location: RecordingLocation, take: Callable[[bytes], None]) -> None:
        """Download range by range, each of which is tried again by itself."""
        found = self.look(location)
        if found is None:
            raise FeedRefused(f"There is no recording {location.address}.")
        check_size(location, found.size)
        container = container_of(location.container, self.account)
        for begin in range(0, found.size, _PIECE):

            def ask(client: "ContainerClient", limits: dict[str, Any], at: int = begin) -> bytes:
                return bytes(client.download_blob(location.path, offset=at, length=_PIECE, **limits).readall())

            take(container.call(ask))
