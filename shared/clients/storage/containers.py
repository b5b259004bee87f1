"""Containers of blobs in a storage account, and files in them that are written block by block."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError

from shared.clients.retrying import RetryPolicy, TransientError
from shared.clients.storage.account import Account
from shared.clients.storage.resources import Resource
from shared.errors import Unavailable

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

type Container = Resource[ContainerClient]

_ATTEMPT: Final = "attempt"


class BlockFile:
    """A blob that one attempt at a piece of work writes block by block, as if nobody had written it before.

    Readers see the blocks of one attempt or of another, never of both, since each `append` puts a new list of blocks in
    the place of the last one at once. An attempt leaves alone what a later one has begun, by the number in the blob's
    metadata; that number and the list change under the blob's ETag.
    """

    def __init__(self, container: Container, path: str, attempt: int) -> None:
        """Take the place of what lower attempts wrote at `path`, from the first `append` on."""
        self._container = container
        self._path = path
        self._attempt = attempt
        self._kept: list[str] = []
        self._numbers = 0
        self._etag: str | None = None  # of the blob as it was seen last; empty where there is none, None where unknown
        self.may_be_written = False

    def append(self, blocks: Sequence[bytes], tail: bytes = b"") -> None:
        """Put blocks behind those of earlier calls, and `tail` behind all of them until the next call.

        Raises Unavailable or LoginRefused; then the blocks are not part of the file once a later call succeeds, and
        `may_be_written` says whether they may be until then.
        """
        added = {self._next_id(): block for block in blocks}
        staged = added | ({self._next_id(): tail} if tail else {})
        self.may_be_written = False
        self._container.retry.call(lambda seconds: self._write(staged, seconds))
        self._kept += added

    def _write(self, staged: Mapping[str, bytes], seconds: float) -> None:
        try:
            seen = self._look(seconds) if self._etag is None else self._etag
            for name, data in staged.items():
                self._stage(name, data, seconds)
            self.may_be_written = True
            self._etag = self._commit([*self._kept, *staged], seen, seconds)
        except TransientError:
            self._etag = None  # what was asked may have been done
            raise

    def _look(self, seconds: float) -> str:
        try:
            found = self._container.call_once(
                lambda container, limits: container.get_blob_client(self._path).get_blob_properties(**limits),
                seconds,
                ResourceNotFoundError,
            )
        except ResourceNotFoundError:
            return ""
        latest = int((found.metadata or {}).get(_ATTEMPT, "0"))
        if latest > self._attempt:
            raise Unavailable(
                f"{self._container.place}: attempt {latest} writes {self._path}, so attempt {self._attempt} may not."
            )
        return str(found.etag)

    def _stage(self, name: str, data: bytes, seconds: float) -> None:
        def verb(container: "ContainerClient", limits: dict[str, Any]) -> None:
            container.get_blob_client(self._path).stage_block(name, data, **limits)

        try:
            self._container.call_once(verb, seconds, ResourceNotFoundError)
        except ResourceNotFoundError:
            self._container.make()
            self._container.call_once(verb, seconds)

    def _commit(self, names: Sequence[str], seen: str, seconds: float) -> str:
        def verb(container: "ContainerClient", limits: dict[str, Any]) -> str:
            from azure.storage.blob import BlobBlock  # noqa: PLC0415 - as _service says

            blob = container.get_blob_client(self._path)
            condition = {"etag": seen, "match_condition": MatchConditions.IfNotModified}
            done = blob.commit_block_list(
                [BlobBlock(name) for name in names],
                metadata={_ATTEMPT: str(self._attempt)},
                **(condition if seen else {"match_condition": MatchConditions.IfMissing}),
                **limits,
            )
            return str(done["etag"])

        try:
            return self._container.call_once(verb, seconds, ResourceModifiedError, ResourceExistsError)
        except (ResourceModifiedError, ResourceExistsError):
            raise TransientError(f"{self._container.place}: {self._path} was written by another attempt.") from None

    def _next_id(self) -> str:
        self._numbers += 1
        return f"{self._attempt:09d}-{self._numbers:09d}"


def container_of(name: str, account: Account, retry: RetryPolicy | None = None) -> Container:
    """Give a container of an account."""

    def connect() -> "ContainerClient":
        from azure.storage.blob import BlobServiceClient  # noqa: PLC0415 - at first use, not at every cold start

        return account.service(BlobServiceClient).get_container_client(name)

    place = f"The container {name}"
    return Resource(place, connect, lambda made, limits: made.create_container(**limits), account.who, retry)


def content_of(container: Container, path: str) -> bytes | None:
    """Download a blob; None where there is none. Raises Unavailable or LoginRefused."""
    try:
        return container.call(
            lambda client, limits: bytes(client.download_blob(path, **limits).readall()), ResourceNotFoundError
        )
    except ResourceNotFoundError:
        return None
