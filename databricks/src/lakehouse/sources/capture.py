"""Events out of the Avro files that Event Hubs Capture writes.

They are read in batches, not by a streaming query: a stream takes a file that is still being written as it is, and
never looks at it again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.lake.tables import Lake
from lakehouse.request import Stream
from lakehouse.sources.capture_format import CaptureFormat, parse_capture_format
from lakehouse.sources.configuration import EVENT_HUBS_CAPTURE_FORMAT, SourceConfig
from lakehouse.sources.epoch import epoch_of
from lakehouse.sources.reading import Reading, Take
from lakehouse.streams.bronze_schema import as_bronze

EVENT_HUBS_LAYOUT = parse_capture_format(EVENT_HUBS_CAPTURE_FORMAT)
type Now = Callable[[], datetime]


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class CaptureSource:
    """A hub's files lie under `root` at the places that the format says.

    Capture writes the time at which an event was enqueued to the second.
    """

    root: str
    layout: CaptureFormat = EVENT_HUBS_LAYOUT
    settle: timedelta = timedelta(seconds=60)
    max_files_a_batch: int = 200
    now: Now = _utc_now

    @classmethod
    def of(cls, config: SourceConfig) -> "CaptureSource":
        """Read under the configuration's `capture_root`; raises SourceRefused for an invalid field."""
        config.need("capture_root", "capture_format")
        config.need_positive("max_files_a_batch")
        layout = parse_capture_format(config.capture_format)
        return cls(config.capture_root.rstrip("/"), layout, config.capture_settle, config.max_files_a_batch)

    def open(self, stream: Stream) -> "CapturedHub":
        """Take the stream's word for when its hub was created: the files do not say it."""
        return CapturedHub(self, stream.hub, epoch_of(stream.created_at))


@dataclass(frozen=True, slots=True)
class CapturedFile:
    """A file and when it was last changed, in milliseconds since 1970."""

    path: str
    changed: int


@dataclass(frozen=True, slots=True)
class CapturedHub:
    """The files of one hub, of this epoch and of former ones.

    An event belongs to the newest epoch known of the stream that had begun when it was enqueued; to the unknown one
    where it is older than all of them. So it gets the same epoch however often its file is read.
    """

    source: CaptureSource
    hub: str
    epoch: str

    def read(self, reading: Reading, take: Take) -> Mapping[str, int]:
        """Take the files that were changed since the last pass, and long enough ago to be whole.

        The mark `changed_before` says: all files that were changed before that moment (milliseconds) are taken. A file
        of 0 bytes was begun and not written: it comes when it is, for that changes it.
        """
        until = _milliseconds(self.source.now() - self.source.settle)
        files = self._files(reading.lake, int(reading.mark.get(_MARK, 0)), until)
        for batch, mark in batches_of(files, self.source.max_files_a_batch, until):
            take(self._events(reading, batch), {_MARK: str(mark)})
        return {}

    def _files(self, lake: Lake, since: int, until: int) -> list[CapturedFile]:
        """List the hub's files in the order of their last change; their content is not read for it."""
        reader = lake.spark.read.format("binaryFile").option("recursiveFileLookup", "true")
        reader = reader.option("pathGlobFilter", "*.avro").option("timeZone", "UTC")
        reader = reader.option("modifiedBefore", _instant(until))
        reader = reader.option("modifiedAfter", _instant(since - 1)) if since else reader
        place = self.source.layout.pattern(self.hub)
        changed = F.unix_millis("modificationTime").alias("changed")
        try:
            found = reader.load(f"{self.source.root}/{self.source.layout.glob(self.hub)}")
            rows = found.where((F.col("length") > 0) & F.col("path").rlike(place)).select("path", changed).collect()
        except AnalysisException as error:
            if error.getCondition() != "PATH_NOT_FOUND":  # Capture makes the folder with its first file
                raise
            return []
        return sorted((CapturedFile(*row) for row in rows), key=lambda file: (file.changed, file.path))

    def _events(self, reading: Reading, files: Sequence[CapturedFile]) -> DataFrame:
        reader = reading.lake.spark.read.format("avro").schema(_COLUMNS).option("avroSchema", _READER_SCHEMA)
        rows = reader.load([file.path for file in files])
        partition = F.regexp_extract(F.col("_metadata.file_path"), self.source.layout.pattern(self.hub), 1)
        return as_bronze(_arrived(rows, partition).withColumn("epoch", _epoch(reading.epochs)))


def batches_of(files: Sequence[CapturedFile], most: int, until: int) -> Iterator[tuple[Sequence[CapturedFile], int]]:
    """Cut files, the oldest change first, into batches, each with the moment before which all is taken then."""
    for begin in range(0, len(files), most):
        rest = files[begin + most :]
        yield files[begin : begin + most], rest[0].changed if rest else until


def _arrived(captured: DataFrame, partition: Column) -> DataFrame:
    return captured.select(
        F.col("Body").alias("body"),
        partition.alias("partition"),
        F.col("Offset").alias("offset"),
        F.col("SequenceNumber").alias("sequence_number"),
        F.to_timestamp(F.concat("EnqueuedTimeUtc", F.lit(" Z")), _US_TIME).alias("enqueued_at"),
        _text(F.col("SystemProperties").getItem("x-opt-partition-key")).alias("partition_key"),
        F.transform_values("Properties", lambda _, value: _text(value)).alias("properties"),
    )


def _epoch(epochs: Sequence[str]) -> Column:
    """Choose the newest epoch that had begun, compared to the second as Capture writes it."""

    def later(older: Column, epoch: str) -> Column:
        began = F.date_trunc("second", F.lit(epoch).cast("timestamp"))
        return F.when(F.col("enqueued_at") >= began, F.lit(epoch)).otherwise(older)

    return reduce(later, filter(None, epochs), F.lit(""))


def _text(value: Column) -> Column:
    """Spell whichever of the union's types is there."""
    return F.coalesce(*(value.getField(f"member{n}").cast("string") for n in range(4)))


def _milliseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)


def _instant(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


_MARK = "changed_before"
_US_TIME = "M/d/yyyy h:mm:ss a X"
_VALUE = "struct<member0: bigint, member1: double, member2: string, member3: binary>"
_COLUMNS = (
    "SequenceNumber bigint, Offset string, EnqueuedTimeUtc string, "
    f"SystemProperties map<string, {_VALUE}>, Properties map<string, {_VALUE}>, Body binary"
)
_READER_SCHEMA = """
{
  "type": "record",
  "name": "EventData",
  "namespace": "Microsoft.ServiceBus.Messaging",
  "fields": [
    {"name": "SequenceNumber", "type": "long"},
    {"name": "Offset", "type": "string"},
    {"name": "EnqueuedTimeUtc", "type": "string"},
    {"name": "SystemProperties", "type": {"type": "map", "values": ["long", "double", "string", "bytes", "null"]}},
    {"name": "Properties", "type": {"type": "map", "values": ["long", "double", "string", "bytes", "null"]}},
    {"name": "Body", "type": ["null", "bytes"]}
  ]
}
"""
