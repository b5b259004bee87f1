"""Replaying a CSV of payments: records per CPU-second beside those who convert it, and the memory that 1 GB costs."""

import os

os.environ["POLARS_MAX_THREADS"] = "1"  # read when Polars is imported

import csv
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import psutil
import pyarrow as pa

from benchmarks.interleaved import Row, Side, compare
from benchmarks.peers import csv_replays
from benchmarks.transactions import START, fresh_pool
from shared.clients.recordings.blocks import RecordingFile
from shared.clients.recordings.index import LineIndex
from shared.contracts import load_contract
from shared.feeds.feed import Position
from shared.feeds.payments.feed import FEED, Payments
from shared.feeds.replaying.header import header_of
from shared.feeds.replaying.reader import LineReader
from shared.feeds.replaying.timed import read_block

CHUNK = 50_000
"""Lines that are drawn; all sides must read them alike."""

TIMES = 4
"""So often a file has them that every side converts whole, to nowhere: what a disk takes is not compared."""

NOWHERE = Path(os.devnull)

LARGE = 1_000_000_000
MOST_MEGABYTES = 200.0
NAME = "CSV replay → records"
BARS = {"csv + json.dumps": 20.0, "pandas": 8.0, "Polars scan_csv + write_ndjson": 1.0, "DuckDB": 1.0}


def rows() -> list[Row]:
    pa.set_cpu_count(1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "payments.csv"
        names = _write(path, CHUNK)
        memory = _memory(path)  # first: what other work has freed would hide what this takes
        return [*_speed(path, names), memory]


def _speed(path: Path, names: list[str]) -> list[Row]:
    peers = {
        "csv + json.dumps": csv_replays.plain,
        "pandas": csv_replays.pandas,
        "Polars scan_csv + write_ndjson": csv_replays.polars,
        "DuckDB": lambda source, out: csv_replays.duck(source, out, names),
    }
    ours = [json.loads(line) for read in _replayed(path) for line in read.records.lines.to_pylist()]
    written = {label: _agree(label, ours, convert, path) for label, convert in peers.items()}
    del ours
    long = _repeated(path.with_name("long.csv"), path, TIMES)
    sides = {label: _side(convert, long, written[label] * TIMES) for label, convert in peers.items()}
    return compare(NAME, lambda: _count(long), sides, BARS, rounds=5)


def _count(path: Path) -> tuple[int, int]:
    """Replay to nowhere, as the others do."""
    count = size = 0
    with NOWHERE.open("wb") as out:
        for read in _replayed(path):
            size += out.write(read.records.lines.buffers()[2])
            count += len(read.records)
    return count, size


def _side(convert: Callable[[Path, Path], None], path: Path, size: int) -> Side:
    def side() -> tuple[int, int]:
        convert(path, NOWHERE)
        return CHUNK * TIMES, size

    return side


def _replayed(path: Path):
    file, contract = (
        RecordingFile(path, str(path), LineIndex(path.with_suffix(".lines"))),
        load_contract("transactions/1"),
    )
    header = header_of(file.first_line(), contract.columns)
    reader = LineReader(contract, header, FEED.replay.time, FEED.replay.blank_key)
    for block in file.blocks(header.lines + 1):
        yield read_block(reader, block)


def _agree(label: str, ours: list[dict], convert: Callable[[Path, Path], None], path: Path) -> int:
    """Compare every record with the app's; gives the bytes of all."""
    out = path.with_suffix(".ndjson")
    convert(path, out)
    with out.open(encoding="utf-8") as lines:
        for number, (mine, line) in enumerate(zip(ours, lines, strict=True)):
            if mine != json.loads(line):
                raise AssertionError(f"{label} and the app read record {number} differently: {line} {mine}")
    return out.stat().st_size


def _memory(path: Path) -> Row:
    """Replay 1 GB, made of the file's lines again and again, and sample this process's resident memory."""
    large = _repeated(path.with_name("large.csv"), path, LARGE // path.stat().st_size + 1)
    process, count = psutil.Process(), 0
    base = peak = process.memory_info().rss
    for read in _replayed(large):
        count += len(read.records)
        peak = max(peak, process.memory_info().rss)
    large.unlink()
    note = f"{count:,} records"
    return Row(
        "memory of replaying 1 GB, MB grown", "a file in blocks", (peak - base) / 1e6, MOST_MEGABYTES, True, note
    )


def _repeated(into: Path, path: Path, times: int) -> Path:
    """Write a file's lines so many times under one header."""
    header, _, body = path.read_bytes().partition(b"\n")
    with into.open("wb") as out:
        out.write(header + b"\n")
        for _ in range(times):
            out.write(body)
    return into


def _write(path: Path, count: int) -> list[str]:
    """Write drawn payments as CSV; gives the columns."""
    payments, names = Payments(fresh_pool()), [column.name for column in load_contract("transactions/1").columns]
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(names)
        for first in range(0, count, 10_000):
            lines = payments.records(Position("window", 0, first, 10_000, START, 1000.0)).lines.to_pylist()
            writer.writerows(json.loads(line).values() for line in lines)
    return names
