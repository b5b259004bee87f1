"""Files in the lake as a destination: one file for each stream, window and slice, whatever attempt wrote it."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final, Protocol

from shared.clients.destination import Sender
from shared.clients.retrying import RetryPolicy
from shared.clients.storage.account import Account
from shared.clients.storage.containers import BlockFile, Container, container_of
from shared.clients.storage.lake_encoding import LakeFormat, Ndjson, Parquet, lines_of, new_file
from shared.contracts import Contract
from shared.domain.delivery import Delivery, Event, Refusal
from shared.errors import SendFailed, Unavailable

__all__ = ["BlobLake", "Lake", "LakeFiles", "LakeFormat", "blob_lake"]

CONTAINER: Final = "lake"

_SLICE = re.compile(r"(?P<window>[A-Za-z0-9_-]+)/(?P<slice>\d{1,9}|close)\.(?P<attempt>\d{1,9})")


class Lake(Protocol):
    """Where the files of streams are."""

    def sender(self, contract: Contract, form: LakeFormat = "ndjson") -> AbstractAsyncContextManager[Sender]:
        """Lend what writes a stream's records into files, for as long as one attempt at a slice lasts."""


class File(Protocol):
    """A file as one attempt writes it."""

    may_be_written: bool

    def append(self, blocks: Sequence[bytes], tail: bytes = b"") -> None:
        """Put blocks behind those of earlier calls, and `tail` behind all of them until the next call."""


class LakeFiles:
    """Writes a stream's records to `<folder>/<stream>/window=<window id>/slice=<nnnn>/0000.<form>`.

    Window, slice and attempt are those of the events' property `slice`. A file always holds the records of one attempt:
    the first ones of a later attempt take the place of all that an earlier one wrote, at once, and an earlier one that
    still runs fails from then on. So after an attempt that sent all of its slice's records there is exactly one set of
    them, also where others broke off before it. An attempt that sends nothing changes nothing.

    `ndjson` keeps the records as they were sent. `parquet` has the contract's columns: numbers as decimals with 18
    places, times in UTC with microseconds; a record that does not fit them, or whose number would be rounded, is
    refused.
    """

    def __init__(
        self, folder: str, contract: Contract, form: LakeFormat, open_file: Callable[[str, int], File]
    ) -> None:
        """Write files that `open_file` gives by path and attempt."""
        self._folder = f"{folder}/{contract.stream}"
        self._contract = contract
        self._form: LakeFormat = form
        self._open = open_file
        self._files: dict[str, _Open] = {}
        self._turn = asyncio.Lock()

    async def send(self, events: Sequence[Event]) -> Delivery:
        """Write the events' records; what can't be read, or does not fit a column, is refused.

        Raises SendFailed where storage did not take them in time or a later attempt writes the slice, and LoginRefused.
        """
        delivery = Delivery()
        async with self._turn:
            for name, group in _by_slice(events).items():
                match = _SLICE.fullmatch(name)
                if match is None:
                    delivery += _refused(group, f"its property slice is {name!r}, not <window id>/<n>.<attempt>")
                    continue
                try:
                    written = await asyncio.to_thread(self._append, self._file_of(match), group)
                except SendFailed as failure:
                    raise failure.after(delivery) from failure
                delivery += written
        return delivery

    def _file_of(self, match: re.Match[str]) -> "_Open":
        number = match["slice"].zfill(4) if match["slice"].isdigit() else match["slice"]
        path = f"{self._folder}/window={match['window']}/slice={number}/0000.{self._form}"
        key = f"{path}#{match['attempt']}"
        if key not in self._files:
            file = self._open(path, int(match["attempt"]))
            self._files[key] = _Open(path, file, new_file(self._contract, self._form))
        return self._files[key]

    def _append(self, open_file: "_Open", events: Sequence[Event]) -> Delivery:
        read = lines_of(events)
        added = open_file.content.add(read.lines)
        refused = Delivery(refusals=(*read.refusals, *added.refusals))
        if not added.rows:
            return refused
        try:
            open_file.file.append([added.block], added.tail)
        except Unavailable as failure:
            unknown = added.rows if open_file.file.may_be_written else 0
            raise SendFailed(
                f"{open_file.path}: {added.rows} records were not written, of which {unknown} may be stored: {failure}",
                refused + Delivery(unknown=unknown),
                kind=failure.kind,
                retry_after=failure.retry_after,
            ) from failure
        open_file.content = added.file
        return refused + Delivery(accepted=added.rows, events=read.events)


@dataclass(slots=True)
class _Open:
    path: str
    file: File
    content: Ndjson | Parquet


@dataclass(frozen=True, slots=True)
class BlobLake:
    """The container `lake` of a storage account; it is made when something is written to it and it is not there."""

    container: Container
    folder: str = field(default="landing")

    @contextlib.asynccontextmanager
    async def sender(self, contract: Contract, form: LakeFormat = "ndjson") -> AsyncIterator[LakeFiles]:
        """Lend a sender; it holds no connection of its own."""
        yield LakeFiles(self.folder, contract, form, lambda path, attempt: BlockFile(self.container, path, attempt))


def blob_lake(account: Account, retry: RetryPolicy | None = None) -> BlobLake:
    """Give the lake of an account."""
    return BlobLake(container_of(CONTAINER, account, retry))


def _by_slice(events: Sequence[Event]) -> dict[str, list[Event]]:
    groups: dict[str, list[Event]] = {}
    for event in events:
        groups.setdefault(str(event.properties.get("slice", "")), []).append(event)
    return groups


def _refused(events: Sequence[Event], reason: str) -> Delivery:
    return Delivery(refusals=(Refusal(sum(event.rows for event in events), f"an event was refused: {reason}"),))
