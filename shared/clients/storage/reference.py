"""The container `reference`: lookups and window markers, as blobs that are written whole."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Protocol

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError

from shared.clients.retrying import RetryPolicy
from shared.clients.storage.account import Account
from shared.clients.storage.containers import Container, container_of, content_of

if TYPE_CHECKING:
    from azure.storage.blob import BlobProperties, ContainerClient

CONTAINER: Final = "reference"


class Reference(Protocol):
    """Blobs by path (`assets/<window id>.parquet`); every verb raises Unavailable or LoginRefused."""

    def write(self, path: str, content: bytes) -> None:
        """Write a blob, in place of one that is there; readers see all of it or none."""

    def add(self, path: str, content: bytes) -> bool:
        """Write a blob unless one is there; says whether it was written."""

    def read(self, path: str) -> bytes | None:
        """Give a blob's content, None where there is none."""

    def has(self, path: str) -> bool:
        """Say whether there is a blob."""

    def newest(self, prefix: str) -> str | None:
        """Give the path of the blob written last among those whose paths begin so, None where there is none."""

    def delete(self, path: str) -> bool:
        """Delete a blob; says whether there was one."""

    def delete_older(self, prefix: str, before: datetime, most: int | None = None, *, keep: str | None = None) -> int:
        """Delete blobs whose paths begin so and which were last written before an instant; say how many.

        At most so many in one call (None: all), the first by their paths, and not the one of the path `keep`.
        """


class BlobReference:
    """The container in a storage account; it is made when something is written to it and it is not there."""

    def __init__(self, container: Container) -> None:
        """Keep the container."""
        self._container = container

    def write(self, path: str, content: bytes) -> None:
        """Upload it."""
        self._upload(path, content, overwrite=True)

    def add(self, path: str, content: bytes) -> bool:
        """Upload it on condition that it is new; where the answer to a try was lost, the next finds it there."""
        try:
            self._upload(path, content, overwrite=False, keep=(ResourceExistsError,))
        except ResourceExistsError:
            return False
        return True

    def read(self, path: str) -> bytes | None:
        """Download it."""
        return content_of(self._container, path)

    def has(self, path: str) -> bool:
        """Ask for its properties."""
        return self._container.call(lambda container, limits: container.get_blob_client(path).exists(**limits))

    def newest(self, prefix: str) -> str | None:
        """List and compare; of blobs written in one second the last by name."""
        blobs = self._blobs(prefix)
        return str(max(blobs, key=lambda blob: (blob.last_modified, blob.name)).name) if blobs else None

    def delete(self, path: str) -> bool:
        """Delete it."""
        try:
            self._container.call(lambda container, limits: container.delete_blob(path, **limits), ResourceNotFoundError)
        except ResourceNotFoundError:
            return False
        return True

    def delete_older(self, prefix: str, before: datetime, most: int | None = None, *, keep: str | None = None) -> int:
        """List, then delete one by one; one that somebody else deleted counts as theirs."""
        old = (blob.name for blob in self._blobs(prefix) if blob.last_modified < before and blob.name != keep)
        return sum(self.delete(name) for name in islice(old, most))

    def _upload(self, path: str, content: bytes, *, overwrite: bool, keep: Sequence[type[AzureError]] = ()) -> None:
        def upload(container: "ContainerClient", limits: dict[str, Any]) -> None:
            container.upload_blob(path, content, overwrite=overwrite, **limits)

        self._container.call_or_make(upload, *keep)

    def _blobs(self, prefix: str) -> "list[BlobProperties]":
        try:
            return self._container.call(
                lambda container, limits: list(container.list_blobs(name_starts_with=prefix, **limits)),
                ResourceNotFoundError,
            )
        except ResourceNotFoundError:
            return []


def blob_reference(account: Account, retry: RetryPolicy | None = None, container: str = CONTAINER) -> BlobReference:
    """Give the container of an account; another one of such blobs where it is named."""
    return BlobReference(container_of(container, account, retry))
