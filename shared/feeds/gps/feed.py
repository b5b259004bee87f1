"""The feed of app users who walk through a town: where their phones say they are."""

from datetime import timedelta
from functools import lru_cache, partial

import numpy as np
import pyarrow as pa

from shared.feeds.drawing import timestamps
from shared.feeds.drawing.blocks import check_position, pieces
from shared.feeds.drawing.identifiers import seed_of
from shared.feeds.drawing.pool import Pool
from shared.feeds.feed import Answers, Dimension, Drawn, Feed, Position, Stream
from shared.feeds.gps import tables
from shared.feeds.gps.building import VERSION, build
from shared.feeds.gps.places import PROMOTIONS, STORES, lookup
from shared.feeds.gps.walking import Phones, Walks, choose
from shared.feeds.gps.writing import lines
from shared.feeds.records import Records
from shared.feeds.slicing import StreamRecords

STREAM = Stream("gps/1")

_NAME = "gps"
_KEPT_BLOCKS = 16  # of 32 KB each: enough for the slices that overlap, drawn from in small steps
_PER_SECOND = 1_000_000


class Gps:
    """Draws points from a pool. Immutable; may be used by any number of threads."""

    def __init__(self, pool: Pool) -> None:
        """Draw from this pool, whose fingerprint belongs to the plan of every window drawn from it."""
        self._walks, self._phones = Walks(pool), Phones(pool)
        self._keys = pa.array(pool.columns["appid"])
        self._appids = np.array(self._keys.to_pylist(), "S36").view("V36")
        self._block = lru_cache(_KEPT_BLOCKS)(_choose_block)

    def draw(self, at: Position) -> StreamRecords:
        """Give the points at a position: users have their turns one after another, over all slices and windows.

        Raises ValueError as `check_position` says.
        """
        check_position(at.first, at.count, at.rate)
        times = timestamps.grid(at.start, at.rate, at.first, at.count)
        users = (_number(at) + np.arange(at.count)) % tables.USERS
        fixes = self._phones.fixes(self._walks.at(users, times // 1000), self._chosen(at))
        keys = pa.DictionaryArray.from_arrays(pa.array(users.astype(np.int32)), self._keys)
        return {STREAM.name: Records(lines(self._appids.take(users), fixes, times), keys)}

    def _chosen(self, at: Position) -> np.ndarray:
        parts = [
            self._block(at.window_id, at.slice_number, block)[start:stop]
            for block, start, stop in pieces(at.first, at.count)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _choose_block(window_id: str, slice_number: int, block: int) -> np.ndarray:
    return choose(seed_of(_NAME, window_id, slice_number, block))


def _number(at: Position) -> int:
    """Give the number of the first point, counted at this rate since the epoch."""
    return round(at.start * at.rate / _PER_SECOND) + at.first


FEED = Feed(
    name=_NAME,
    streams=(STREAM,),
    source=Drawn(VERSION, build, draw=lambda pool: Gps(pool).draw),
    every=timedelta(minutes=10),
    length=timedelta(minutes=10),
    rate=20,
    lookups=(STORES, PROMOTIONS),
    dimensions=tuple(Dimension(name, partial(lookup, name)) for name in (STORES, PROMOTIONS)),
    answers=(
        Answers("promotions/1", function="promote_points"),
        Answers("deliveries/1", function="push_promotions"),
    ),
    zone=tables.ZONE,
)
