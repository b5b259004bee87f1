"""Bronze of a stream whose records come as Parquet files that a table was exported to, not from a hub.

Every record of every file comes in once: which files are in stands in the commits of bronze's own table. A file is one
event of many records, in bronze's one shape, so silver takes it as any stream's.
"""

import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from lakehouse.lake.progress import Progress
from lakehouse.lake.tables import Lake
from lakehouse.reference import ReferenceStore, StoredFile
from lakehouse.streams.bronze_schema import BRONZE
from lakehouse.streams.contract import Contract
from lakehouse.streams.events import Property
from lakehouse.streams.export_lines import LINES_OF_KIND, UnreadableExport, columns_of

logger = logging.getLogger(__name__)

SETTLE: Final = timedelta(minutes=1)
"""After so long without a change an unreadable file is not one that is still being written."""

_OVERLAP: Final = timedelta(minutes=10)
"""So far behind the newest file that was taken another one may still appear: clocks of storage are no finer."""

_ROWS: Final = 20_000  # of an event, which is in memory as a whole
_BYTES: Final = 32 * 1024 * 1024  # of the events of one commit
_NAME: Final = re.compile(r"[0-9]+-([0-9]{1,20})(_[0-9]+)?[.]parquet")


@dataclass(frozen=True, slots=True)
class Taken:
    """Which files of a folder are in bronze.

    through: the newest change of any of them, in microseconds. near: by path, the change of those not long before.
    """

    through: int = 0
    near: Mapping[str, int] = field(default_factory=dict)

    def has(self, file: StoredFile) -> bool:
        """Say whether a file as it is now is in bronze; one that was written again is not."""
        changed = _micros(file.changed)
        return changed < self.through - _OVERLAP_MICROS or self.near.get(file.path, -1) == changed

    def having(self, files: Sequence[StoredFile]) -> "Taken":
        """Give the same with further files."""
        near = {**self.near, **{file.path: _micros(file.changed) for file in files}}
        through = max(self.through, *near.values())
        return Taken(through, {path: at for path, at in near.items() if at >= through - _OVERLAP_MICROS})

    def as_source(self) -> dict[str, str]:
        """Write it for a commit."""
        return {"exported_through": str(self.through), "exported_files": json.dumps(dict(self.near), sort_keys=True)}

    @classmethod
    def of_source(cls, source: Mapping[str, str]) -> "Taken":
        """Read what `as_source` wrote."""
        return cls(int(source.get("exported_through", 0)), json.loads(source.get("exported_files", "{}")))


@dataclass(frozen=True, slots=True)
class ExportPass:
    """What a pass took. refused: by path, why a file could not be read; its event says so in quarantine."""

    files: int = 0
    records: int = 0
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Batch:
    files: list[StoredFile] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def size(self) -> int:
        return sum(len(event["body"]) for event in self.events)


def run_export_pass(lake: Lake, store: ReferenceStore, folder: str, contract: Contract, now: datetime) -> ExportPass:
    """Append to `bronze.<stream>` the files that it has not, the oldest change first; raises StoreFailed.

    A file that can't be read is told, and left behind as an event that breaks every contract: it stops no other. Killed
    anywhere, the next pass goes on with the files whose commit is missing.
    """
    table = f"bronze.{contract.stream}"
    progress = lake.progress(table)
    taken = Taken.of_source(progress.source if progress else {})
    there = (one for one in store.files(folder) if not _is_hidden(one) and not taken.has(one))
    new = sorted(there, key=lambda one: (one.changed, one.path))
    files, records = 0, 0
    refused: dict[str, str] = {}
    for batch in _batches(store, new, contract, now, refused):
        taken = taken.having(batch.files)
        _commit(lake, table, batch, Progress(source=taken.as_source()))
        files += len(batch.files)
        records += sum(int(event["properties"].get(Property.ROWS, 0)) for event in batch.events)
    return ExportPass(files, records, refused)


