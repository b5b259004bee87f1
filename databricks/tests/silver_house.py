"""A small lakehouse up to silver for a test: real Spark and Delta, bronze written as a source's events would be."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql import types as T

from job_house import START, WINDOW
from lakehouse.lake.tables import Lake
from lakehouse.streams.bronze_schema import BRONZE
from lakehouse.streams.contract import Contract, load_contracts
from lakehouse.streams.silver import Silver
from lakehouse.streams.versions import Upcast, Versions

LATER = "trades-20261122T101000Z"
EVENTS = T.StructType([*[one for one in BRONZE if one.name != "epoch"], T.StructField("epoch", T.StringType())])
SUFFIXES = ("", "_duplicates", "_quarantine")


class Killed(Exception):
    """Stands for the end of the process at a chosen point."""


@dataclass
class SilverHouse:
    """Puts events in bronze, makes the stage, and looks at what came out. Each process has a lake of its own."""

    spark: SparkSession
    stream: str = "trades"
    feed: str = "trades"
    contracts: tuple[Contract, ...] = ()
    upcasts: Mapping[str, Upcast] = field(default_factory=dict)
    sent: dict[tuple[str | None, str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.contracts = self.contracts or load_contracts(self.stream)
        self.lake = Lake(self.spark)

    @property
    def bronze(self) -> str:
        return f"bronze.{self.stream}"

    def silver(self, on_commit: Callable[[str], None] = lambda table: None, default: str = "") -> Silver:
        """Begin a process: what the one before remembered and did not write down is gone."""
        self.lake = Lake(self.spark)
        return self.another(on_commit, default)

    def another(self, on_commit: Callable[[str], None] = lambda table: None, default: str = "") -> Silver:
        """Give the stage in the process that there is."""
        versions = Versions(self.contracts, default or self.contracts[-1].name, self.upcasts)
        return Silver(self.lake, self.feed, versions, on_commit)

    def started(self) -> Silver:
        silver = self.silver()
        silver.prepare()
        return silver

    def send(self, *events: dict[str, Any]) -> None:
        """Put events in bronze in one commit, numbered on within their hub, epoch and partition."""
        rows = [self._numbered({"partition": "0", "epoch": "", "hub": None, **event}) for event in events]
        frame = self.spark.createDataFrame([tuple(row[name] for name in EVENTS.names) for row in rows], EVENTS)
        self.lake.create(self.bronze, EVENTS)
        self.lake.append(self.bronze, frame.coalesce(1))

    def rows(self, name: str, *columns: str) -> list[tuple[Any, ...]]:
        found = self.lake.read(name).select(*(columns or ("*",))).collect()
        return sorted((tuple(row) for row in found), key=str)

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """All that the three tables hold, but for when it was set aside."""
        found = {}
        for suffix in SUFFIXES:
            name = f"silver.{self.stream}{suffix}"
            found[suffix] = self.rows(name, *[one for one in self.lake.read(name).columns if one != "quarantined_at"])
        return found

    def operations(self, name: str) -> list[str]:
        """What was done to a table, the newest first."""
        return [row["operation"] for row in self.lake.delta(name).history().collect()]

    def reasons(self) -> list[str]:
        return [reason for _, reason in self.rows(f"silver.{self.stream}_quarantine", "sequence_number", "reason")]

    def drop(self) -> None:
        for suffix in SUFFIXES:
            self.spark.sql(f"DROP TABLE IF EXISTS silver.{self.stream}{suffix}")
        self.spark.sql(f"DROP TABLE IF EXISTS {self.bronze}")

    def _numbered(self, event: dict[str, Any]) -> dict[str, Any]:
        place = (event["hub"], event["epoch"], event["partition"])
        self.sent[place] = number = self.sent.get(place, -1) + 1
        there = {"offset": str(number), "sequence_number": number, "enqueued_at": START, "partition_key": None}
        return {**there, "ingested_at": START, **event}


def event(record: dict[str, Any] | bytes | None, *, window: str = WINDOW, **changes: Any) -> dict[str, Any]:
    """An event of one record; properties: in the place of its own."""
    body = json.dumps(record).encode() if isinstance(record, dict) else record
    return {"body": body, "properties": {"contract": "trades/1", "slice": f"{window}/0.1"}, **changes}


def with_properties(made: dict[str, Any], **changes: str | None) -> dict[str, Any]:
    """An event with other properties; None takes one away."""
    found = {**made["properties"], **changes}
    return {**made, "properties": {name: text for name, text in found.items() if text is not None}}


def pack(records: list[dict[str, Any] | bytes], *, encoding: str = "identity", rows: str = "") -> dict[str, Any]:
    """An event of many records."""
    lines = [record if isinstance(record, bytes) else json.dumps(record).encode() for record in records]
    body = b"".join(line + b"\n" for line in lines)
    if encoding == "zstd":
        body = pa.Codec("zstd").compress(body, asbytes=True)
    return with_properties(event(body), rows=rows or str(len(lines)), encoding=encoding)
