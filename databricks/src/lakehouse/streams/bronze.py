"""Bronze: every event as it came, exactly once for each (epoch of its hub, partition, sequence number)."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.lake.progress import Progress
from lakehouse.lake.tables import Lake
from lakehouse.request import Stream
from lakehouse.sources.reading import Mark, Reading, Source
from lakehouse.streams.bronze_batch import Part, holes_of, new_rows, parts_of
from lakehouse.streams.bronze_schema import BRONZE, KEY

logger = logging.getLogger(__name__)

type Hole = tuple[int, int]
"""The first and the last of sequence numbers that are missing."""


@dataclass(frozen=True, slots=True)
class BronzeProgress:
    """How far bronze has a stream, and what the pass did.

    last_sequence_numbers: up to which each partition of the hub's present epoch was gone through. rows_read: with those
    that bronze had already. bytes_read: of their bodies. holes: by partition, the numbers between what bronze has and
    what came that the hub no longer had; a partition's first event is expected to have number 0.
    """

    last_sequence_numbers: Mapping[str, int]
    rows_read: int = 0
    epoch: str = ""
    holes: Mapping[str, tuple[Hole, ...]] = field(default_factory=dict)
    bytes_read: int = field(default=0, compare=False)


def create_bronze_table(lake: Lake, stream: str) -> None:
    """Make `bronze.<stream>` where it is not there yet."""
    lake.create(f"bronze.{stream}", BRONZE, KEY, f"Events of the stream {stream} as they came from its hub.")


def run_bronze_pass(
    lake: Lake, source: Source, stream: Stream, checkpoint_root: str, known: BronzeProgress | None = None
) -> BronzeProgress:
    """Append to `bronze.<stream>` what the stream's hub has now and bronze has not, and say how far that is.

    checkpoint_root: the folder, volume or storage URL of all checkpoints; bronze's are in `bronze` under it. known:
    what this process's pass before gave, None at its first one. How far bronze is stands in its own commits, so a
    checkpoint that is lost, or is behind, doubles nothing.

    A stream's hub that was made anew (its epoch is later than bronze's) is read from its first event; what bronze had
    not read of the former one is gone, and a warning says so. Raises EventHubError where the hub can't be asked,
    StreamingQueryException with the source's own words where reading or the table fails; run again, the pass goes on
    where it was.
    """
    table = f"bronze.{stream.name}"
    create_bronze_table(lake, stream.name)
    hub = source.open(stream)
    state = _state(lake, table, hub.epoch, stream)
    reading = Reading(
        lake,
        stream,
        f"{checkpoint_root}/bronze",
        epoch=state.epoch,
        held=state.last,
        epochs=state.epochs,
        mark=state.mark,
        is_first=known is None,
    )
    state.go_through(hub.read(reading, state.take))
    for partition, holes in state.holes.items():
        logger.warning(
            "lakehouse.events_deleted_unread hub=%s epoch=%s partition=%s numbers=%s: the hub deleted them before they "
            "were read",
            *(stream.hub, state.epoch, partition, ", ".join(f"{first}-{last}" for first, last in holes)),
        )
    found = {partition: tuple(holes) for partition, holes in state.holes.items()}
    return BronzeProgress(dict(state.last), state.rows, state.epoch, found, state.size)


@dataclass(slots=True)
class _State:
    """How far bronze has a stream; grows with each batch, and is committed with it."""

    lake: Lake
    table: str
    epoch: str
    epochs: tuple[str, ...]
    last: dict[str, int]
    mark: Mark
    rows: int = 0
    size: int = 0
    holes: dict[str, list[Hole]] = field(default_factory=dict)

    def take(self, batch: DataFrame, mark: Mark) -> None:
        """Append those events of a batch that bronze has not."""
        batch = batch.persist(StorageLevel.MEMORY_AND_DISK)
        try:
            parts = parts_of(batch)
            found = holes_of(batch, [part for part in parts if part.epoch == self.epoch], self.last)
            last = self.last | {
                part.partition: max(self.last.get(part.partition, _BEFORE_THE_FIRST), part.last)
                for part in parts
                if part.epoch == self.epoch
            }
            self._commit(batch, parts, self._progress(last, {**self.mark, **mark}))
        finally:
            batch.unpersist()
        self.last.update(last)
        self.mark = {**self.mark, **mark}
        self.rows += sum(part.rows for part in parts)
        self.size += sum(part.size for part in parts)
        for partition, holes in found.items():
            self.holes.setdefault(partition, []).extend(holes)

    def go_through(self, reached: Mapping[str, int]) -> None:
        """Account for what the source went through beyond the last event that it found."""
        for partition, number in reached.items():
            last = self.last.get(partition, _BEFORE_THE_FIRST)
            if number > last:
                self.holes.setdefault(partition, []).append((last + 1, number))
                self.last[partition] = number
        self.lake.advance(self.table, self._progress(self.last, self.mark))

    def _commit(self, batch: DataFrame, parts: list[Part], progress: Progress) -> None:
        fresh = new_rows(self._in_session_of(batch), self.table, batch, parts, self._is_beyond)
        if fresh is None:
            self.lake.advance(self.table, progress)
        else:
            self.lake.append(self.table, fresh, progress)

    def _in_session_of(self, batch: DataFrame) -> Lake:
        return replace(self.lake, spark=batch.sparkSession)

    def _is_beyond(self, part: Part) -> bool:
        """Say whether all that a part has is beyond what bronze has: then there is no need to look."""
        return part.epoch == self.epoch and part.first > self.last.get(part.partition, _BEFORE_THE_FIRST)

    def _progress(self, last: Mapping[str, int], mark: Mark) -> Progress:
        own = {_EPOCH: self.epoch, _EPOCHS: json.dumps(self.epochs), _LAST: json.dumps(last, sort_keys=True)}
        return Progress(source={**mark, **own})


@dataclass(frozen=True, slots=True)
class Committed:
    """What bronze's newest commit says of how far it is. epoch: None where no commit says anything."""

    epoch: str | None
    epochs: tuple[str, ...]
    last: Mapping[str, int]
    mark: Mark


