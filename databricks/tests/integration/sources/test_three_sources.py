"""The same events by the hub, by Kafka and by Capture are the same rows of bronze."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from azure.eventhub import EventData
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.testing import assertSchemaEqual

from copies import copy_to_capture, copy_to_kafka
from hub_stage import Event, Platform
from lakehouse.lake.tables import Lake
from lakehouse.request import Stream
from lakehouse.sources.capture import CaptureSource
from lakehouse.sources.configuration import SourceConfig
from lakehouse.sources.hub_client import events_of, head_of
from lakehouse.sources.port import source_from
from lakehouse.streams.bronze import run_bronze_pass
from lakehouse.streams.bronze_schema import BRONZE, KEY

ROW = {"contract": "trades/1", "slice": "trades-20261122T100000Z/1.1"}
POINTS = "gps-20261122T100000Z/0.1"
PACKED = pa.compress(b'{"price": 1.10}\n' * 50, codec="zstd", asbytes=True)
EVENTS = [
    *(Event(b'{"price": %d.10}' % n, ROW, key=f"BTC-{n % 3}") for n in range(20)),
    Event(PACKED, ROW | {"rows": 50, "encoding": "zstd"}, partition="0"),
    Event('{"name": "Zürich €"}'.encode(), ROW | {"größe": "ü€", "large": 2**31 - 1, "half": 0.5}, partition="1"),
    Event(b"\x00\xff", {}, partition="1"),
    Event(b"latitude:51.1, longitude:0.1,appid:abcde-j1", {"contract": "gps/0", "slice": POINTS}, key="abcde-j1"),
    *(Event(b'{"appid": "%d"}' % n, {"contract": "gps/1", "slice": POINTS}, key=str(n)) for n in range(3)),
    Event(b"\n", {"empty": "", "below": -3, "zero": 0}, partition="0"),
]


@dataclass(frozen=True)
class Bronze:
    """The same events in three tables, each of a stream whose hub has another name."""

    hub: DataFrame
    kafka: DataFrame
    capture: DataFrame


@pytest.fixture(scope="module")
def bronze(spark, hubs: Platform, broker: str, tmp_path_factory: pytest.TempPathFactory) -> Bronze:
    tables = Lake(spark)
    folder = tmp_path_factory.mktemp("three")
    hubs.send("trades", EVENTS)
    stored = _stored(hubs, "trades")
    copy_to_kafka(spark, broker, "market-trades", stored)
    copy_to_capture(folder / "captured", "market.trades", stored)
    plain = SourceConfig("kafka", kafka={"kafka.bootstrap.servers": broker})
    captured = SourceConfig("capture", capture_root=str(folder / "captured"), capture_settle=timedelta())
    epoch = head_of(hubs.hub("trades")).epoch
    read = {
        Stream("by_amqp", "trades", "by_amqp/1"): hubs.config(),
        Stream("by_kafka", "market-trades", "by_kafka/1", epoch): plain,
        Stream("in_files", "market.trades", "in_files/1", epoch): captured,
    }
    for stream, config in read.items():
        run_bronze_pass(tables, source_from(config), stream, str(folder / "checkpoints"))
    return Bronze(*(spark.table(f"bronze.{stream.name}").cache() for stream in read))


def _stored(hubs: Platform, hub: str) -> Mapping[str, Sequence[EventData]]:
    """Read what the hub holds with its client alone."""
    reader = hubs.hub(hub)
    return {
        partition: [event for batch in events_of(reader, partition, -1, last) for event in batch]
        for partition, last in head_of(reader).last.items()
    }


def _rows(table: DataFrame) -> list[dict[str, object]]:
    """Collect in the order of positions; dicts, so that the order of properties doesn't count."""
    return [row.asDict() for row in table.orderBy(*KEY).collect()]


def test_all_three_have_bronzes_columns(bronze):
    for table in (bronze.hub, bronze.kafka, bronze.capture):
        assertSchemaEqual(table.schema, BRONZE)


def test_the_hub_gives_the_events_as_they_were_sent(bronze):
    found = [(bytes(row["body"]), row["partition_key"], row["properties"]) for row in bronze.hub.collect()]

    sent = [(event.body, event.key, {name: str(value) for name, value in event.properties.items()}) for event in EVENTS]
    assert sorted(found, key=str) == sorted(sent, key=str)


def test_kafka_gives_the_same_rows_as_the_hub(bronze):
    same = [name for name in BRONZE.names if name not in {"offset", "ingested_at"}]

    assert bronze.kafka.count() == len(EVENTS)
    assert _rows(bronze.kafka.select(same)) == _rows(bronze.hub.select(same))


def test_capture_gives_the_same_rows_as_the_hub_but_for_fractions_of_seconds(bronze):
    same = [name for name in BRONZE.names if name != "ingested_at"]
    to_the_second = bronze.hub.withColumn("enqueued_at", F.date_trunc("second", "enqueued_at"))

    assert bronze.capture.count() == len(EVENTS)
    assert _rows(bronze.capture.select(same)) == _rows(to_the_second.select(same))


def test_kafkas_offset_is_the_sequence_number(bronze):
    assert bronze.kafka.where("offset != cast(sequence_number as string)").count() == 0


def test_what_a_kafka_producer_writes_as_plain_bytes_is_accepted(spark, tables, broker, checkpoints):
    plain = "array(struct('contract' as key, cast('trades/1' as binary) as value))"
    record = spark.range(1).selectExpr("'{}' as value", f"{plain} as headers")
    options = {"kafka.bootstrap.servers": broker}
    record.write.format("kafka").options(**options, topic="plain", includeHeaders="true").save()

    source = source_from(SourceConfig("kafka", kafka=options))
    run_bronze_pass(tables, source, Stream("plain", "plain", "plain/1"), checkpoints)

    assert [row["properties"] for row in spark.table("bronze.plain").collect()] == [{"contract": "trades/1"}]


def test_captures_folder_need_not_be_there_yet(tables, checkpoints, tmp_path: Path):
    stream = Stream("uncaptured", "uncaptured", "uncaptured/1")

    progress = run_bronze_pass(tables, CaptureSource(str(tmp_path / "nothing")), stream, checkpoints)

    assert progress.rows_read == 0
