"""Events by AMQP through Microsoft's own client, as a Python data source of Spark: the way in on one machine.

The client is imported where it is used: jobs that read another source run without it, and Spark starts Python
processes that only ask for the schema.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.datasource import DataSource, DataSourceStreamReader, InputPartition
from pyspark.sql.types import StructType

from lakehouse.request import Stream
from lakehouse.sources.configuration import SourceConfig
from lakehouse.sources.epoch import epoch_of, folder_of
from lakehouse.sources.hub import Head, Hub
from lakehouse.sources.reading import Reading, Take, run_query
from lakehouse.streams.bronze_schema import ARRIVED, as_bronze

type Offset = dict[str, Any]
"""`{"created": <ISO time>, "last": {<partition>: <sequence number>}}`: what has been read of which hub."""
type AskForHead = Callable[[Hub, Collection[str]], Head]


@dataclass(frozen=True, slots=True)
class EventHubsSource:
    """Hubs, read with a service principal's login. ask: how a hub is asked how far it is; by the client."""

    config: SourceConfig
    ask: AskForHead | None = None

    @classmethod
    def of(cls, config: SourceConfig) -> "EventHubsSource":
        """Take the login of the configuration; raises SourceRefused for an invalid field."""
        config.need("namespace", "tenant_id", "client_id", "client_secret")
        config.need_positive("max_events_a_batch")
        return cls(config)

    def open(self, stream: Stream) -> "OpenEventHub":
        """Ask the hub when it was created and how far it is: an open hub ends there, whatever comes meanwhile."""
        login = {one.name: getattr(self.config, one.name) for one in fields(Hub) if one.name != "name"}
        hub = Hub(stream.hub, **login)
        return OpenEventHub(hub, (self.ask or _head_of)(hub, ()), self.config.max_events_a_batch)


@dataclass(frozen=True, slots=True)
class OpenEventHub:
    """A hub as far as its head was."""

    hub: Hub
    head: Head
    max_events_a_batch: int

    @property
    def epoch(self) -> str:
        """Give the hub's own word."""
        return self.head.epoch

    def read(self, reading: Reading, take: Take) -> Mapping[str, int]:
        """Run queries of one batch each, until the head is reached or one of them finds nothing to do.

        A query repeats a batch that was begun and not committed before all else; the next one goes on from there. The
        hub's offsets name its epoch, so one checkpoint serves all epochs.
        """
        reached: Mapping[str, int] = {}
        while any(last > reading.held.get(partition, _BEFORE_THE_FIRST) for partition, last in self.head.last.items()):
            events = as_bronze(self.events(reading.lake.spark))
            end = run_query(events, reading, folder_of(reading.stream.name, reading.label), take)
            is_of_this_hub = end.offset.get("created") == self.epoch
            reached = end.offset["last"] if is_of_this_hub else {}
            if not end.took:
                break
        return reached

    def events(self, spark: SparkSession) -> DataFrame:
        """Give a streaming frame of the hub's events, of which a query takes one batch."""
        spark.dataSource.register(EventHubsDataSource)
        given = {one.name: str(getattr(self.hub, one.name)) for one in fields(Hub)}
        limits = {"head": self.head.to_text(), "limit": str(self.max_events_a_batch)}
        return spark.readStream.format("eventhubs").options(**given, **limits).load()


class EventHubsDataSource(DataSource):
    """Spark's format `eventhubs`.

    Its options are the fields of `Hub` (Spark redacts the secret in its plans), `head` (`Head.to_text`): up to where
    the query reads, and `limit`: the most events of its batch.
    """

    @classmethod
    def name(cls) -> str:
        """Name the format."""
        return "eventhubs"

    def schema(self) -> StructType:
        """Give bronze's columns but the time of ingestion."""
        return ARRIVED

    def streamReader(self, schema: StructType) -> DataSourceStreamReader:  # noqa: ARG002, N802 (Spark's own names)
        """Make the reader of a stream."""
        hub = Hub(**{one.name: self.options.get(one.name, "") for one in fields(Hub)})
        return HubStreamReader(hub, Head.of_text(self.options["head"]), int(self.options["limit"]))


@dataclass(frozen=True, slots=True)
class OffsetRange(InputPartition):
    """What one task reads: the events of a partition after one sequence number up to another."""

    partition: str
    after: int
    last: int


class HubStreamReader(DataSourceStreamReader):
    """Offers a batch of what lies between what was read and a head that was asked for before.

    In Spark 4.1 an `availableNow` query asks a Python source for its latest offset once: a limit makes it end after one
    batch, so the query is run again for the next (`OpenEventHub.read`).
    """

    def __init__(self, hub: Hub, head: Head, limit: int) -> None:
        """Prepare. limit: the most events of a batch, over all partitions."""
        self._hub = hub
        self._head = head
        self._limit = limit
        self._known: Offset | None = None

    def initialOffset(self) -> Offset:  # noqa: N802 (Spark's own name)
        """Begin before the first event of all."""
        return self._offset(dict.fromkeys(self._head.last, _BEFORE_THE_FIRST))

    def latestOffset(self) -> Offset:  # noqa: N802 (Spark's own name)
        """Go as far as the limit allows; a hub made anew is read from its beginning."""
        begun = self._read_of_this_hub(self._known or self.initialOffset())
        starts = {name: self._start(name, begun) for name in self._head.last}
        waiting = [name for name, last in self._head.last.items() if last > starts[name]]
        share = max(1, self._limit // max(1, len(waiting)))
        return self._offset({name: min(last, starts[name] + share) for name, last in self._head.last.items()})

    def partitions(self, start: Offset, end: Offset) -> Sequence[OffsetRange]:
        """Cut what lies in (start, end] into one range for each partition that still has any of it.

        After a restart Spark calls it with the checkpoint's last offset twice, then for a batch that was not
        committed, and only then asks for the latest offset. What a batch of a former hub had is gone with that hub.
        """
        self._known = end
        begun, ended = self._read_of_this_hub(start), self._read_of_this_hub(end)
        ranges = (OffsetRange(name, self._start(name, begun), last) for name, last in ended.items())
        return [one for one in ranges if one.after < one.last]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """Read one range; this runs in a Python worker of its own."""
        from lakehouse.sources.hub_client import events_of  # noqa: PLC0415 (see above)
        from lakehouse.sources.hub_events import columns_of  # noqa: PLC0415

        assert isinstance(partition, OffsetRange)  # noqa: S101 (Spark hands back what `partitions` gave)
        epoch = self._head.epoch
        for events in events_of(self._hub, partition.partition, partition.after, partition.last, epoch):
            yield columns_of(events, partition.partition, epoch)

    def _offset(self, last: Mapping[str, int]) -> Offset:
        return {"created": self._head.epoch, "last": dict(last)}

    def _read_of_this_hub(self, offset: Offset) -> Mapping[str, int]:
        """Give the positions of an offset; none where they are of a hub that is gone."""
        return offset["last"] if epoch_of(offset["created"]) == self._head.epoch else {}

    def _start(self, partition: str, begun: Mapping[str, int]) -> int:
        """Pass over what retention has dropped."""
        return max(begun.get(partition, _BEFORE_THE_FIRST), self._head.first.get(partition, 0) - 1)


def _head_of(hub: Hub, known: Collection[str]) -> Head:
    from lakehouse.sources.hub_client import head_of  # noqa: PLC0415 (see above)

    return head_of(hub, known)


_BEFORE_THE_FIRST = -1
