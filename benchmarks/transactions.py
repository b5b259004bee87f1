"""Transactions as JSON lines beside plain Faker, plain mimesis and Polars on the same pools; one thread each."""

import os

os.environ["POLARS_MAX_THREADS"] = "1"  # read when Polars is imported

import json
from itertools import count
from pathlib import Path

import pyarrow as pa
from faker import Faker

from benchmarks.interleaved import Row, Side, compare
from benchmarks.peers import faker_plain, mimesis_plain
from benchmarks.peers.polars_pools import PolarsPayments
from shared.feeds.drawing.blocks import BLOCK
from shared.feeds.drawing.pool import Pool
from shared.feeds.feed import Position
from shared.feeds.payments.building import build
from shared.feeds.payments.feed import Payments
from shared.feeds.payments.pool import VERSION, PaymentColumns

POOL = Path(f".local/benchmarks/payments-v{VERSION}.arrow")
START = 1_795_341_600_000_000  # 2026-11-22T10:00:00Z
RATE = 10_000.0
NAME = "transactions as JSON lines"


def rows() -> list[Row]:
    pa.set_cpu_count(1)
    pool = fresh_pool()
    first = Payments(pool).records(Position("window", 0, 0, 1, START, RATE)).lines[0].as_py()
    polars = PolarsPayments(PaymentColumns.of(pool), list(json.loads(first)))
    _agree(pool, polars)
    peers = {
        "plain Faker": _lines(faker_plain.lines, Faker("en_US"), 200),
        "plain mimesis": _lines(mimesis_plain.lines, mimesis_plain.Providers(1), 1000),
        "Polars struct.json_encode": _encoded(polars),
        "Polars write_ndjson": _ndjson(polars),
    }
    bars = {"plain Faker": 200.0, "plain mimesis": 15.0, "Polars struct.json_encode": 1.5, "Polars write_ndjson": 1.5}
    return compare(NAME, drawn(Payments(pool)), peers, bars)


def fresh_pool() -> Pool:
    """Give the pool as the app has it at its second start: built once, mapped from the file."""
    if not POOL.exists():
        POOL.parent.mkdir(parents=True, exist_ok=True)
        POOL.write_bytes(build(1).to_bytes())
    return Pool.from_buffer(pa.memory_map(str(POOL)).read_buffer())


def drawn(payments: Payments) -> Side:
    """Draw a block that was never drawn before at each call."""
    blocks = count()

    def side() -> tuple[int, int]:
        records = payments.records(Position("window", 0, next(blocks) * BLOCK, BLOCK, START, RATE))
        return len(records), records.lines.nbytes - 4 * (BLOCK + 1)

    return side


def _lines(lines, fake, chunk: int) -> Side:
    def side() -> tuple[int, int]:
        made = lines(fake, chunk)
        return len(made), sum(map(len, made))

    return side


def _encoded(polars: PolarsPayments) -> Side:
    blocks = count()

    def side() -> tuple[int, int]:
        series = polars.encode(next(blocks))
        return len(series), int(series.estimated_size())

    return side


def _ndjson(polars: PolarsPayments) -> Side:
    blocks = count()

    def side() -> tuple[int, int]:
        return BLOCK, len(polars.ndjson(next(blocks)))

    return side


def _agree(pool: Pool, polars: PolarsPayments) -> None:
    """Check that Polars writes the records that we do; only the decimals of a number may differ (12.5 for 12.50)."""
    ours = Payments(pool).records(Position("window", 0, 0, BLOCK, 0, 1000.0)).lines.to_pylist()
    theirs = polars.encode(0).to_list()
    if [json.loads(line) for line in ours] != [json.loads(line) for line in theirs]:
        raise AssertionError("Polars and the app wrote different records")


if __name__ == "__main__":
    for row in rows():
        print(f"{row.beside}: {row.ratio:.4g}x (bar {row.bar}), {row.note}, met: {row.met}")
