"""What the lakehouse asks of a source of events: a pass over a hub, handed over batch by batch."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pyspark.sql import DataFrame

from lakehouse.lake.tables import Lake
from lakehouse.request import Stream

type Mark = Mapping[str, str]
"""What a source wants to know again at the next pass; it is committed together with the batch that it came with."""
type Take = Callable[[DataFrame, Mark], None]
"""Takes a batch of bronze's columns: it is committed when this returns. A batch may come again, and may be empty."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One pass over a stream's hub.

    checkpoints: the folder for the checkpoints of all streams. epoch: the hub's, empty where unknown. held: each
    partition's last sequence number that bronze has of this epoch; it grows as batches are taken. epochs: all that are
    known of the hub, the oldest first. mark: the last one that was committed. is_first: this process has not read
    the stream before, so another one may have left a batch that was begun and not committed. label: the name that the
    hub's events bear in bronze, empty for the hub that the stream had first.
    """

    lake: Lake
    stream: Stream
    checkpoints: str
    epoch: str
    held: Mapping[str, int]
    epochs: tuple[str, ...] = ()
    mark: Mark = field(default_factory=dict)
    is_first: bool = True
    label: str = ""


class OpenHub(Protocol):
    """A hub that can be read. Its state is that of the moment at which it was opened."""

    @property
    def epoch(self) -> str:
        """Say when the hub was created, as `epoch_of` writes it; empty where this source can't know."""
        ...

    def read(self, reading: Reading, take: Take) -> Mapping[str, int]:
        """Hand over all that the hub had when the pass began and bronze has not, in batches.

        Returns up to which sequence number each partition was gone through, also where the hub no longer had the
        events; nothing of the partitions for which the source can't say. Raises what Spark and the source raise.
        """
        ...


class Source(Protocol):
    """Opens the hubs of a namespace."""

    def open(self, stream: Stream) -> OpenHub:
        """Open the hub of a stream for one pass."""
        ...


@dataclass(frozen=True, slots=True)
class QueryEnd:
    """How a query ended. took: it handed over a batch. offset: the source's own words for how far it came, if any."""

    took: bool
    offset: Mapping[str, Any]


def run_query(events: DataFrame, reading: Reading, folder: str, take: Take) -> QueryEnd:
    """Run the query `bronze_<stream>` over what there is now, with its checkpoint in that folder.

    Where the hub's events bear its name, so does the query: `bronze_<stream>_<hub>`.
    """
    took = False

    def hand_over(batch: DataFrame, _number: int) -> None:
        nonlocal took
        took = True
        take(batch, {})

    name = "_".join(filter(None, ("bronze", reading.stream.name, reading.label)))
    writer = events.writeStream.queryName(name).foreachBatch(hand_over)
    query = writer.option("checkpointLocation", f"{reading.checkpoints}/{folder}").trigger(availableNow=True).start()
    query.awaitTermination()
    progress = query.lastProgress
    offset = json.loads(progress.json)["sources"][0]["endOffset"] if progress else None
    return QueryEnd(took, json.loads(offset) if isinstance(offset, str) else offset or {})
