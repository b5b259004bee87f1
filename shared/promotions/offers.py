"""The promotions of stores, and at which times one may get them: while it is valid and its store is open."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa

_MINUTE = 60_000_000
_QUARTER = 15 * _MINUTE  # since 1970 clocks have been changed at whole quarters of an hour
_DAY = 1440
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, eq=False, slots=True)
class Offers:
    """Promotions, those of one store side by side.

    first, count: int64[stores], where those of a store lie. ids: their names. percent: int64. valid_from, valid_to:
    int64, microseconds since the epoch. opens, closes: int64, minutes of the store's day. zone: int64, number into
    `zones`.
    """

    first: np.ndarray
    count: np.ndarray
    ids: list[str]
    percent: np.ndarray
    valid_from: np.ndarray
    valid_to: np.ndarray
    opens: np.ndarray
    closes: np.ndarray
    zone: np.ndarray
    zones: list[ZoneInfo]

    @classmethod
    def of(cls, promotions: pa.Table, stores: Mapping[str, int]) -> tuple[Self, dict[str, str]]:
        """Sort the rows of a lookup by their store; and say by their names why some are left out.

        stores: the number of each store, from 0 on.
        """
        store = np.array([stores.get(one, -1) for one in promotions["store_id"].to_pylist()], np.int64)
        known = np.array([_zone(one) is not None for one in promotions["zone"].to_pylist()], bool)
        left_out = named(promotions["promotion_id"], store < 0, "its store is not in the lookup")
        left_out |= named(promotions["promotion_id"], (store >= 0) & ~known, "there is no such time zone")
        usable = np.flatnonzero((store >= 0) & known)
        order = usable.take(np.argsort(store.take(usable), kind="stable"))
        count = np.bincount(store.take(order), minlength=len(stores))
        return cls._sorted(promotions.take(pa.array(order)), count), left_out

    @classmethod
    def _sorted(cls, rows: pa.Table, count: np.ndarray) -> Self:
        zones = rows["zone"].combine_chunks().dictionary_encode()
        return cls(
            first=np.cumsum(count) - count,
            count=count,
            ids=rows["promotion_id"].to_pylist(),
            percent=_integers(rows["discount_percent"]),
            valid_from=_integers(rows["valid_from"]),
            valid_to=_integers(rows["valid_to"]),
            opens=_integers(rows["opens"]),
            closes=_integers(rows["closes"]),
            zone=_integers(pa.chunked_array([zones.indices])),
            zones=[ZoneInfo(name) for name in zones.dictionary.to_pylist()],
        )

    def may_be_had(self, offer: np.ndarray, time: np.ndarray) -> np.ndarray:
        """Say whether each offer is valid at a time (microseconds since the epoch) at which its store is open."""
        valid = (self.valid_from.take(offer) <= time) & (time < self.valid_to.take(offer))
        which = np.flatnonzero(valid)
        valid[which] = self._open(offer.take(which), time.take(which))
        return valid

    def _open(self, offer: np.ndarray, time: np.ndarray) -> np.ndarray:
        """Say whether each offer's store is open; one that closes no later than it opens, closes the next day."""
        minute = self._local_minutes(self.zone.take(offer), time)
        opens, closes = self.opens.take(offer), self.closes.take(offer)
        after, before = minute >= opens, minute < closes
        return np.where(opens < closes, after & before, after | before)

    def _local_minutes(self, zone: np.ndarray, time: np.ndarray) -> np.ndarray:
        """Give the minute of the local day; an offset is looked up once for a zone and quarter of an hour."""
        looked_up, which = np.unique(np.stack([zone, time // _QUARTER]), axis=1, return_inverse=True)
        offsets = [_offset(self.zones[one], quarter) for one, quarter in looked_up.T.tolist()]
        minutes: np.ndarray = (time // _MINUTE + np.array(offsets, np.int64).take(which)) % _DAY
        return minutes


def instant(microseconds: int) -> datetime:
    """Give a time in UTC from its microseconds since the epoch."""
    return _EPOCH + timedelta(microseconds=microseconds)


def named(names: pa.ChunkedArray, which: np.ndarray, reason: str) -> dict[str, str]:
    """Say the reason of those that are meant, by their names."""
    return dict.fromkeys(names.filter(pa.array(which)).to_pylist(), reason)


def _integers(values: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(values.cast(pa.int64()).to_numpy(), np.int64)


@lru_cache(4096)
def _offset(zone: ZoneInfo, quarter: int) -> int:
    """Give a zone's offset from UTC in minutes."""
    local = instant(quarter * _QUARTER).astimezone(zone)
    return (local.utcoffset() or timedelta()) // timedelta(minutes=1)


@cache
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None
