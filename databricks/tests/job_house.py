"""A small lakehouse for a test: real Spark, real Delta and a SQLite file; events lie in a folder, not in a hub."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import to_arrow_schema

from lakehouse.building import Outside, assemble
from lakehouse.chain import Chain
from lakehouse.lake.naming import LAYERS, Names
from lakehouse.lake.tables import Lake
from lakehouse.personal_data import PiiKeys
from lakehouse.reference import StoredFile
from lakehouse.request import RunRequest, Stream
from lakehouse.sinks.jdbc import database
from lakehouse.sinks.lengths import length_of
from lakehouse.sinks.sql import SqlSink
from lakehouse.sources.cosmos.fake import FakeChangeFeed
from lakehouse.sources.reading import OpenHub, Reading, Take, run_query
from lakehouse.streams.bronze_schema import ARRIVED, as_bronze

WINDOW = "trades-20261122T100000Z"
START = datetime(2026, 11, 22, 10, tzinfo=UTC)
LOOKUP = f"assets/{WINDOW}.parquet"


def run_request(*streams: str, **changes: Any) -> RunRequest:
    """What a run of these streams, of trades alone if none is named, is asked to do."""
    streams = streams or ("trades",)
    feed = "trades" if streams[0] == "trades" else "payments"
    request = RunRequest(
        feed=feed,
        window_id=WINDOW.replace("trades", feed),
        start=START,
        end=START + timedelta(minutes=1),
        streams=tuple(Stream(stream, f"hub-of-{stream}", f"{stream}/1") for stream in streams),
        lookups={"assets": LOOKUP} if feed == "trades" else {},
        grace=timedelta(seconds=30),
        drain_limit=timedelta(minutes=10),
    )
    return replace(request, **changes)


class StoppedClock:
    """Time that passes by sleeping alone."""

    def __init__(self, now: datetime) -> None:
        self.time = now
        self.slept: list[float] = []
        self.on_sleep: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)
        self.on_sleep()


@dataclass(frozen=True)
class FolderSource:
    """Events that lie as Parquet files in a folder."""

    folder: Path

    def open(self, stream: Stream) -> OpenHub:
        return OpenFolder(self.folder / stream.hub)


@dataclass(frozen=True)
class OpenFolder:
    folder: Path
    epoch: str = ""

    def read(self, reading: Reading, take: Take) -> Mapping[str, int]:
        events = reading.lake.spark.readStream.schema(ARRIVED).parquet(str(self.folder))
        run_query(as_bronze(events), reading, self.folder.name, take)
        return {}


class DictReference:
    """A reference store in memory."""

    def __init__(self) -> None:
        self.documents: dict[str, bytes] = {}
        self.changed: dict[str, datetime] = {}
        self.failure: Exception | None = None

    def read(self, path: str) -> bytes | None:
        return self.documents.get(path)

    def write(self, path: str, content: bytes, changed: datetime = START) -> None:
        self.documents[path] = content
        self.changed[path] = changed

    def files(self, folder: str) -> list[StoredFile]:
        if self.failure is not None:
            raise self.failure
        return [
            StoredFile(path, self.changed.get(path, START)) for path in self.documents if path.startswith(f"{folder}/")
        ]


@dataclass
class House:
    """Puts events in, makes the chain, and looks at what came out."""

    spark: SparkSession
    folder: Path
    reference: DictReference = field(default_factory=DictReference)
    files: DictReference = field(default_factory=DictReference)
    clock: StoppedClock = field(default_factory=lambda: StoppedClock(START))
    sent: dict[str, dict[str, int]] = field(default_factory=dict)
    change_feed: FakeChangeFeed = field(default_factory=FakeChangeFeed)
    pii_keys: PiiKeys | None = None
    lake: Lake = field(init=False)

    def __post_init__(self) -> None:
        self.reference.documents[LOOKUP] = lookup(["BTC", "ETH"])
        self.lake = Lake(self.spark, Names(schema_prefix=f"{self.folder.name.replace('-', '_')}_"))
        for layer in LAYERS:
            place = (self.folder / "lake" / layer).absolute().as_uri()
            self.spark.sql(f"CREATE SCHEMA IF NOT EXISTS {self.lake.names.schema(layer)} LOCATION '{place}'")

    @property
    def database(self) -> Path:
        return self.folder / "sql.db"

    request = staticmethod(run_request)

    def chain(
        self, request: RunRequest | None = None, *, on_stage_done: Callable[[str], None] = lambda stage: None
    ) -> Chain:
        """A chain of a process of its own: it knows of the tables what they say."""
        self.lake = Lake(self.spark, self.lake.names)
        sql = self.sink()
        checkpoints = str(self.folder / "checkpoints")
        source = FolderSource(self.folder / "hub")
        outside = Outside(
            source,
            checkpoints,
            self.reference,
            self.files,
            sql,
            publisher=sql,
            pii_keys=self.pii_keys,
            change_feed=lambda _: self.change_feed,
        )
        return assemble(self.lake, request or self.request(), outside, on_stage_done)

    def sink(self) -> SqlSink:
        target = database(f"jdbc:sqlite:{self.database}")
        return SqlSink(self.spark, target, length_of, now=self.clock.now, sleep=self.clock.sleep, waits=(1.0, 1.0))

    def send(self, *events: dict[str, Any], stream: str = "trades") -> None:
        """Put events in the folder of the stream's hub as one file, numbered on within their partition."""
        rows = [self._numbered(stream, {"partition": "0", **event}) for event in events]
        folder = self.folder / "hub" / f"hub-of-{stream}"
        folder.mkdir(parents=True, exist_ok=True)
        table = pa.Table.from_pylist(rows, schema=to_arrow_schema(ARRIVED))
        pq.write_table(table, folder / f"{len(list(folder.iterdir())):03d}.parquet")

    def close(
        self,
        *,
        window: str = WINDOW,
        stream: str = "trades",
        spill: Mapping[str, int] = MappingProxyType({}),
        cosmos: Mapping[str, int] = MappingProxyType({}),
        **counts: int,
    ) -> None:
        """Write the marker of a window's end, with the positions of all that was sent.

        spill, cosmos: records by state, in the spill of the hub and of Cosmos DB beside it.
        """
        marker = {
            "window": window,
            "start": START.isoformat(),
            "end": (START + timedelta(minutes=1)).isoformat(),
            "state": "closed",
            "counts": {stream: {"refused": 0, "unknown": 0, **counts}},
            "attempts": {},
            "spill": {stream: {**spill, "waiting_of_all_tries": spill.get("waiting", 0)}},
            "last_sequence_numbers": {stream: dict(self.sent.get(stream, {}))},
            "cosmos": {stream: {"spill": dict(cosmos)}} if cosmos else {},
        }
        self.reference.documents[f"windows/{window}/closed.json"] = json.dumps(marker).encode()

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.database) as connection:
            rows = connection.execute(query).fetchall()
        connection.close()
        return rows

    def counts(self, window: str = WINDOW, stream: str = "trades") -> dict[str, int]:
        where = f"window_id='{window}' AND stream='{stream}'"
        found = self.sql(f"SELECT stage, name, rows FROM window_counts WHERE {where}")
        return {f"{stage}:{name}" if name else stage: rows for stage, name, rows in found}

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        found = self.lake.read(table).select(*(columns or ("*",))).collect()
        return sorted((tuple(row) for row in found), key=str)

    def _numbered(self, stream: str, event: dict[str, Any]) -> dict[str, Any]:
        partition, sent = event["partition"], self.sent.setdefault(stream, {})
        sent[partition] = number = sent.get(partition, -1) + 1
        return {
            "offset": str(number),
            "sequence_number": number,
            "enqueued_at": START,
            "partition_key": None,
            "epoch": "",
            **event,
        }


