"""Captured files: read whole, once, wherever their path has the partition."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from copies import write_captured
from lakehouse.lake.tables import Lake
from lakehouse.request import Stream
from lakehouse.sources.capture import EVENT_HUBS_LAYOUT, CapturedFile, CaptureSource, batches_of
from lakehouse.sources.capture_format import parse_capture_format
from lakehouse.streams.bronze import run_bronze_pass

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "captured"


def stream(name: str, created_at: str = "") -> Stream:
    return Stream(name, "trades", f"{name}/1", created_at)


def source(root: Path, now: datetime = NOW, **changes: object) -> CaptureSource:
    return CaptureSource(str(root), now=lambda: now, **changes)


def write(file: Path, numbers: Sequence[int], changed: datetime, at: datetime = NOW - 10 * MINUTE) -> None:
    write_captured(file, numbers, at)
    touch(file, changed)


def touch(file: Path, changed: datetime) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    os.utime(file, (changed.timestamp(), changed.timestamp()))


def held(tables: Lake, name: str) -> list[tuple[str, int]]:
    rows = tables.read(f"bronze.{name}").select("partition", "sequence_number").collect()
    return sorted(tuple(row) for row in rows)


def test_the_partition_may_stand_anywhere_in_the_path(tables, root, checkpoints):
    layout = parse_capture_format("{EventHub}/{Year}/{Month}/{Day}/{Hour}/{Minute}/{Second}/{Namespace}/{PartitionId}")
    for partition in ("0", "1"):
        write(root / f"trades/2026/11/22/11/50/00/local/{partition}.avro", range(3), NOW - 5 * MINUTE)

    run_bronze_pass(tables, source(root, layout=layout), stream("anywhere"), checkpoints)

    assert held(tables, "anywhere") == [(partition, n) for partition in "01" for n in range(3)]


def test_young_and_empty_files_wait_and_are_read_when_they_are_whole(tables, root, checkpoints):
    folder = root / "local/trades/0/2026/11/22/11"
    write(folder / "50/00.avro", range(3), NOW - 5 * MINUTE)
    touch(folder / "51/00.avro", NOW - 4 * MINUTE)
    write(folder / "52/00.avro", range(6, 8), NOW - MINUTE / 2)
    first = run_bronze_pass(tables, source(root), stream("waiting"), checkpoints)
    write(folder / "51/00.avro", range(3, 6), NOW)

    second = run_bronze_pass(tables, source(root, NOW + 2 * MINUTE), stream("waiting"), checkpoints, first)
    third = run_bronze_pass(tables, source(root, NOW + 9 * MINUTE), stream("waiting"), checkpoints, second)

    assert (first.rows_read, second.rows_read, third.rows_read) == (3, 5, 0)
    assert held(tables, "waiting") == [("0", n) for n in range(8)]


def test_files_are_taken_in_batches_and_a_process_that_knows_nothing_goes_on_there(spark, root, checkpoints):
    for minute in range(5):
        file = root / f"local/trades/0/2026/11/22/11/{minute:02}/00.avro"
        write(file, [minute], NOW - 10 * MINUTE + minute * timedelta(seconds=1))
    batched = source(root, max_files_a_batch=2)

    first = run_bronze_pass(Lake(spark), batched, stream("batched"), checkpoints)
    again = run_bronze_pass(Lake(spark), batched, stream("batched"), f"{checkpoints}/lost")

    writes = spark.sql("DESCRIBE HISTORY bronze.batched").where("operation = 'WRITE'").count()
    assert (first.rows_read, again.rows_read, writes) == (5, 0, 3)


def test_events_of_a_former_hub_keep_its_epoch_and_overlapping_files_double_nothing(tables, root, checkpoints):
    folder, monday, tuesday = root / "local/trades/0/2026/11", NOW - 2 * MINUTE, NOW + 10 * MINUTE
    write(folder / "22/10/00/00.avro", range(2), NOW - 5 * MINUTE, at=NOW - 10 * MINUTE)
    write(folder / "22/11/00/00.avro", range(3), NOW - 5 * MINUTE, at=monday)
    former = run_bronze_pass(tables, source(root), stream("former", monday.isoformat()), checkpoints)
    write(folder / "22/11/01/00.avro", range(4), tuesday, at=monday)
    write(folder / "23/11/00/00.avro", range(2), tuesday, at=tuesday)

    later = source(root, tuesday + 5 * MINUTE)
    progress = run_bronze_pass(tables, later, stream("former", tuesday.isoformat()), checkpoints, former)

    rows = tables.read("bronze.former").groupBy("epoch").count().collect()
    assert {row["epoch"]: row["count"] for row in rows} == {"": 2, former.epoch: 4, progress.epoch: 2}


def test_a_file_without_body_and_a_null_body_stop_nothing(tables, root, checkpoints):
    folder = root / "local/trades/0/2026/11/22/11"
    write(folder / "50/00.avro", [], NOW - 5 * MINUTE)
    write_captured(folder / "51/00.avro", [0], NOW, body=None)
    touch(folder / "51/00.avro", NOW - 5 * MINUTE)

    run_bronze_pass(tables, source(root), stream("bodies"), checkpoints)

    assert [row["body"] for row in tables.read("bronze.bodies").collect()] == [None]


def test_a_batch_says_before_which_moment_all_files_are_taken():
    files = [CapturedFile("a", 1), CapturedFile("b", 2), CapturedFile("c", 2), CapturedFile("d", 5)]

    assert list(batches_of(files, 2, until=9)) == [(files[:2], 2), (files[2:], 9)]
    assert list(batches_of([], 2, until=9)) == []


def test_the_default_layout_is_event_hubs_own():
    assert CaptureSource("/c").layout == EVENT_HUBS_LAYOUT
