"""Stores and their promotions as promoting asks for them, found by the index of `shared.promotions`."""

import logging
import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from shared import telemetry
from shared.domain.promotions import Candidate
from shared.domain.windows.window import microseconds
from shared.flows.promote import GpsPoint, PromotedStore
from shared.promotions.matching import Points, candidates, near
from shared.promotions.places import Places

logger = logging.getLogger(__name__)


class MatchedPlaces:
    """The places of one version of the lookups; for any number of threads."""

    def __init__(self, stores: pa.Table, promotions: pa.Table) -> None:
        """Index the lookups, and tell what is left out of them."""
        self._places = Places(stores, promotions)
        if self._places.left_out:
            telemetry.warning(logger, "places.left_out", count=len(self._places.left_out))

    def candidates(self, points: Sequence[GpsPoint]) -> Sequence[Candidate]:
        """Match all points at once; those that can be near nothing are told of by reason."""
        given = Points(
            latitude=np.array([point.latitude for point in points], np.float64),
            longitude=np.array([point.longitude for point in points], np.float64),
            accuracy=np.array([_accuracy(point) for point in points], np.float64),
            time=np.array([microseconds(point.at) for point in points], np.int64),
            appid=[point.appid for point in points],
        )
        found = near(given, self._places)
        if found.left_out:
            telemetry.info(logger, "promotions.points_left_out", **found.left_out)
        return candidates(given, self._places, found)

    def store(self, store_id: str) -> PromotedStore:
        """Give a store of the index."""
        place = self._places.place(store_id)
        return PromotedStore(place.location, place.merchant, place.latitude, place.longitude)


def _accuracy(point: GpsPoint) -> float:
    return math.nan if point.accuracy is None else point.accuracy
