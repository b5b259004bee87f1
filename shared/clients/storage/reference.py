"""The container `reference`: lookups and window markers, as blobs that are written whole."""

import contextlib
import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError

from shared.clients.failures import call
from shared.clients.identity.credentials import BlockingIdentity, Identity
from shared.clients.retrying import RetryPolicy, connect_seconds

if TYPE_CHECKING:
    from azure.storage.blob import BlobProperties, BlobServiceClient, ContainerClient

CONTAINER: Final = "reference"
_PLACE: Final = f"The container {CONTAINER}"


class Reference(Protocol):
    """Blobs by path (`assets/<window id>.parquet`); every verb raises Unavailable or LoginRefused."""

    def write(self, path: str, content: bytes) -> None:
        """Write a blob, in place of one that is there; readers see all of it or none."""

    def read(self, path: str) -> bytes | None:
        """Give a blob's content, None where there is none."""

    def newest(self, prefix: str) -> str | None:
        """Give the path of the blob written last among those whose paths begin so, None where there is none."""

    def delete_older(self, prefix: str, before: datetime) -> int:
        """Delete the blobs whose paths begin so and which were last written before an instant; say how many."""


class BlobReference:
    """The container in a storage account; it is made when something is written to it and it is not there."""

    def __init__(
        self, service: "Callable[[], BlobServiceClient]", client: str, retry: RetryPolicy | None = None
    ) -> None:
        """Keep the way to the account and the name of who asks; nothing is dialled before the first verb."""
        self._service = service
        self._client = client
        self._retry = retry or RetryPolicy()
        self._made: ContainerClient | None = None
        self._lock = threading.Lock()

    def write(self, path: str, content: bytes) -> None:
        """Upload it; a second time where the container had to be made first."""
        try:
            self._call(lambda limits: self._container().upload_blob(path, content, overwrite=True, **limits))
        except ResourceNotFoundError:
            self._make_container()
            self._call(lambda limits: self._container().upload_blob(path, content, overwrite=True, **limits))

    def read(self, path: str) -> bytes | None:
        """Download it."""
        try:
            return self._call(lambda limits: bytes(self._container().download_blob(path, **limits).readall()))
        except ResourceNotFoundError:
            return None

    def newest(self, prefix: str) -> str | None:
        """List and compare; of blobs written in one second the last by name."""
        blobs = self._blobs(prefix)
        return str(max(blobs, key=lambda blob: (blob.last_modified, blob.name)).name) if blobs else None

    def delete_older(self, prefix: str, before: datetime) -> int:
        """List, then delete one by one; one that somebody else deleted counts as theirs."""
        old = [blob.name for blob in self._blobs(prefix) if blob.last_modified < before]
        return sum(self._delete(name) for name in old)

    def _blobs(self, prefix: str) -> "list[BlobProperties]":
        try:
            return self._call(lambda limits: list(self._container().list_blobs(name_starts_with=prefix, **limits)))
        except ResourceNotFoundError:
            return []

    def _delete(self, path: str) -> bool:
        try:
            self._call(lambda limits: self._container().delete_blob(path, **limits))
        except ResourceNotFoundError:
            return False
        return True

    def _make_container(self) -> None:
        with contextlib.suppress(ResourceExistsError):
            self._call(lambda limits: self._container().create_container(**limits), keep=ResourceExistsError)

    def _call[Answer](
        self, verb: Callable[[dict[str, Any]], Answer], keep: type[AzureError] = ResourceNotFoundError
    ) -> Answer:
        return self._retry.call(
            lambda seconds: call(lambda: verb(_limits(seconds)), place=_PLACE, client=self._client, keep=keep)
        )

    def _container(self) -> "ContainerClient":
        with self._lock:
            if self._made is None:
                self._made = self._service().get_container_client(CONTAINER)
            return self._made


def blob_reference(
    connection: str | None,
    endpoint: str,
    identity: Identity,
    *,
    ca_bundle: str | None = None,
    retry: RetryPolicy | None = None,
) -> BlobReference:
    """Give the container of an account: by connection string, or at `endpoint` (its blob URL) by identity."""
    options: dict[str, Any] = {"retry_total": 0} | ({"connection_verify": ca_bundle} if ca_bundle else {})
    who = "the connection string" if connection else f"client id {identity.client_id}"
    return BlobReference(partial(_service, connection, endpoint, identity, options), who, retry)


def _service(connection: str | None, endpoint: str, identity: Identity, options: dict[str, Any]) -> "BlobServiceClient":
    """Make the client of the account; its SDK is imported at first use, and not at every cold start."""
    from azure.storage.blob import BlobServiceClient  # noqa: PLC0415

    if connection:
        return BlobServiceClient.from_connection_string(connection, **options)
    return BlobServiceClient(endpoint, credential=BlockingIdentity(identity), **options)


def _limits(seconds: float) -> dict[str, Any]:
    return {"connection_timeout": connect_seconds(seconds), "read_timeout": seconds}