def committed_of(lake: Lake, table: str) -> Committed:
    """Read how far a bronze table is from its own commits."""
    source = dict(progress.source) if (progress := lake.progress(table)) else {}
    epoch = source.pop(_EPOCH, None)
    epochs, last = json.loads(source.pop(_EPOCHS, "[]")), json.loads(source.pop(_LAST, "{}"))
    return Committed(epoch, tuple(epochs), last, mark=source)


def _state(lake: Lake, table: str, epoch: str, stream: Stream) -> _State:
    """Say how far bronze is by its commits; by its rows where these do not say, or say it of a former hub.

    A hub never becomes older: a source that can't say its epoch, or was told a former one, means the one that is known.
    """
    committed = committed_of(lake, table)
    epoch = max(epoch, committed.epoch or "")
    if committed.epoch == epoch:
        return _State(lake, table, epoch, committed.epochs, dict(committed.last), committed.mark)
    if committed.epoch:
        logger.warning(
            "lakehouse.hub_made_anew stream=%s hub=%s created_at=%s former=%s: it is read from its first event, and "
            "events of the former hub that were not yet read are gone",
            *(stream.name, stream.hub, epoch, committed.epoch),
        )
    _give_epochs(lake, table, epoch)
    last = last_sequence_numbers(lake, table, epoch)
    return _State(lake, table, epoch, tuple(sorted({*committed.epochs, epoch})), last, committed.mark)


def _give_epochs(lake: Lake, table: str, epoch: str) -> None:
    """Give the rows their epoch that were read before this one was known: they came after the hub was created.

    Without it they would be there twice once the hub is read again, from its beginning, as one of this epoch. The time
    is compared to the second: Capture's times are no finer, and no hub is made anew within one.
    """
    began = F.date_trunc("second", F.lit(epoch or None).cast("timestamp"))  # null where unknown: then nothing belongs
    belongs = F.coalesce((F.col("enqueued_at") >= began) & ~F.col("epoch").eqNullSafe(epoch), F.lit(False))
    to_change = F.col("epoch").isNull() | belongs
    if not lake.read(table).where(to_change).isEmpty():
        known = F.when(belongs, F.lit(epoch)).otherwise(F.coalesce("epoch", F.lit("")))
        lake.update(table, to_change, {"epoch": known})


def last_sequence_numbers(lake: Lake, table: str, epoch: str) -> dict[str, int]:
    """Return each partition's last sequence number of an epoch in a bronze table; none of partitions without events."""
    rows = lake.read(table).where(F.col("epoch") == epoch)
    found = rows.groupBy("partition").agg(F.max("sequence_number").alias("last")).collect()
    return {row["partition"]: row["last"] for row in found}


_BEFORE_THE_FIRST = -1
_EPOCH, _EPOCHS, _LAST = "epoch", "epochs", "last"
