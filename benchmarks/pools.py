"""Pools of payments mapped from the Arrow file, checked and ready to draw from, beside building them with Faker."""

from benchmarks.interleaved import Row, compare
from benchmarks.transactions import POOL, fresh_pool
from shared.clients.storage.pools import read_pool
from shared.feeds.payments.building import build
from shared.feeds.payments.feed import Payments

BUILDING = "building them"


def rows() -> list[Row]:
    fresh_pool()
    return compare("pools ready to draw from", _read, {BUILDING: _build}, {BUILDING: 50.0})


def _read() -> tuple[int, int]:
    pool = read_pool(POOL)
    return len(Payments(pool).fingerprint) // 32, pool.fragments.nbytes


def _build() -> tuple[int, int]:
    pool = build(1)
    return len(Payments(pool).fingerprint) // 32, pool.fragments.nbytes


if __name__ == "__main__":
    print(rows())