def trade(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "venue": "kraken",
        "symbol": "BTC/USD",
        "base": "BTC",
        "quote": "USD",
        "trade_id": number,
        "price": 65000.12,
        "volume": 0.00012345,
        "direction": "buy",
        "direction_basis": "taker",
        "timestamp": "2026-11-22T10:00:01.000001Z",
        "received_at": "2026-11-22T10:00:01.500000Z",
        "origin": "live",
        **changes,
    }


def row(record: dict[str, Any] | bytes, *, slice_id: str = "0.1", window: str = WINDOW, **event: Any) -> dict[str, Any]:
    """An event with one record."""
    body = record if isinstance(record, bytes) else json.dumps(record).encode()
    return {"body": body, "properties": {"contract": "trades/1", "slice": f"{window}/{slice_id}"}, **event}


def pack(records: list[dict[str, Any] | bytes], *, encoding: str = "identity", rows: int | None = None, **event: Any):
    """An event with many records."""
    lines = [record if isinstance(record, bytes) else json.dumps(record).encode() for record in records]
    body = b"".join(line + b"\n" for line in lines)
    if encoding == "zstd":
        body = pa.Codec("zstd").compress(body, asbytes=True)
    made = row(body, **event)
    packing = {"rows": str(len(lines) if rows is None else rows), "encoding": encoding}
    return {**made, "properties": {**made["properties"], **packing}}


def lookup(symbols: list[str]) -> bytes:
    """A lookup of some assets, as the app writes it."""
    number = pa.decimal128(38, 18)
    schema = pa.schema(
        [("id", pa.string()), ("rank", pa.int32()), ("symbol", pa.string()), ("name", pa.string())]
        + [(name, number) for name in _NUMBERS]
        + [("explorer", pa.string())]
    )
    rows = [
        {
            "id": symbol.lower(),
            "rank": rank,
            "symbol": symbol,
            "name": symbol.title(),
            "explorer": "https://example.org",
        }
        for rank, symbol in enumerate(symbols, start=1)
    ]
    target = BytesIO()
    pq.write_table(pa.Table.from_pylist([{**one, "maxSupply": 21_000_000} for one in rows], schema=schema), target)
    return target.getvalue()


_NUMBERS = ("supply", "maxSupply", "marketCapUsd", "volumeUsd24Hr", "priceUsd", "changePercent24Hr", "vwap24Hr")
