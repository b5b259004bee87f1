"""The call centre's three streams as JSON lines beside plain Faker, uuid and json that make the same records."""

import json
from collections import Counter
from datetime import date
from itertools import count

import pyarrow as pa
from faker import Faker

from benchmarks.interleaved import Row, Side, compare
from benchmarks.peers import faker_calls
from shared.contracts import load_contract
from shared.feeds.call_centre.building import build
from shared.feeds.call_centre.dimensions import AGENTS, dimension
from shared.feeds.call_centre.feed import FEED, CallCentre
from shared.feeds.drawing.blocks import BLOCK
from shared.feeds.drawing.pool import Pool
from shared.feeds.feed import Position

START = 1_795_341_600_000_000  # 2026-11-22T10:00:00Z
RATE = 10_000.0
NAME = "call centre's three streams as JSON lines"
PEER = "plain Faker, uuid and json"
CHUNK = 200
CALLS = 2 * BLOCK


def rows() -> list[Row]:
    pa.set_cpu_count(1)
    pool = build(1)
    areas = areas_of(pool)
    fake = Faker("pt_BR")
    _agree(_columns(faker_calls.lines(fake, areas, 1000)), _columns(_lines(CallCentre(pool))))

    def peer() -> tuple[int, int]:
        made = faker_calls.lines(fake, areas, CHUNK)
        return len(made), sum(map(len, made))

    return compare(NAME, drawn(CallCentre(pool)), {PEER: peer}, {PEER: 100.0})


def areas_of(pool: Pool) -> dict[int, str]:
    agents = dimension(AGENTS, pool, date(2026, 11, 22))
    return dict(zip(agents["id_assistente"].to_pylist(), agents["area_atendimento"].to_pylist(), strict=True))


def drawn(calls: CallCentre) -> Side:
    """Draw two blocks that were never drawn before at each call."""
    numbers = count()

    def side() -> tuple[int, int]:
        records = calls.draw(_position(next(numbers))).values()
        return sum(map(len, records)), sum(one.lines.nbytes - 4 * (len(one) + 1) for one in records)

    return side


def _position(number: int) -> Position:
    return Position("window", 0, number * CALLS, CALLS, START, RATE)


def _lines(calls: CallCentre) -> list[bytes]:
    return [line for records in calls.draw(_position(0)).values() for line in records.lines.to_pylist()]


def _columns(lines: list[bytes]) -> Counter:
    """Count the records of each shape: their names, and the kinds of their values."""
    return Counter(tuple((name, type(value)) for name, value in json.loads(line).items()) for line in lines)


def _agree(theirs: Counter, ours: Counter) -> None:
    """Check that both make records of the same three shapes, in about the same shares."""
    shares = [{shape: number / made.total() for shape, number in made.items()} for made in (theirs, ours)]
    names = {tuple(column.name for column in load_contract(stream.contract).columns) for stream in FEED.streams}
    if {tuple(name for name, _ in shape) for shape in theirs} != names or theirs.keys() != ours.keys():
        raise AssertionError("Faker and the app made records of different shapes")
    if any(abs(shares[0][shape] - shares[1][shape]) > 0.1 for shape in theirs):
        raise AssertionError("Faker and the app made the three kinds of records in different shares")


if __name__ == "__main__":
    for row in rows():
        print(f"{row.beside}: {row.ratio:.4g}x (bar {row.bar}), {row.note}, met: {row.met}")
