"""Stores and their promotions as promoting asks for them, found by the index of `shared.promotions`."""

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from shared.domain.windows.window import microseconds
from shared.promotions.matching import Points, candidates, near
from shared.promotions.places import Places
from shared.promotions.points import GpsPoint, MatchedPoints, PromotedStore


class MatchedPlaces:
    """The places of one version of the lookups; for any number of threads."""

    def __init__(self, stores: pa.Table, promotions: pa.Table) -> None:
        """Index the lookups."""
        self._places = Places(stores, promotions)

    @classmethod
    def of_files(cls, stores: bytes, promotions: bytes) -> "MatchedPlaces":
        """Index the Parquet files of both lookups; raises ValueError for one that is none."""
        try:
            return cls(*(pq.read_table(pa.BufferReader(content)) for content in (stores, promotions)))
        except (pa.ArrowException, KeyError) as error:
            raise ValueError(f"a lookup can't be read: {error}") from error

    def match(self, points: Sequence[GpsPoint]) -> MatchedPoints:
        """Match all points at once."""
        given = Points(
            latitude=np.array([point.latitude for point in points], np.float64),
            longitude=np.array([point.longitude for point in points], np.float64),
            accuracy=np.array([_accuracy(point) for point in points], np.float64),
            time=np.array([microseconds(point.at) for point in points], np.int64),
            appid=[point.appid for point in points],
        )
        found = near(given, self._places)
        return MatchedPoints(candidates(given, self._places, found), found.left_out)

    def store(self, store_id: str) -> PromotedStore:
        """Give a store of the index."""
        place = self._places.place(store_id)
        return PromotedStore(place.location, place.merchant, place.latitude, place.longitude)


def _accuracy(point: GpsPoint) -> float:
    return math.nan if point.accuracy is None else point.accuracy
