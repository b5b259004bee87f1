"""Each event is in bronze once, whatever was lost or done twice."""

import json
import re
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from azure.eventhub.exceptions import EventHubError
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from hub_stage import Event, Platform
from lakehouse.lake.tables import Lake
from lakehouse.request import Stream
from lakehouse.sources.eventhubs import EventHubsSource
from lakehouse.sources.hub_client import head_of
from lakehouse.sources.reading import Reading, Source, Take
from lakehouse.streams.bronze import BronzeProgress, run_bronze_pass
from lakehouse.streams.bronze_batch import HubsConfused
from lakehouse.streams.bronze_schema import TAKEN
from lakehouse.streams.missing import missing_numbers

_PASS_IN_A_NEW_PROCESS = """
import json, sys
from pathlib import Path
from lakehouse.lake.tables import Lake
from lakehouse.streams.bronze import run_bronze_pass
from lakehouse.request import Stream
from lakehouse.session import spark_session
from lakehouse.sources.configuration import SourceConfig
from lakehouse.sources.eventhubs import EventHubsSource
task = json.loads(sys.argv[1])
spark = spark_session("restarted", lake_root=task["lake"], jars=[Path(jar) for jar in task["jars"]])
source = EventHubsSource(SourceConfig(**task["config"]))
progress = run_bronze_pass(Lake(spark), source, Stream(**task["stream"]), task["checkpoints"])
print(json.dumps([dict(progress.last_sequence_numbers), progress.rows_read]))
spark.stop()
"""


def stream(hub: str) -> Stream:
    return Stream(hub, hub, f"{hub}/1")


def events(partition: str, numbers: Sequence[int]) -> list[Event]:
    return [Event(b"%d" % number, {"contract": "trades/1"}, partition=partition) for number in numbers]


MONDAY = datetime(2026, 11, 23, 10, tzinfo=UTC)
TUESDAY = datetime(2026, 11, 24, 10, tzinfo=UTC)


def bodies(lake: Lake, stream: Stream) -> list[tuple[str, int]]:
    rows = lake.read(f"bronze.{stream.name}").select("partition", F.col("body").cast("string").cast("int")).collect()
    return sorted((row[0], row[1]) for row in rows)


class GivenEvents:
    """Batches that the test made, for a hub of an epoch: of each partition the numbers, which are the bodies too."""

    def __init__(self, *batches: Mapping[str, Sequence[int]], epoch: str = "", at: datetime = MONDAY) -> None:
        self.batches = batches
        self.epoch = epoch
        self.at = at

    def open(self, stream: Stream) -> "GivenEvents":
        return self

    def read(self, reading: Reading, take: Take) -> Mapping[str, int]:
        for batch in self.batches:
            take(self._frame(reading, batch), {})
        return {}

    def _frame(self, reading: Reading, batch: Mapping[str, Sequence[int]]) -> DataFrame:
        rows = [
            (b"%d" % number, partition, str(number), number, self.at, None, {"a": "b"}, reading.epoch, self.at)
            for partition, numbers in batch.items()
            for number in numbers
        ]
        return reading.lake.spark.createDataFrame(rows, TAKEN)


@pytest.fixture
def folder(spark) -> Path:
    """Where the session's tables lie."""
    return Path(urlsplit(spark.conf.get("spark.sql.warehouse.dir")).path)


class Watched:
    """A source that notes the names of the queries that run while it hands over a batch."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.queries: list[str] = []

    def open(self, stream: Stream) -> "Watched":
        self.hub = self.source.open(stream)
        self.epoch = self.hub.epoch
        return self

    def read(self, reading: Reading, take: Take) -> Mapping[str, int]:
        def noting(batch: DataFrame, mark: Mapping[str, str]) -> None:
            self.queries += [query.name for query in reading.lake.spark.streams.active]
            take(batch, mark)

        return self.hub.read(reading, noting)


@pytest.fixture
def own(request) -> Stream:
    """A stream of the test's own."""
    return stream(request.node.name.removeprefix("test_")[:60])


def test_a_batch_taken_twice_is_there_once(tables, own):
    run_bronze_pass(tables, GivenEvents({"0": range(5)}, {"0": range(5)}), own, "")

    assert bodies(tables, own) == [("0", n) for n in range(5)]


def test_of_overlapping_batches_each_event_is_there_once(tables, own):
    batches = {"0": range(5), "1": range(2)}, {"0": range(3, 8), "1": range(3, 5)}

    run_bronze_pass(tables, GivenEvents(*batches), own, "")

    assert bodies(tables, own) == [*(("0", n) for n in range(8)), *(("1", n) for n in (0, 1, 3, 4))]


