"""Reference data as files of the lake: written once for each edition, in blocks, and gone on with after a break.

Nobody reads a half of a file: its blocks are kept aside by storage, for a week at most, until all are there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from azure.core.exceptions import ResourceNotFoundError

from shared.clients.retrying import RetryPolicy
from shared.clients.storage.account import Account
from shared.clients.storage.containers import Container, container_of, content_of
from shared.clients.storage.lake_files import CONTAINER

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

_EDITION: Final = "edition"


class DrawnFiles(Protocol):
    """Where reference data is kept; every verb raises Unavailable and LoginRefused.

    edition: names what a file was made from; 1 to 40 letters and digits, for one path always as many.
    """

    def edition(self, path: str) -> str:
        """Say of which edition a whole file is; empty where there is none."""

    def editions(self, folder: str) -> Mapping[str, str]:
        """Say of which edition each file below a folder is, by its path."""

    def read(self, path: str) -> bytes | None:
        """Give a whole file's content, None where there is none."""

    def staged(self, path: str, edition: str) -> frozenset[int]:
        """Name the blocks of an edition that are kept aside for a file."""

    def stage(self, path: str, edition: str, number: int, block: bytes) -> None:
        """Keep a block aside; the same block again takes the place of itself."""

    def commit(self, path: str, edition: str, blocks: int) -> None:
        """Put the blocks from 0 to before `blocks` in the place of the file, at once."""

    def write(self, path: str, edition: str, content: bytes) -> None:
        """Write a file whole."""


@dataclass(frozen=True, slots=True)
class BlobDrawnFiles:
    """Files in a container of a storage account, which is made when something is written to it and it is not there."""

    container: Container

    def edition(self, path: str) -> str:
        """Read it from the blob's metadata."""
        return self._found(
            lambda lake, limits: _edition_of(lake.get_blob_client(path).get_blob_properties(**limits)), ""
        )

    def editions(self, folder: str) -> Mapping[str, str]:
        """List the blobs with their metadata."""

        def listed(lake: "ContainerClient", limits: dict[str, Any]) -> dict[str, str]:
            blobs = lake.list_blobs(name_starts_with=folder, include=["metadata"], **limits)
            return {str(blob.name): _edition_of(blob) for blob in blobs}

        return self._found(listed, {})

    def read(self, path: str) -> bytes | None:
        """Download it."""
        return content_of(self.container, path)

    def staged(self, path: str, edition: str) -> frozenset[int]:
        """List the blob's uncommitted blocks."""

        def listed(lake: "ContainerClient", limits: dict[str, Any]) -> frozenset[int]:
            _, aside = lake.get_blob_client(path).get_block_list("uncommitted", **limits)
            names = [str(block.id).rpartition("-") for block in aside]
            return frozenset(int(number) for found, _, number in names if found == edition)

        return self._found(listed, frozenset())

    def stage(self, path: str, edition: str, number: int, block: bytes) -> None:
        """Stage a block under the name of its edition and number."""
        name = _block_name(edition, number)
        self.container.call_or_make(lambda lake, limits: lake.get_blob_client(path).stage_block(name, block, **limits))

    def commit(self, path: str, edition: str, blocks: int) -> None:
        """Commit the list of blocks; those of other editions are thrown away by that."""

        def committed(lake: "ContainerClient", limits: dict[str, Any]) -> object:
            from azure.storage.blob import BlobBlock  # noqa: PLC0415 - at first use, not at every cold start

            names = [BlobBlock(_block_name(edition, number)) for number in range(blocks)]
            return lake.get_blob_client(path).commit_block_list(names, metadata={_EDITION: edition}, **limits)

        self.container.call_or_make(committed)

    def write(self, path: str, edition: str, content: bytes) -> None:
        """Upload it."""
        self.container.call_or_make(
            lambda lake, limits: lake.upload_blob(path, content, overwrite=True, metadata={_EDITION: edition}, **limits)
        )

    def _found[Answer](self, ask: Callable[["ContainerClient", dict[str, Any]], Answer], nothing: Answer) -> Answer:
        try:
            return self.container.call(ask, ResourceNotFoundError)
        except ResourceNotFoundError:
            return nothing


def blob_drawn_files(account: Account, retry: RetryPolicy | None = None) -> BlobDrawnFiles:
    """Give the lake of an account."""
    return BlobDrawnFiles(container_of(CONTAINER, account, retry))


def _block_name(edition: str, number: int) -> str:
    return f"{edition}-{number:07d}"


def _edition_of(blob: Any) -> str:  # noqa: ANN401 - the SDK's properties of a blob
    return str((blob.metadata or {}).get(_EDITION, ""))
