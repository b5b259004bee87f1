"""Blobs that are written once and described again and again, each time under their ETag, and that can be leased."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceModifiedError, ResourceNotFoundError

from shared.clients.failures import code_of
from shared.clients.storage.containers import Container, content_of
from shared.clients.storage.resources import Verb

if TYPE_CHECKING:
    from azure.storage.blob import BlobProperties, ContainerClient

LEASE_SECONDS: Final = 60

_PAGE: Final = 5_000  # the service's own largest


@dataclass(frozen=True, slots=True)
class Blob:
    """What storage says of a blob. etag: changes whenever the blob or its metadata are written."""

    path: str
    metadata: Mapping[str, str]
    written_at: datetime
    etag: str


class LeasedBlobs(Protocol):
    """Blobs with metadata and leases."""

    def make(self) -> None:
        """Make the place where they are kept, where it is not there."""

    def add(self, path: str, content: bytes, metadata: Mapping[str, str]) -> bool:
        """Write a blob unless one is there; says whether it was written."""

    def read(self, path: str) -> bytes | None:
        """Give a blob's content, None where there is none."""

    def look(self, path: str) -> Blob | None:
        """Give what is known of a blob, None where there is none."""

    def listed(self, prefix: str) -> Sequence[Blob]:
        """Give the blobs whose paths begin so, by their paths."""

    def describe(self, blob: Blob, metadata: Mapping[str, str]) -> bool:
        """Replace a blob's metadata; says False where it was written since it was looked at, or is gone."""

    def delete(self, blob: Blob) -> bool:
        """Delete a blob; says False where it was written since it was looked at, or is gone."""

    def lease(self, path: str, lease: str) -> bool:
        """Take a lease of 60 s on a blob, or keep one that is held; says False where another holds it."""

    def release(self, path: str, lease: str) -> None:
        """Give a lease back; one that is held no more is left alone."""


class ContainerBlobs:
    """The blobs of a container, which is made when something is written to it and it is not there."""

    def __init__(self, container: Container) -> None:
        """Keep the container."""
        self._container = container
        self.make = container.make

    def add(self, path: str, content: bytes, metadata: Mapping[str, str]) -> bool:
        """Upload on condition that there is none."""

        def upload(container: "ContainerClient", limits: dict[str, Any]) -> bool:
            with _answering("BlobAlreadyExists") as refused:
                container.upload_blob(path, content, overwrite=False, metadata=dict(metadata), **limits)
            return not refused

        return self._container.call_or_make(upload)

    def read(self, path: str) -> bytes | None:
        """Download it."""
        return content_of(self._container, path)

    def look(self, path: str) -> Blob | None:
        """Ask for its properties."""
        try:
            found = self._container.call(
                lambda container, limits: container.get_blob_client(path).get_blob_properties(**limits),
                ResourceNotFoundError,
            )
        except ResourceNotFoundError:
            return None
        return _blob(found)

    def listed(self, prefix: str) -> Sequence[Blob]:
        """List page by page, with metadata."""
        try:
            return self._container.call(
                lambda container, limits: [
                    _blob(found)
                    for found in container.list_blobs(prefix, ["metadata"], results_per_page=_PAGE, **limits)
                ],
                ResourceNotFoundError,
            )
        except ResourceNotFoundError:
            return []

    def describe(self, blob: Blob, metadata: Mapping[str, str]) -> bool:
        """Set the metadata on condition of the ETag."""
        return self._unless_changed(
            lambda container, limits: container.get_blob_client(blob.path).set_blob_metadata(
                dict(metadata), **_unchanged(blob), **limits
            )
        )

    def delete(self, blob: Blob) -> bool:
        """Delete on condition of the ETag."""
        return self._unless_changed(
            lambda container, limits: container.delete_blob(blob.path, **_unchanged(blob), **limits)
        )

    def lease(self, path: str, lease: str) -> bool:
        """Acquire under a name of our own, so that the answer may be lost: who has a lease may acquire it again."""

        def acquire(container: "ContainerClient", limits: dict[str, Any]) -> bool:
            with _answering("LeaseAlreadyPresent") as refused:
                container.get_blob_client(path).acquire_lease(LEASE_SECONDS, lease, **limits)
            return not refused

        try:
            return self._container.call(acquire, ResourceNotFoundError)
        except ResourceNotFoundError:
            self.add(path, b"", {})
            return self._container.call(acquire)

    def release(self, path: str, lease: str) -> None:
        """Release it."""

        def give_back(container: "ContainerClient", limits: dict[str, Any]) -> None:
            from azure.storage.blob import BlobLeaseClient  # noqa: PLC0415 - at first use, not at every cold start

            with _answering("LeaseIdMismatchWithLeaseOperation", "LeaseNotPresentWithLeaseOperation", "BlobNotFound"):
                BlobLeaseClient(container.get_blob_client(path), lease).release(**limits)

        self._container.call(give_back)

    def _unless_changed(self, verb: "Verb[ContainerClient, object]") -> bool:
        try:
            self._container.call(verb, ResourceModifiedError, ResourceNotFoundError)
        except (ResourceModifiedError, ResourceNotFoundError):
            return False
        return True


@contextlib.contextmanager
def _answering(*codes: str) -> Iterator[list[str]]:
    """Take some error codes for answers: gives which one came, none where what was asked was done."""
    came: list[str] = []
    try:
        yield came
    except HttpResponseError as error:
        code = code_of(error)
        if code not in codes:
            raise
        came.append(code)


def _unchanged(blob: Blob) -> dict[str, Any]:
    return {"etag": blob.etag, "match_condition": MatchConditions.IfNotModified}


def _blob(found: "BlobProperties") -> Blob:
    return Blob(str(found.name), dict(found.metadata or {}), found.last_modified, str(found.etag))
