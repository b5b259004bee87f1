"""The lookups of the town on a day: its stores, and their promotions that are valid around that day.

Each store has one promotion after another, one a period. Which promotion a period has follows from the pool and the
period's number alone, so it is the same in the files of all days that have it.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa

from shared.feeds.drawing.pool import Pool
from shared.feeds.gps import tables

STORES: Final = "stores"
PROMOTIONS: Final = "promotions_of_stores"

_DAY = 1440  # all times are int64 minutes since the epoch
_EPOCH = date(1970, 1, 1)
_FIRST = (tables.FIRST_DAY - _EPOCH).days * _DAY
_MICROSECONDS = 60_000_000
_PERCENT_STEP = 5  # how far a store's next promotion is in the tables; has no divisor in common with their lengths
_KNOWN_PERCENTS = np.array([one[-1] for one in tables.KNOWN_STORES])


def lookup(name: str, pool: Pool, day: date) -> pa.Table:
    """Give the rows of a lookup on a day, in the columns of the contract `lookups/<name>`; raises KeyError."""
    return _MAKERS[name](pool, (day - _EPOCH).days)


def _stores_on(pool: Pool, _: int) -> pa.Table:
    """Give the stores, which are the same on all days."""
    columns = pool.columns
    unplaced = columns["store_placed"] == 0
    return pa.table(
        {
            "store_id": _store_ids(np.arange(len(unplaced))),
            "location": columns["store_location"],
            "merchant": columns["store_merchant"],
            "service_type": columns["store_service"],
            "latitude": pa.array(columns["store_latitude"] / tables.UNITS, mask=unplaced),
            "longitude": pa.array(columns["store_longitude"] / tables.UNITS, mask=unplaced),
            "radius": pa.array(columns["store_radius"].astype(np.float64)),
        }
    )


def _promotions_on(pool: Pool, day: int) -> pa.Table:
    """Give the promotions that are valid within three days, of which the middle one is the given one.

    A local day begins up to 14 hours from that of UTC, and a window may end in the day after its own.
    """
    columns = pool.columns
    length = columns["promotion_days"].astype(np.int64) * _DAY
    phase = columns["promotion_phase"].astype(np.int64) + _FIRST
    earliest, latest = (day - 1) * _DAY, (day + 2) * _DAY
    first = (earliest - phase) // length
    period = np.stack([first, first + 1]).T.reshape(-1)  # periods are longer than three days
    store = np.repeat(np.arange(len(length)), 2)
    begins = phase[store] + period * length[store]
    ends = begins + length[store] * columns["promotion_lasts"][store] // 100
    valid = np.flatnonzero((ends > earliest) & (begins < latest))
    return _promotion_rows(pool, store[valid], period[valid], begins[valid], ends[valid])


def _promotion_rows(
    pool: Pool, store: np.ndarray, period: np.ndarray, begins: np.ndarray, ends: np.ndarray
) -> pa.Table:
    columns, ids = pool.columns, _store_ids(store)
    kind = (columns["promotion_kind"][store] + period) % len(tables.KINDS)
    kind[store < len(_KNOWN_PERCENTS)] = 0
    return pa.table(
        {
            "promotion_id": pa.array([f"{one}-{n}" for one, n in zip(ids.to_pylist(), period.tolist(), strict=True)]),
            "store_id": ids,
            "discount_percent": pa.array(_percents(pool, store, period)),
            "promotion_type": pa.array(tables.KINDS).take(pa.array(kind)),
            "valid_from": _instants(begins),
            "valid_to": _instants(ends),
            "opens": pa.array(columns["store_opens"][store]),
            "closes": pa.array(columns["store_closes"][store]),
            "zone": pa.array([tables.ZONE] * len(store), pa.string()),
        }
    )


def _percents(pool: Pool, store: np.ndarray, period: np.ndarray) -> np.ndarray:
    turn = (pool.columns["promotion_percent"][store] + period * _PERCENT_STEP) % len(tables.PERCENTS)
    percents: np.ndarray = np.array(tables.PERCENTS, np.int32).take(turn)
    known = np.flatnonzero(store < len(_KNOWN_PERCENTS))
    percents[known] = _KNOWN_PERCENTS.take(store[known])
    return percents


def _store_ids(numbers: np.ndarray) -> pa.Array:
    return pa.array([f"store-{number + 1:04d}" for number in numbers.tolist()])


def _instants(minutes: np.ndarray) -> pa.Array:
    return pa.array(minutes * _MICROSECONDS, pa.timestamp("us", "UTC"))


_MAKERS: Mapping[str, Callable[[Pool, int], pa.Table]] = {STORES: _stores_on, PROMOTIONS: _promotions_on}
