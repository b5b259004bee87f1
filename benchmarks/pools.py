"""Pools of payments mapped from the Arrow file, checked and ready to draw from, beside building them with Faker."""

from benchmarks.interleaved import Row, compare
from benchmarks.transactions import fresh_pool
from shared.feeds.drawing.pool import Pool
from shared.feeds.payments.building import build
from shared.feeds.payments.feed import Payments

BUILDING = "building them"


def rows() -> list[Row]:
    fresh_pool()
    return compare("pools ready to draw from", _read, {BUILDING: _build}, {BUILDING: 50.0})


def _read() -> tuple[int, int]:
    return _opened(fresh_pool())


def _build() -> tuple[int, int]:
    return _opened(build(1))


def _opened(pool: Pool) -> tuple[int, int]:
    Payments(pool)
    return len(pool.fingerprint) // 32, pool.columns["fragments"].nbytes


if __name__ == "__main__":
    print(rows())