def _commit(lake: Lake, table: str, batch: _Batch, progress: Progress) -> None:
    if not batch.events:
        lake.advance(table, progress)
        return
    rows = [tuple(event[name] for name in BRONZE.names) for event in batch.events]
    lake.append(table, lake.spark.createDataFrame(rows, BRONZE), progress)


def _batches(
    store: ReferenceStore, new: Sequence[StoredFile], contract: Contract, now: datetime, refused: dict[str, str]
) -> Iterator[_Batch]:
    """Gather files: each batch is one commit. One that may still be written holds up those behind it, for a minute."""
    batch = _Batch()
    for file in new:
        try:
            batch.events += events_of(file, store.read(file.path), contract, now)
        except UnreadableExport as error:
            if now - file.changed < SETTLE:
                break
            logger.warning("lakehouse.export_refused file=%s reason=%s", file.path, error)
            refused[file.path] = str(error)
            batch.events.append(_refusal(file, str(error), contract, now))
        batch.files.append(file)
        if batch.size >= _BYTES:
            yield batch
            batch = _Batch()
    if batch.files:
        yield batch


def events_of(file: StoredFile, content: bytes | None, contract: Contract, now: datetime) -> list[dict[str, Any]]:
    """Read a file as events of some thousand records each; none where it has no rows. Raises UnreadableExport.

    The newest version of a row is that of the last change: `sequence_number` is the change up to which the file goes,
    by its name (`<from>-<to>.parquet`); 0 where it is called otherwise.
    """
    if not content:
        raise UnreadableExport("the file is empty" if content == b"" else "the file is gone")
    bodies = []
    for rows in _parts(content):
        columns = columns_of(rows, contract)
        texts = [LINES_OF_KIND[kind](name, values.to_pylist()) for name, kind, values in columns]
        bodies.append("".join("{" + ",".join(filter(None, cells)) + "}\n" for cells in zip(*texts, strict=True)))
    counted = ((part, body, body.count("\n")) for part, body in enumerate(bodies))
    return [
        _event(file, part, body.encode(), {Property.ROWS: str(rows)}, contract, now) for part, body, rows in counted
    ]


def _parts(content: bytes) -> Iterator[pa.Table]:
    try:
        opened = pq.ParquetFile(BytesIO(content))
        for batch in opened.iter_batches(_ROWS):
            yield pa.Table.from_batches([batch])
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, UnreadableExport):
            raise
        raise UnreadableExport(f"it is no Parquet file that can be read: {type(error).__name__}") from error


def _refusal(file: StoredFile, reason: str, contract: Contract, now: datetime) -> dict[str, Any]:
    """Make an event that breaks every closed contract, and whose body tells in quarantine what it stands for."""
    return _event(file, 0, json.dumps({"file": file.path, "reason": reason}).encode(), {}, contract, now)


def _event(
    file: StoredFile, part: int, body: bytes, properties: Mapping[str, str], contract: Contract, now: datetime
) -> dict[str, Any]:
    named = _NAME.fullmatch(file.path.rpartition("/")[2])
    return {
        "body": body,
        "partition": f"{file.path}#{part}" if part else file.path,
        "offset": str(part * _ROWS),
        "sequence_number": min(int(named[1]), _LARGEST) if named else 0,
        "enqueued_at": file.changed,
        "partition_key": None,
        "properties": {Property.CONTRACT.value: contract.name, **{str(key): text for key, text in properties.items()}},
        "epoch": file.changed.astimezone(UTC).isoformat(timespec="milliseconds"),
        "ingested_at": now,
        "hub": None,
    }


def _is_hidden(file: StoredFile) -> bool:
    """Say whether a file is a note of whoever wrote the others, as `_SUCCESS`, by Hadoop's custom."""
    return file.path.rpartition("/")[2].startswith(("_", "."))


def _micros(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OVERLAP_MICROS = _OVERLAP // timedelta(microseconds=1)
_LARGEST = 2**63 - 1