def test_an_event_twice_in_one_batch_is_there_once(tables, own):
    run_bronze_pass(tables, GivenEvents({"0": [1, 1, 2]}), own, "")

    assert bodies(tables, own) == [("0", 1), ("0", 2)]


def test_a_process_that_knows_nothing_reads_how_far_bronze_is_from_its_commits(spark, own):
    run_bronze_pass(Lake(spark), GivenEvents({"0": range(5)}), own, "")

    progress = run_bronze_pass(Lake(spark), GivenEvents({"0": range(3, 6)}), own, "")

    assert progress.last_sequence_numbers == {"0": 5}
    assert bodies(Lake(spark), own) == [("0", n) for n in range(6)]


@given(
    st.lists(st.dictionaries(st.sampled_from("01"), st.lists(st.integers(0, 9), max_size=6), max_size=2), max_size=3)
)
@settings(max_examples=4)
def test_any_batches_with_any_repeats_leave_each_event_once(spark, batches):
    taken = stream(f"any_{uuid.uuid4().hex}")

    progress = run_bronze_pass(Lake(spark), GivenEvents(*batches), taken, "")

    sent = {(partition, number) for batch in batches for partition, numbers in batch.items() for number in numbers}
    assert bodies(Lake(spark), taken) == sorted(sent)
    assert progress.last_sequence_numbers == {p: max(n for q, n in sent if q == p) for p, _ in sent}


def test_two_hubs_of_which_nobody_said_when_they_were_created_are_not_taken_for_one(tables, own):
    run_bronze_pass(tables, GivenEvents({"0": range(5)}), own, "")

    with pytest.raises(HubsConfused, match=r"5 other events of the same numbers: .*created_at"):
        run_bronze_pass(tables, GivenEvents({"0": range(5)}, at=TUESDAY), own, "")


def test_the_change_feed_gives_bronzes_rows_once(tables, own):
    run_bronze_pass(tables, GivenEvents({"0": range(5)}, {"0": range(2, 7)}), own, "")

    changes = tables.changes(f"bronze.{own.name}", 0)

    assert not changes.whole
    assert changes.rows.groupBy("_change_type").count().collect() == [("insert", 7)]


def test_a_lost_commit_doubles_nothing_and_later_events_follow(tables, hubs: Platform, checkpoints):
    source = EventHubsSource(hubs.config())
    hubs.send("lost", events("0", range(10)))
    run_bronze_pass(tables, source, stream("lost"), checkpoints)
    for commit in Path(checkpoints, "bronze/lost/commits").glob("*0*"):
        commit.unlink()
    hubs.send("lost", events("0", range(10, 12)))

    progress = run_bronze_pass(tables, source, stream("lost"), checkpoints)

    assert bodies(tables, stream("lost")) == [("0", n) for n in range(12)]
    assert progress.last_sequence_numbers == {"0": 11}


def test_a_lost_checkpoint_doubles_nothing(tables, hubs: Platform, checkpoints):
    source = EventHubsSource(hubs.config())
    hubs.send("anew", events("1", range(10)))
    run_bronze_pass(tables, source, stream("anew"), checkpoints)
    hubs.send("anew", events("1", range(10, 12)))

    progress = run_bronze_pass(tables, source, stream("anew"), f"{checkpoints}/new")

    assert (progress.last_sequence_numbers, progress.rows_read) == ({"1": 11}, 12)
    assert bodies(tables, stream("anew")) == [("1", n) for n in range(12)]


def test_a_new_process_goes_on_where_the_last_one_ended(tables, folder, hubs: Platform, checkpoints, jars):
    hubs.send("restarted", [*events("0", range(10)), *events("1", range(3))])
    run_bronze_pass(tables, EventHubsSource(hubs.config()), stream("restarted"), checkpoints)
    hubs.send("restarted", events("0", range(10, 15)))

    said = _pass_in_a_new_process(hubs, "restarted", checkpoints, lake=str(folder), jars=[str(jar) for jar in jars])

    assert said == [{"0": 14, "1": 2}, 5]
    assert bodies(tables, stream("restarted")) == [*(("0", n) for n in range(15)), *(("1", n) for n in range(3))]


