"""Several hubs of one stream end in one bronze: each event once, whatever becomes of a hub, a pass or the settings."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from azure.eventhub.exceptions import EventHubError
from delta.tables import DeltaTable
from pyspark.sql import functions as F

from hub_stage import Event, Platform
from lakehouse.lake.progress import Progress
from lakehouse.lake.tables import Lake
from lakehouse.request import FurtherHub, Stream
from lakehouse.sources.eventhubs import EventHubsSource
from lakehouse.sources.reading import Reading, Take
from lakehouse.streams.bronze import BronzeProgress, run_bronze_pass
from lakehouse.streams.bronze_schema import HUB, KEY_IN_HUB, TAKEN
from lakehouse.streams.missing import missing_numbers

MONDAY, TUESDAY, FRIDAY = (datetime(2026, 11, day, 10, tzinfo=UTC) for day in (23, 24, 27))
_names = itertools.count()


@dataclass
class Hub:
    """What a made-up hub holds, as it is read: numbers by partition. failing: it is lost after so many batches."""

    numbers: Mapping[str, Sequence[int]] = field(default_factory=dict)
    epoch: str = ""
    failing: bool = False

    def read(self, reading: Reading, take: Take) -> Mapping[str, int]:
        assert reading.mark in ({}, {"seen": reading.stream.hub})
        rows = [
            (f"{reading.stream.hub} {number}".encode(), partition, "", number, MONDAY, None, {}, reading.epoch, MONDAY)
            for partition, numbers in self.numbers.items()
            for number in numbers
        ]
        take(reading.lake.spark.createDataFrame(rows, TAKEN), {"seen": reading.stream.hub})
        if self.failing:
            raise Killed
        return {}


class Killed(Exception):
    """Stands for the end of a process."""


class Hubs(dict):
    """Hubs by name."""

    def open(self, stream: Stream) -> Hub:
        return self[stream.hub]


def epoch(day: datetime) -> str:
    return day.isoformat(timespec="milliseconds")


@pytest.fixture
def stream() -> Stream:
    name = f"spread{next(_names)}"
    return Stream(name, "a", f"{name}/1", further_hubs=(FurtherHub("b"), FurtherHub("c")))


def bodies(lake: Lake, stream: Stream) -> list[tuple[str, str]]:
    """Body and hub of each event that bronze has."""
    found = lake.read(f"bronze.{stream.name}").select(F.col("body").cast("string"), F.coalesce(HUB, F.lit("")))
    return sorted((row[0], row[1]) for row in found.collect())


def test_equal_numbers_of_equal_partitions_and_epochs_of_several_hubs_are_different_events(spark, tables, stream):
    hubs = Hubs({name: Hub({"0": [0, 1], "1": [0]}, epoch(MONDAY)) for name in "abc"})

    progress = run_bronze_pass(tables, hubs, stream, "")
    again = run_bronze_pass(Lake(spark), hubs, stream, "")

    places = {"": [("0", 1), ("1", 0)], "b/": [("0", 1), ("1", 0)], "c/": [("0", 1), ("1", 0)]}
    assert bodies(tables, stream) == sorted(
        (f"{hub} {number}", "" if hub == "a" else hub) for hub in "abc" for number in (0, 1, 0)
    )
    assert progress == BronzeProgress(
        {f"{hub}{partition}": last for hub, found in places.items() for partition, last in found}, 9, epoch(MONDAY)
    )
    assert (again.rows_read, len(bodies(tables, stream))) == (9, 9)


def test_a_kill_between_two_hubs_loses_nothing_and_doubles_nothing(spark, tables, stream):
    hubs = Hubs({name: Hub({"0": [0, 1]}, epoch(MONDAY)) for name in "abc"})
    with pytest.raises(Killed):
        run_bronze_pass(tables, Hubs(hubs | {"b": replace(hubs["b"], failing=True)}), stream, "")

    progress = run_bronze_pass(Lake(spark), hubs, stream, "")

    assert [body for body, _ in bodies(tables, stream)] == [f"{hub} {number}" for hub in "abc" for number in (0, 1)]
    assert progress.last_sequence_numbers == {"0": 1, "b/0": 1, "c/0": 1}


def test_one_hub_that_was_made_anew_is_read_from_its_first_event_and_the_others_go_on(spark, tables, stream, caplog):
    hubs = Hubs({name: Hub({"0": [0, 1]}, epoch(MONDAY)) for name in "abc"})
    run_bronze_pass(tables, hubs, stream, "")
    hubs["b"] = Hub({"0": [0]}, epoch(TUESDAY))
    hubs["c"] = Hub({"0": [2]}, epoch(MONDAY))

    progress = run_bronze_pass(Lake(spark), hubs, stream, "")

    assert progress.last_sequence_numbers == {"0": 1, "b/0": 0, "c/0": 2}
    assert [body for body, _ in bodies(tables, stream)] == ["a 0", "a 1", "b 0", "b 0", "b 1", "c 0", "c 1", "c 2"]
    assert [line for line in caplog.messages if "hub_made_anew" in line and "hub=b" in line]
    assert not [line for line in caplog.messages if "hub_made_anew" in line and "hub=b" not in line]


def test_what_is_missing_is_named_of_the_hub_that_lacks_it(tables, stream):
    hubs = Hubs({"a": Hub({"0": [0, 1]}), "b": Hub({"0": [0, 3]}), "c": Hub({"0": [2]})})

    progress = run_bronze_pass(tables, hubs, stream, "")

    assert progress.holes == {"b/0": ((1, 2),), "c/0": ((0, 1),)}
    assert missing_numbers(tables, stream.name, MONDAY) == [("b", "", "0", 1, 2), ("c", "", "0", 0, 1)]


def test_a_hub_that_is_added_is_read_and_one_that_is_removed_is_left(spark, tables, stream):
    hubs = Hubs({name: Hub({"0": [0]}, epoch(MONDAY)) for name in "abcd"})
    alone = replace(stream, further_hubs=())
    run_bronze_pass(tables, hubs, alone, "")
    run_bronze_pass(Lake(spark), hubs, stream, "")
    hubs["c"] = Hub({"0": [0, 1]}, epoch(MONDAY))
    others = replace(stream, hub="d", further_hubs=(FurtherHub("c"),))

    progress = run_bronze_pass(Lake(spark), hubs, others, "")

    assert progress.last_sequence_numbers == {"0": 0, "c/0": 1}
    assert bodies(tables, stream) == [("a 0", ""), ("b 0", "b"), ("c 0", "c"), ("c 1", "c"), ("d 0", "d")]
    back = run_bronze_pass(Lake(spark), hubs, stream, "")
    assert (back.last_sequence_numbers, len(bodies(tables, stream))) == ({"0": 0, "b/0": 0, "c/0": 1}, 5)


def test_a_stream_that_moves_to_an_older_hub_has_that_read_as_another(spark, tables, stream):
    hubs = Hubs({"a": Hub({"0": [0, 1]}, epoch(TUESDAY)), "b": Hub({"0": [0, 1]}, epoch(MONDAY))})
    run_bronze_pass(tables, hubs, replace(stream, further_hubs=()), "")

    progress = run_bronze_pass(Lake(spark), hubs, replace(stream, hub="b", further_hubs=()), "")

    assert (progress.epoch, progress.last_sequence_numbers) == (epoch(MONDAY), {"0": 1})
    assert bodies(tables, stream) == [("a 0", ""), ("a 1", ""), ("b 0", "b"), ("b 1", "b")]


def test_a_table_from_before_there_could_be_several_hubs_goes_on_without_being_written_anew(spark, tables, stream):
    rows = [(b"a %d" % number, "0", f"{number}", number, MONDAY, None, {}, epoch(MONDAY), MONDAY) for number in (0, 1)]
    tables.create(f"bronze.{stream.name}", TAKEN, KEY_IN_HUB)
    source = {"epoch": epoch(MONDAY), "epochs": f'["{epoch(MONDAY)}"]', "last": '{"0": 1}'}
    tables.append(f"bronze.{stream.name}", spark.createDataFrame(rows, TAKEN), Progress(source=source))
    hubs = Hubs({"b": Hub({"0": [0]}, epoch(FRIDAY)), "a": Hub({"0": [1, 2]}, epoch(MONDAY)), "c": Hub({})})

    progress = run_bronze_pass(Lake(spark), hubs, replace(stream, hub="b", further_hubs=(FurtherHub("a"),)), "")

    assert bodies(tables, stream) == [("a 0", ""), ("a 1", ""), ("a 2", ""), ("b 0", "b")]
    assert progress.last_sequence_numbers == {"0": 0, "a/0": 2}
    history = DeltaTable.forName(spark, f"bronze.{stream.name}").history().select("operation").collect()
    assert {row[0] for row in history} == {"CREATE TABLE", "WRITE", "ADD COLUMNS"}


def test_real_hubs_are_read_into_one_bronze_by_checkpoints_of_their_own(spark, tables, hubs: Platform, checkpoints):
    stream = Stream("spread", "spread-a", "spread/1", further_hubs=(FurtherHub("spread.b"),))
    source = EventHubsSource(hubs.config())
    for hub in ("spread-a", "spread.b"):
        hubs.send(hub, [Event(hub.encode(), {}, partition="0")])

    first = run_bronze_pass(tables, source, stream, checkpoints)
    hubs.send("spread.b", [Event(b"later", {}, partition="0")])
    second = run_bronze_pass(Lake(spark), source, stream, checkpoints)

    assert (first.rows_read, second.rows_read) == (2, 1)
    assert bodies(tables, stream) == [("later", "spread.b"), ("spread-a", ""), ("spread.b", "spread.b")]
    assert second.last_sequence_numbers == {"0": 0, "spread.b/0": 1}
    assert sorted(folder.name for folder in Path(f"{checkpoints}/bronze").iterdir()) == [
        "spread",
        "spread-hub-spread.b",
    ]


def test_a_hub_that_can_not_be_asked_fails_the_pass_before_anything_is_read(tables, hubs: Platform, checkpoints):
    stream = Stream("spread_lost", "trades", "spread_lost/1", further_hubs=(FurtherHub("nowhere"),))

    with pytest.raises(EventHubError):
        run_bronze_pass(tables, EventHubsSource(hubs.config()), stream, checkpoints)
