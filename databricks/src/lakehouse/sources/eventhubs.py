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

from lakehouse.streams.bronze_schema import ARRIVED, as_bronze
from lakehouse.sources.configuration import SourceConfig
from lakehouse.sources.hub import Head, Hub

type Offset = dict[str, Any]
"""`{"created": <ISO time>, "last": {<partition>: <sequence number>}}`: what has been read of which hub."""


class CheckpointOfAnotherHub(Exception):
    """A checkpoint's positions belong to a hub of this name that is gone; its events look like these."""


@dataclass(frozen=True, slots=True)
class EventHubsSource:
    """Hubs, read with a service principal's login."""

    config: SourceConfig

    @classmethod
    def of(cls, config: SourceConfig) -> "EventHubsSource":
        """Take the login of the configuration; raises SourceRefused for an empty field."""
        config.need("namespace", "tenant_id", "client_id", "client_secret")
        return cls(config)

    def events(self, spark: SparkSession, hub: str) -> DataFrame:
        """Return the hub's events, one Spark partition for each of the hub's."""
        spark.dataSource.register(EventHubsDataSource)
        given = {one.name: str(getattr(self.config, one.name)) for one in fields(Hub) if one.name != "name"}
        return as_bronze(spark.readStream.format("eventhubs").options(name=hub, **given).load())


class EventHubsDataSource(DataSource):
    """Spark's format `eventhubs`; its options are the fields of `Hub`, and Spark redacts the secret in its plans."""

    @classmethod
    def name(cls) -> str:
        """Name the format."""
        return "eventhubs"

    def schema(self) -> StructType:
        """Give bronze's columns but the time of ingestion."""
        return ARRIVED

    def streamReader(self, schema: StructType) -> DataSourceStreamReader:  # noqa: ARG002, N802 (Spark's own names)
        """Make the reader of a stream."""
        return HubStreamReader(Hub(**{one.name: self.options.get(one.name, "") for one in fields(Hub)}))


@dataclass(frozen=True, slots=True)
class OffsetRange(InputPartition):
    """What one task reads: the events of a partition after one sequence number up to another."""

    partition: str
    after: int
    last: int


class HubStreamReader(DataSourceStreamReader):
    """Offers what lies between what was read and the head of the hub at the time; keeps nothing between batches.

    It sets no limit of rows: in Spark 4.1 such a limit ends an `availableNow` query after one batch of that size.
    """

    def __init__(self, hub: Hub, ask: Callable[[Hub, Collection[str]], Head] | None = None) -> None:
        """Prepare; the hub is asked, by `ask` or by the client, when Spark first wants to know."""
        self._hub = hub
        self._head_of = ask or _head_of
        self._known: Offset | None = None
        self._is_checked = False

    def initialOffset(self) -> Offset:  # noqa: N802 (Spark's own name)
        """Begin before the first event that the hub keeps; Spark mostly has asked for the latest offset just before."""
        known = self._known or self.latestOffset()
        return {"created": known["created"], "last": dict.fromkeys(known["last"], _BEFORE_THE_FIRST)}

    def latestOffset(self) -> Offset:  # noqa: N802 (Spark's own name)
        """Go as far as the hub is now; raises CheckpointOfAnotherHub where it was made anew meanwhile."""
        head = self._ask()
        return {"created": head.created, "last": dict(head.last)}

    def partitions(self, start: Offset, end: Offset) -> Sequence[OffsetRange]:
        """Cut what lies in (start, end] into one range for each partition that has any of it.

        After a restart Spark calls it with the checkpoint's last offset twice, then for a batch that was not
        committed, and only then asks for the latest offset. Raises CheckpointOfAnotherHub.
        """
        self._known = self._known or end
        if start != end and not self._is_checked:
            self._ask()
        begun: Mapping[str, int] = start["last"]
        ranges = (OffsetRange(name, begun.get(name, _BEFORE_THE_FIRST), last) for name, last in end["last"].items())
        return [one for one in ranges if one.after < one.last]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """Read one range; this runs in a Python worker of its own."""
        from lakehouse.sources.hub_client import events_of  # noqa: PLC0415 (see above)
        from lakehouse.sources.hub_events import columns_of  # noqa: PLC0415

        assert isinstance(partition, OffsetRange)  # noqa: S101 (Spark hands back what `partitions` gave)
        for events in events_of(self._hub, partition.partition, partition.after, partition.last):
            yield columns_of(events, partition.partition)

    def _ask(self) -> Head:
        head = self._head_of(self._hub, tuple(self._known["last"]) if self._known else ())
        self._known = self._known or {"created": head.created, "last": dict(head.last)}
        if head.created != self._known["created"]:
            raise CheckpointOfAnotherHub(
                f"the checkpoint was made with the hub {self._hub.name!r} created at {self._known['created']}; the hub "
                f"of that name now was created at {head.created} and numbers its events anew: delete the checkpoint, "
                f"or give the job another checkpoint_root"
            )
        self._is_checked = True
        return head


def _head_of(hub: Hub, known: Collection[str]) -> Head:
    from lakehouse.sources.hub_client import head_of  # noqa: PLC0415 (see above)

    return head_of(hub, known)


_BEFORE_THE_FIRST = -1
