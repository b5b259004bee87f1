"""Each event is in bronze once, whatever was lost or done twice."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pytest
from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from hub_stage import Event, Platform
from lakehouse.streams.bronze import BronzeProgress, append_bronze, create_bronze_table, run_bronze_pass
from lakehouse.streams.bronze_schema import BRONZE
from lakehouse.request import Stream
from lakehouse.sources.eventhubs import EventHubsSource

_PASS_IN_A_NEW_PROCESS = """
import json, sys
from pathlib import Path
from lakehouse.streams.bronze import run_bronze_pass
from lakehouse.request import Stream
from lakehouse.session import spark_session
from lakehouse.sources.configuration import SourceConfig
from lakehouse.sources.eventhubs import EventHubsSource
task = json.loads(sys.argv[1])
spark = spark_session("restarted", lake_root=task["lake"], jars=[Path(jar) for jar in task["jars"]])
source = EventHubsSource(SourceConfig(**task["config"]))
progress = run_bronze_pass(spark, source, Stream(**task["stream"]), task["checkpoints"])
print(json.dumps([dict(progress.last_sequence_numbers), progress.rows_read]))
spark.stop()
"""


def stream(hub: str) -> Stream:
    return Stream(hub, hub, f"{hub}/1")


def events(partition: str, numbers: Sequence[int]) -> list[Event]:
    return [Event(b"%d" % number, {"contract": "trades/1"}, partition=partition) for number in numbers]


def batch(spark: SparkSession, partition: str, numbers: Sequence[int]) -> DataFrame:
    rows = [(b"%d" % number, partition, str(number), number, None, None, {"a": "b"}, None) for number in numbers]
    return spark.createDataFrame(rows, BRONZE).withColumn("ingested_at", F.current_timestamp())


def bodies(spark: SparkSession, table: str) -> list[tuple[str, int]]:
    rows = spark.table(table).select("partition", F.col("body").cast("string").cast("int")).collect()
    return sorted((row[0], row[1]) for row in rows)


@pytest.fixture
def table(spark, request) -> str:
    name = f"bronze.{request.node.name}"
    create_bronze_table(spark, name)
    return name


def test_a_batch_taken_twice_is_there_once(spark, table):
    append_bronze(batch(spark, "0", range(5)), 0, table)
    append_bronze(batch(spark, "0", range(5)), 0, table)

    assert bodies(spark, table) == [("0", n) for n in range(5)]


def test_of_overlapping_batches_each_event_is_there_once(spark, table):
    append_bronze(batch(spark, "0", range(5)).union(batch(spark, "1", range(2))), 0, table)
    append_bronze(batch(spark, "0", range(3, 8)).union(batch(spark, "1", range(3, 5))), 1, table)

    assert bodies(spark, table) == [*(("0", n) for n in range(8)), *(("1", n) for n in (0, 1, 3, 4))]


def test_an_event_twice_in_one_batch_is_there_once(spark, table):
    append_bronze(batch(spark, "0", [1, 1, 2]), 0, table)

    assert bodies(spark, table) == [("0", 1), ("0", 2)]


def test_a_lost_commit_doubles_nothing_and_later_events_follow(spark, hubs: Platform, checkpoints):
    source = EventHubsSource(hubs.config())
    hubs.send("lost", events("0", range(10)))
    run_bronze_pass(spark, source, stream("lost"), checkpoints)
    for commit in Path(checkpoints, "bronze/lost/commits").glob("*0*"):
        commit.unlink()
    hubs.send("lost", events("0", range(10, 12)))

    progress = run_bronze_pass(spark, source, stream("lost"), checkpoints)

    assert bodies(spark, "bronze.lost") == [("0", n) for n in range(12)]
    assert progress.last_sequence_numbers == {"0": 11}


def test_a_lost_checkpoint_doubles_nothing(spark, hubs: Platform, checkpoints):
    source = EventHubsSource(hubs.config())
    hubs.send("anew", events("1", range(10)))
    run_bronze_pass(spark, source, stream("anew"), checkpoints)

    progress = run_bronze_pass(spark, source, stream("anew"), f"{checkpoints}/new")

    assert progress == BronzeProgress({"1": 9}, rows_read=10)
    assert bodies(spark, "bronze.anew") == [("1", n) for n in range(10)]


def test_a_new_process_goes_on_where_the_last_one_ended(spark, hubs: Platform, checkpoints, lake, jars):
    hubs.send("restarted", [*events("0", range(10)), *events("1", range(3))])
    run_bronze_pass(spark, EventHubsSource(hubs.config()), stream("restarted"), checkpoints)
    hubs.send("restarted", events("0", range(10, 15)))

    said = _pass_in_a_new_process(hubs, "restarted", checkpoints, lake=str(lake), jars=[str(jar) for jar in jars])

    assert said == [{"0": 14, "1": 2}, 5]
    assert bodies(spark, "bronze.restarted") == [*(("0", n) for n in range(15)), *(("1", n) for n in range(3))]


def _pass_in_a_new_process(hubs: Platform, hub: str, checkpoints: str, **task: object) -> list[object]:
    config = {name: getattr(hubs.config(), name) for name in hubs.config().__slots__}
    task |= {"stream": asdict(stream(hub)), "checkpoints": checkpoints, "config": config}
    command = [sys.executable, "-c", _PASS_IN_A_NEW_PROCESS, json.dumps(task)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_a_hub_of_another_epoch_is_refused_by_name(spark, hubs: Platform, checkpoints):
    hubs.send("epochs", events("0", range(5)))
    run_bronze_pass(spark, EventHubsSource(hubs.config()), stream("epochs"), checkpoints)

    with hubs.hubs("epochs:2") as anew:
        anew.send("epochs", events("0", range(100, 120)))
        with pytest.raises(StreamingQueryException, match=r"CheckpointOfAnotherHub.*delete the checkpoint"):
            run_bronze_pass(spark, EventHubsSource(anew.config()), stream("epochs"), checkpoints)

    assert bodies(spark, "bronze.epochs") == [("0", n) for n in range(5)]


def test_a_hub_without_events_is_read_to_its_end(spark, hubs: Platform, checkpoints):
    progress = run_bronze_pass(spark, EventHubsSource(hubs.config()), stream("empty"), checkpoints)

    assert progress == BronzeProgress({}, rows_read=0)


def test_a_pass_goes_on_from_what_the_one_before_it_said(spark, hubs: Platform, checkpoints):
    source = EventHubsSource(hubs.config())
    hubs.send("passes", events("0", range(3)))
    first = run_bronze_pass(spark, source, stream("passes"), checkpoints)
    hubs.send("passes", events("1", range(2)))

    second = run_bronze_pass(spark, source, stream("passes"), checkpoints, known=first)
    third = run_bronze_pass(spark, source, stream("passes"), checkpoints, known=second)

    assert (first.rows_read, second.rows_read, third.rows_read) == (3, 2, 0)
    assert second.last_sequence_numbers == third.last_sequence_numbers == {"0": 2, "1": 1}


def test_a_wrong_secret_is_said_in_the_providers_words(spark, hubs: Platform, checkpoints):
    source = EventHubsSource(hubs.config(client_secret="not the secret"))

    with pytest.raises(StreamingQueryException, match="AADSTS7000215") as refusal:
        run_bronze_pass(spark, source, stream("empty"), checkpoints)

    assert "not the secret" not in str(refusal.value)
