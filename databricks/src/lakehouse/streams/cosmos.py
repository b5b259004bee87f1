"""`silver.<stream>_cosmos`: what a container of Cosmos DB holds of a stream, by its change feed.

Where the feed goes on is committed with the rows that it is after: killed anywhere, the same items are merged again.
Items that time took from the container stay.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lakehouse.lake.progress import Progress
from lakehouse.lake.tables import Lake, differ, on_columns
from lakehouse.request import Container
from lakehouse.sources.cosmos.feed import ChangeFeed, ContinuationRefused, Item
from lakehouse.streams.bounds import Batch, summed_up, within
from lakehouse.streams.checking import checked, spark_schema
from lakehouse.streams.cleaning import cleaned, cleaned_column
from lakehouse.streams.contract import Contract
from lakehouse.streams.events import UNKNOWN
from lakehouse.streams.silver_tables import LINEAGE_COLUMNS, QUARANTINE
from lakehouse.streams.versions import Versions

logger = logging.getLogger(__name__)

_OF_ITEM = frozenset(
    {"_attachments", "_etag", "_rid", "_self", "_ts", "_lsn", "collectionType", "id", "ttl", "windowId", "metadata"}
)
"""What an item has beside its record: of Cosmos DB itself, or for it."""

_NO_KEY = "unk"
"""The partition key of an item whose record has a blank one (`contracts/transactions.v1.schema.json`)."""

_MOST_ITEMS = 20_000
_OPENED = pa.schema([("window_id", pa.string()), ("id", pa.string()), ("failure", pa.string()), ("body", pa.binary())])
_ID = T.StructField("id", T.StringType(), metadata={"comment": "The item's id."})


@dataclass(frozen=True, slots=True)
class CosmosTables:
    """The tables of a stream's container, by name."""

    stream: str

    @property
    def rows(self) -> str:
        """Name the table of its good records, one a key."""
        return f"silver.{self.stream}_cosmos"

    @property
    def quarantine(self) -> str:
        """Name the table of items that break the contract."""
        return f"silver.{self.stream}_cosmos_quarantine"


@dataclass(frozen=True, slots=True)
class CosmosSilver:
    """A stream's way from a container to silver. on_commit: called with the name of each table that was written."""

    lake: Lake
    versions: Versions
    container: Container
    feed: ChangeFeed
    on_commit: Callable[[str], None] = lambda _table: None

    @property
    def tables(self) -> CosmosTables:
        """Name its tables."""
        return CosmosTables(self.versions.stream)

    def prepare(self) -> None:
        """Make the tables where they are not there yet, and add the columns that they lack."""
        contract, kept = self.versions.newest, [QUARANTINE[name] for name in ("reason", "body", "quarantined_at")]
        window = LINEAGE_COLUMNS["window_id"]
        rows = T.StructType([*spark_schema(contract), *cleaned_column(contract), window])
        comment = f"Records of the stream {contract.stream} as Cosmos DB has them, one a key."
        self.lake.create(self.tables.rows, rows, (contract.event_time or contract.key[0], "window_id"), comment)
        self.lake.create(self.tables.quarantine, T.StructType([window, _ID, *kept]), ("window_id",))

    def run_pass(self) -> frozenset[str]:
        """Take in what changed in the container; gives the windows of these items. Raises ChangeFeedFailed."""
        try:
            return self._follow(self._continuation())
        except ContinuationRefused as error:
            logger.warning("lakehouse.change_feed_begun_anew stream=%s reason=%s", self.versions.stream, error)
            return self._follow("")

    def _follow(self, continuation: str) -> frozenset[str]:
        touched: frozenset[str] = frozenset()
        for items, goes_on in self._batches(continuation):
            touched |= self._take(items, goes_on)
        return touched

    def _batches(self, continuation: str) -> Iterator[tuple[Sequence[Item], str]]:
        """Gather pages: each batch is one commit."""
        gathered: list[Item] = []
        goes_on = continuation
        for page in self.feed.pages(continuation):
            gathered += page.items
            goes_on = page.continuation
            if len(gathered) >= _MOST_ITEMS:
                yield gathered, goes_on
                gathered = []
        if gathered or goes_on != continuation:
            yield gathered, goes_on

    def _take(self, items: Sequence[Item], goes_on: str) -> frozenset[str]:
        progress = Progress(source={"container": self._place, "continuation": goes_on})
        if not items:
            self.lake.advance(self.tables.rows, progress)
            return frozenset()
        contract = self.versions.newest
        found = self._records(items).persist(StorageLevel.MEMORY_AND_DISK)
        try:
            batch = summed_up(found, contract)
            if batch.bad:
                self._set_aside(found)
            self._merge(found.where(F.col("reason").isNull()), batch, progress)
        finally:
            found.unpersist()
        return batch.windows

    def _records(self, items: Sequence[Item]) -> DataFrame:
        default = next(one for one in self.versions.contracts if one.name == self.versions.default)
        opened = pa.Table.from_pylist([_opened(item, default) for item in _latest(items, default)], _OPENED)
        found = checked(self.lake.spark.createDataFrame(opened), default)
        return cleaned(self.versions.to_newest(found, default.version), self.versions.newest)

    def _merge(self, good: DataFrame, batch: Batch, progress: Progress) -> None:
        contract = self.versions.newest
        names = [name for name in contract.silver_columns if name in self.lake.read(self.tables.rows).columns]
        on = F.expr(on_columns(contract.key)) & within(batch, contract, "t.")
        merge = self.lake.delta(self.tables.rows).alias("t").merge(good.select(*names).alias("s"), on)
        merge = merge.whenMatchedUpdateAll(differ(names)).whenNotMatchedInsertAll()
        self.lake.merge(self.tables.rows, merge, progress)
        self.on_commit(self.tables.rows)

    def _set_aside(self, found: DataFrame) -> None:
        bad = found.where(F.col("reason").isNotNull()).withColumn("quarantined_at", F.current_timestamp())
        rows = bad.select("window_id", "id", "reason", "body", "quarantined_at").alias("s")
        merge = self.lake.delta(self.tables.quarantine).alias("t").merge(rows, "t.id = s.id")
        self.lake.merge(self.tables.quarantine, merge.whenMatchedUpdateAll().whenNotMatchedInsertAll())
        self.on_commit(self.tables.quarantine)

    @property
    def _place(self) -> str:
        return f"{self.container.database}/{self.container.name}"

    def _continuation(self) -> str:
        """Give where the feed goes on; another container is read from its beginning."""
        progress = self.lake.progress(self.tables.rows)
        source: Mapping[str, str] = progress.source if progress else {}
        return source.get("continuation", "") if source.get("container") == self._place else ""


def _latest(items: Sequence[Item], contract: Contract) -> list[Item]:
    """Keep of each key its latest version: a MERGE takes one row a key."""
    by_key = {json.dumps([item.get(name, [item.get("id")]) for name in contract.key]): item for item in items}
    return list(by_key.values())


def _opened(item: Item, contract: Contract) -> dict[str, object]:
    record = {name: value for name, value in item.items() if name not in _OF_ITEM - set(contract.columns)}
    if record.get(contract.partition_key) == _NO_KEY:
        record[contract.partition_key] = ""
    window = item.get("windowId")
    return {
        "window_id": window if isinstance(window, str) and window else UNKNOWN,
        "id": str(item.get("id", "")),
        "failure": None,
        "body": json.dumps(record).encode(),
    }
