"""Bronze: every event as it came, exactly once for each (hub, its epoch, partition, sequence number)."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.lake.progress import Progress
from lakehouse.lake.tables import Lake
from lakehouse.request import Stream, place_of
from lakehouse.sources.reading import Mark, OpenHub, Reading, Source
from lakehouse.streams.bronze_batch import Part, holes_of, new_rows, parts_of
from lakehouse.streams.bronze_schema import BRONZE, HUB, KEY_IN_HUB, of_hub
from lakehouse.streams.hub_progress import HubProgress, TableProgress

logger = logging.getLogger(__name__)

type Hole = tuple[int, int]
"""The first and the last of sequence numbers that are missing."""


@dataclass(frozen=True, slots=True)
class BronzeProgress:
    """How far bronze has a stream, and what the pass did.

    last_sequence_numbers: up to which each partition of the hub's present epoch was gone through; of a further hub by
    `lakehouse.request.place_of`, as holes are. rows_read: with those that bronze had already. bytes_read: of their
    bodies. epoch: of the stream's hub, the first of several. holes: by partition, the numbers between what bronze has
    and what came that the hub no longer had; a partition's first event is expected to have number 0.
    """

    last_sequence_numbers: Mapping[str, int]
    rows_read: int = 0
    epoch: str = ""
    holes: Mapping[str, tuple[Hole, ...]] = field(default_factory=dict)
    bytes_read: int = field(default=0, compare=False)


def create_bronze_table(lake: Lake, stream: str) -> None:
    """Make `bronze.<stream>` where it is not there yet."""
    lake.create(f"bronze.{stream}", BRONZE, KEY_IN_HUB, f"Events of the stream {stream} as they came from its hub.")


def run_bronze_pass(
    lake: Lake, source: Source, stream: Stream, checkpoint_root: str, known: BronzeProgress | None = None
) -> BronzeProgress:
    """Append to `bronze.<stream>` what the stream's hubs have now and bronze has not, and say how far that is.

    checkpoint_root: the folder, volume or storage URL of all checkpoints; bronze's are in `bronze` under it. known:
    what this process's pass before gave, None at its first one. How far bronze is stands in its own commits, so a
    checkpoint that is lost, or is behind, doubles nothing.

    Each hub is read from where bronze has it; one that the stream has no more is left as it is. A hub that was made
    anew (its epoch is later than bronze's) is read from its first event; what bronze had not read of the former one is
    gone, and a warning says so. Raises EventHubError where a hub can't be asked, StreamingQueryException with the
    source's own words where reading or the table fails; run again, the pass goes on where it was.
    """
    create_bronze_table(lake, stream.name)
    opened = [(each, source.open(each)) for each in stream.of_each_hub()]
    epochs = [(each.hub, hub.epoch) for each, hub in opened]
    checkpoints = f"{checkpoint_root}/bronze"
    found = {each.hub: _read_hub(lake, each, hub, epochs, checkpoints, is_first=known is None) for each, hub in opened}
    return _together(stream.hub, found)


def _read_hub(
    lake: Lake, stream: Stream, hub: OpenHub, epochs: Sequence[tuple[str, str]], checkpoints: str, *, is_first: bool
) -> BronzeProgress:
    """Read one hub. epochs: by name, of all hubs that are read beside it."""
    state = _state(lake, stream, hub.epoch, committed_of(lake, f"bronze.{stream.name}").reading(epochs))
    reading = Reading(
        lake,
        stream,
        checkpoints,
        epoch=state.epoch,
        held=state.last,
        epochs=state.epochs,
        mark=state.mark,
        is_first=is_first,
        label=state.label,
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


def _together(first: str, found: Mapping[str, BronzeProgress]) -> BronzeProgress:
    """Put the hubs of a stream together, each by its name; the partitions of the first one go without."""
    named = [("" if hub == first else hub, progress) for hub, progress in found.items()]
    return BronzeProgress(
        {place_of(hub, at): last for hub, one in named for at, last in one.last_sequence_numbers.items()},
        sum(one.rows_read for one in found.values()),
        found[first].epoch,
        {place_of(hub, at): holes for hub, one in named for at, holes in one.holes.items()},
        sum(one.bytes_read for one in found.values()),
    )


@dataclass(slots=True)
class _State:
    """How far bronze has a hub; grows with each batch, and is committed with it.

    label: the name that the hub's events bear. table_progress: of all hubs, as it was.
    """

    lake: Lake
    table: str
    label: str
    table_progress: TableProgress
    epoch: str
    epochs: tuple[str, ...]
    last: dict[str, int]
    mark: Mark
    rows: int = 0
    size: int = 0
    holes: dict[str, list[Hole]] = field(default_factory=dict)

    def take(self, batch: DataFrame, mark: Mark) -> None:
        """Append those events of a batch that bronze has not."""
        named = batch.withColumn(HUB, F.lit(self.label or None).cast("string"))
        batch = named.persist(StorageLevel.MEMORY_AND_DISK)
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
        held = self._in_session_of(batch).read(self.table).where(of_hub(self.label))
        fresh = new_rows(held, batch, parts, self._is_beyond)
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
        now = HubProgress(self.epoch, self.epochs, last, mark)
        return Progress(source=self.table_progress.having(self.label, now).as_source())


def committed_of(lake: Lake, table: str) -> TableProgress:
    """Read how far a bronze table is from its own commits."""
    progress = lake.progress(table)
    return TableProgress.of_source(progress.source) if progress else TableProgress()


def _state(lake: Lake, stream: Stream, epoch: str, found: TableProgress) -> _State:
    """Say how far bronze has a hub by its commits; by its rows where these do not say, or say it of a former hub.

    A hub never becomes older: a source that can't say its epoch, or was told a former one, means the one that is known.
    """
    table, label = f"bronze.{stream.name}", found.label_of(stream.hub)
    committed = found.of(label)
    epoch = max(epoch, committed.epoch or "")
    if committed.epoch == epoch:
        return _State(lake, table, label, found, epoch, committed.epochs, dict(committed.last), committed.mark)
    if committed.epoch:
        logger.warning(
            "lakehouse.hub_made_anew stream=%s hub=%s created_at=%s former=%s: it is read from its first event, and "
            "events of the former hub that were not yet read are gone",
            *(stream.name, stream.hub, epoch, committed.epoch),
        )
    last: dict[str, int] = {}
    if not lake.is_blank(table):
        _give_epochs(lake, table, label, epoch)
        last = last_sequence_numbers(lake, table, epoch, label)
    epochs = tuple(sorted({*committed.epochs, epoch}))
    return _State(lake, table, label, found, epoch, epochs, last, committed.mark)


def _give_epochs(lake: Lake, table: str, label: str, epoch: str) -> None:
    """Give the rows of a hub their epoch that were read before this one was known: they came after it was created.

    Without it they would be there twice once the hub is read again, from its beginning, as one of this epoch. The time
    is compared to the second: Capture's times are no finer, and no hub is made anew within one.
    """
    began = F.date_trunc("second", F.lit(epoch or None).cast("timestamp"))  # null where unknown: then nothing belongs
    belongs = F.coalesce((F.col("enqueued_at") >= began) & ~F.col("epoch").eqNullSafe(epoch), F.lit(False))
    to_change = of_hub(label) & (F.col("epoch").isNull() | belongs)
    if not lake.read(table).where(to_change).isEmpty():
        known = F.when(belongs, F.lit(epoch)).otherwise(F.coalesce("epoch", F.lit("")))
        lake.update(table, to_change, {"epoch": known})


def last_sequence_numbers(lake: Lake, table: str, epoch: str, label: str = "") -> dict[str, int]:
    """Return each partition's last sequence number of an epoch in a bronze table; none of partitions without events.

    label: the name that the hub's events bear.
    """
    rows = lake.read(table).where(of_hub(label) & (F.col("epoch") == epoch))
    found = rows.groupBy("partition").agg(F.max("sequence_number").alias("last")).collect()
    return {row["partition"]: row["last"] for row in found}


_BEFORE_THE_FIRST = -1
