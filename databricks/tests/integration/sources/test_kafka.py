"""A real Kafka broker: its login, what retention takes, a topic made anew."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pyspark.errors import StreamingQueryException
from pyspark.sql import functions as F
from topics import delete_records, delete_topic, produce

from hub_stage import NAMESPACE, Platform
from kafka_broker import Broker, Login, kafka_broker_with_login
from lakehouse.lake.tables import Lake
from lakehouse.request import FurtherHub, Stream
from lakehouse.sources.configuration import SourceConfig
from lakehouse.sources.kafka import KafkaSource
from lakehouse.streams.bronze import BronzeProgress, run_bronze_pass
from lakehouse.streams.missing import missing_numbers

NOW = datetime.now(UTC)
EARLIER = NOW - timedelta(hours=1)
BEFORE_IT = NOW - timedelta(hours=2)


@pytest.fixture(scope="module")
def kafka(hubs: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    login = Login(
        keys=f"{hubs.entra}/{hubs.identities['tenant']}/discovery/v2.0/keys",
        issuer=hubs.issuer,
        audience=f"https://{NAMESPACE}",
        authority=hubs.tls["authority"],
        server=hubs.tls["server"],
    )
    with kafka_broker_with_login(tmp_path_factory.mktemp("kafka_login"), login) as serving:
        yield serving


def plain(kafka: Broker, **changes: object) -> KafkaSource:
    return KafkaSource.of(SourceConfig("kafka", kafka={"kafka.bootstrap.servers": kafka.plain}, **changes))


def stream(name: str, created_at: datetime | None = None) -> Stream:
    return Stream(name, name, f"{name}/1", created_at.isoformat() if created_at else "")


def numbers(count: int, first: int = 0) -> list[bytes]:
    return [b"%d" % number for number in range(first, first + count)]


def held(tables: Lake, name: str) -> list[tuple[str, int, int]]:
    """Give (epoch, sequence number, number in the body)."""
    number = F.col("body").cast("string").cast("int")
    rows = tables.read(f"bronze.{name}").select("epoch", "sequence_number", number.alias("number"))
    return [tuple(row) for row in rows.orderBy("epoch", "sequence_number").collect()]


def commits(tables: Lake, name: str) -> int:
    history = tables.spark.sql(f"DESCRIBE HISTORY bronze.{name}")
    return history.where("operation = 'WRITE'").count()


def test_the_production_login_reads_events_over_tls_with_a_token_of_entras(
    spark, tables, hubs: Platform, kafka, checkpoints
):
    produce(spark, kafka.plain, "logged_in", numbers(3), NOW)
    source = KafkaSource.of(hubs.config(kind="kafka", endpoint=kafka.with_login))

    progress = run_bronze_pass(tables, source, stream("logged_in"), checkpoints)

    assert progress.rows_read == 3
    assert source.options["kafka.security.protocol"] == "SASL_SSL"


def test_two_topics_of_one_stream_are_read_into_one_bronze_each_from_its_own_checkpoint(
    spark, tables, kafka, checkpoints
):
    twins = replace(stream("twins", EARLIER), hub="twins-a", further_hubs=(FurtherHub("twins.b"),))
    produce(spark, kafka.plain, "twins-a", numbers(2), NOW)
    produce(spark, kafka.plain, "twins.b", numbers(3, 10), NOW)
    first = run_bronze_pass(tables, plain(kafka), twins, checkpoints)
    produce(spark, kafka.plain, "twins.b", numbers(1, 13), NOW)

    second = run_bronze_pass(Lake(spark), plain(kafka), twins, checkpoints)

    rows = tables.read("bronze.twins").select("hub", F.col("body").cast("string").cast("int").alias("number")).collect()
    assert sorted(map(tuple, rows), key=str) == [("twins.b", 10 + n) for n in range(4)] + [(None, 0), (None, 1)]
    assert (first.rows_read, second.rows_read) == (5, 1)
    assert second.last_sequence_numbers == {"0": 1, "twins.b/0": 3}


def test_a_wrong_secret_is_refused_by_the_production_login(spark, tables, hubs: Platform, kafka, checkpoints):
    wrong = hubs.config(kind="kafka", endpoint=kafka.with_login, client_secret="not the secret")

    with pytest.raises(StreamingQueryException) as refusal:
        run_bronze_pass(tables, KafkaSource.of(wrong), stream("refused"), checkpoints)

    assert "not the secret" not in str(refusal.value)
    assert not tables.read("bronze.refused").count()


def test_what_retention_deleted_unread_is_told_and_the_rest_is_read(spark, tables, kafka, checkpoints, caplog):
    source, of = plain(kafka), stream("retained", EARLIER)
    produce(spark, kafka.plain, "retained", numbers(10), NOW)
    first = run_bronze_pass(tables, source, of, checkpoints)
    produce(spark, kafka.plain, "retained", numbers(12, first=10), NOW)
    delete_records(spark, kafka.plain, "retained", before=15)

    second = run_bronze_pass(tables, source, of, checkpoints, first)
    produce(spark, kafka.plain, "retained", numbers(3, first=22), NOW)
    delete_records(spark, kafka.plain, "retained", before=25)
    third = run_bronze_pass(tables, source, of, checkpoints, second)

    assert first.holes == {}
    assert second.holes == {"0": ((10, 14),)}
    assert [number for *_, number in held(tables, "retained")] == [*range(10), *range(15, 22)]
    assert (third.holes, third.last_sequence_numbers["0"]) == ({"0": ((22, 24),)}, 24)
    assert missing_numbers(tables, "retained", EARLIER) == [
        ("", first.epoch, "0", 10, 14),
        ("", first.epoch, "0", 22, 24),
    ]
    assert "hub=retained" in caplog.text
    assert "partition=0 numbers=10-14" in caplog.text


def test_a_topic_made_anew_is_read_from_its_first_event(spark, tables, kafka, checkpoints):
    source = plain(kafka)
    produce(spark, kafka.plain, "renewed", numbers(5), BEFORE_IT)
    former = run_bronze_pass(tables, source, stream("renewed", BEFORE_IT), checkpoints)
    delete_topic(spark, kafka.plain, "renewed")
    produce(spark, kafka.plain, "renewed", numbers(8, first=100), NOW)

    progress = run_bronze_pass(tables, source, stream("renewed", EARLIER), checkpoints, former)
    told_wrong = run_bronze_pass(tables, source, stream("renewed", BEFORE_IT), checkpoints, progress)

    assert progress.epoch == told_wrong.epoch > former.epoch
    assert (progress.last_sequence_numbers, progress.rows_read) == ({"0": 7}, 8)
    assert [number for *_, number in held(tables, "renewed")] == [*range(5), *range(100, 108)]


def test_a_table_without_epochs_gets_them_in_place_and_nothing_is_doubled(spark, tables, kafka, checkpoints):
    spark.sql(_BEFORE_EPOCHS)
    spark.sql(f"INSERT INTO bronze.upgraded {_rows(3, BEFORE_IT)}")
    spark.sql(f"INSERT INTO bronze.upgraded {_rows(2, NOW)}")
    produce(spark, kafka.plain, "upgraded", numbers(4), NOW)

    progress = run_bronze_pass(tables, plain(kafka), stream("upgraded", EARLIER), checkpoints)

    former, present = [("", n, n) for n in range(3)], [(progress.epoch, n, n) for n in range(4)]
    assert held(tables, "upgraded") == [*former, *present]


def test_many_events_are_several_batches_and_a_tombstone_is_one_of_them(spark, tables, kafka, checkpoints):
    source = plain(kafka, max_events_a_batch=4)
    produce(spark, kafka.plain, "many", [*numbers(9), None], NOW)

    progress = run_bronze_pass(tables, source, stream("many"), checkpoints)

    assert progress == BronzeProgress({"0": 9}, rows_read=10)
    assert commits(tables, "many") == 3
    assert [number for *_, number in held(tables, "many")] == [*range(9), None]


def _rows(count: int, at: datetime) -> str:
    values = ", ".join(
        f"(CAST('{n}' AS BINARY), '0', '{n}', {n}, TIMESTAMP '{at.isoformat()}', NULL, NULL, NULL)"
        for n in range(count)
    )
    return f"VALUES {values}"


_BEFORE_EPOCHS = """
CREATE TABLE bronze.upgraded (
  body BINARY, partition STRING, offset STRING, sequence_number BIGINT, enqueued_at TIMESTAMP, partition_key STRING,
  properties MAP<STRING, STRING>, ingested_at TIMESTAMP
) USING DELTA
"""