def _pass_in_a_new_process(hubs: Platform, hub: str, checkpoints: str, **task: object) -> list[object]:
    config = {name: getattr(hubs.config(), name) for name in hubs.config().__slots__ if name != "capture_settle"}
    task |= {"stream": asdict(stream(hub)), "checkpoints": checkpoints, "config": config}
    command = [sys.executable, "-c", _PASS_IN_A_NEW_PROCESS, json.dumps(task)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_a_hub_made_anew_is_read_from_its_first_event(tables, hubs: Platform, checkpoints, caplog):
    hubs.send("epochs", events("0", range(5)))
    former = run_bronze_pass(tables, EventHubsSource(hubs.config()), stream("epochs"), checkpoints)

    with hubs.hubs("epochs:2") as anew:
        anew.send("epochs", events("0", range(100, 120)))
        source = EventHubsSource(anew.config())
        progress = run_bronze_pass(tables, source, stream("epochs"), checkpoints, former)
        again = run_bronze_pass(tables, source, stream("epochs"), f"{checkpoints}/lost", progress)

    assert bodies(tables, stream("epochs")) == [("0", n) for n in (*range(5), *range(100, 120))]
    assert progress.epoch > former.epoch
    assert progress.last_sequence_numbers["0"] == again.last_sequence_numbers["0"] == 19
    assert not progress.holes
    assert re.search(f"hub_made_anew.*hub=epochs created_at={re.escape(progress.epoch)}.*are gone", caplog.text)


def test_what_the_hub_deleted_unread_is_told_and_the_rest_is_read(tables, hubs: Platform, checkpoints):
    with hubs.hubs("short:1", "--retention-bytes", "20000") as short:
        source = EventHubsSource(short.config())
        short.send("short", events("0", range(3)))
        first = run_bronze_pass(tables, source, stream("short"), checkpoints)
        short.send_many("short", "0", [b"%d" % number + b" " * 500 for number in range(3, 203)], {})
        begin = head_of(short.hub("short")).first["0"]

        second = run_bronze_pass(tables, source, stream("short"), checkpoints, first)

    assert begin > 3
    assert second.holes == {"0": ((3, begin - 1),)}
    assert bodies(tables, stream("short")) == [("0", n) for n in (*range(3), *range(begin, 203))]
    assert missing_numbers(tables, "short", MONDAY) == [("", second.epoch, "0", 3, begin - 1)]


def test_many_events_are_several_batches_of_one_pass(spark, tables, hubs: Platform, checkpoints):
    with hubs.hubs("limited:2") as serving:
        serving.send("limited", [*events("0", range(9)), *events("1", range(2))])
        source = Watched(EventHubsSource(serving.config(max_events_a_batch=6)))
        progress = run_bronze_pass(tables, source, stream("limited"), checkpoints)

    writes = spark.sql("DESCRIBE HISTORY bronze.limited").where("operation = 'WRITE'").count()
    assert (progress.last_sequence_numbers, progress.rows_read, writes) == ({"0": 8, "1": 1}, 11, 2)
    assert source.queries == ["bronze_limited", "bronze_limited"]
    assert bodies(tables, stream("limited")) == [*(("0", n) for n in range(9)), *(("1", n) for n in range(2))]


def test_a_hub_without_events_is_read_to_its_end(tables, hubs: Platform, checkpoints):
    progress = run_bronze_pass(tables, EventHubsSource(hubs.config()), stream("empty"), checkpoints)

    assert progress == BronzeProgress({}, rows_read=0, epoch=progress.epoch)


def test_a_pass_goes_on_from_what_the_one_before_it_said(spark, tables, hubs: Platform, checkpoints):
    source = EventHubsSource(hubs.config())
    hubs.send("passes", events("0", range(3)))
    first = run_bronze_pass(tables, source, stream("passes"), checkpoints)
    hubs.send("passes", events("1", range(2)))

    second = run_bronze_pass(tables, source, stream("passes"), checkpoints, known=first)
    third = run_bronze_pass(tables, source, stream("passes"), checkpoints, known=second)

    assert (first.rows_read, second.rows_read, third.rows_read) == (3, 2, 0)
    assert second.last_sequence_numbers == third.last_sequence_numbers == {"0": 2, "1": 1}
    assert tables.version("bronze.passes") == Lake(spark).version("bronze.passes")


def test_a_wrong_secret_is_said_in_the_providers_words(tables, hubs: Platform, checkpoints):
    source = EventHubsSource(hubs.config(client_secret="not the secret"))

    with pytest.raises(EventHubError, match="AADSTS7000215") as refusal:
        run_bronze_pass(tables, source, stream("empty"), checkpoints)

    assert "not the secret" not in str(refusal.value)
