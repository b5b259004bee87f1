"""Where users are at a time, and what their phones say of it, flawed points among them.

Where a user is follows from the pool and the time alone: a walk goes on over all borders of slices and windows.
"""

from dataclasses import dataclass

import numpy as np

from shared.feeds.drawing.blocks import BLOCK
from shared.feeds.drawing.pool import Pool
from shared.feeds.drawing.sampling import random_rows, repeated
from shared.feeds.gps import tables
from shared.feeds.gps.building import NOISE_PARTS
from shared.feeds.gps.placing import below
from shared.feeds.gps.tables import Flaw
from shared.feeds.gps.touring import TOUR

_RANDOM = np.dtype([("noise", "<u2"), ("accuracy", "<u2"), ("flaw", "<u2"), ("far", "<u2")])
_FLAWS = np.array(repeated(tables.FLAWS), np.uint8)
_APART = 7_919_000  # ms between the starts of the tours of one user and the next: nobody goes in step with others
_OF_DECIMETRE = NOISE_PARTS * 10


def choose(seed: bytes) -> np.ndarray:
    """Draw what chance says of one block of 4,096 points: rows of random bits, a column for each thing to decide."""
    return random_rows(seed, _RANDOM, BLOCK)


class Walks:
    """The walks of all users of a pool."""

    def __init__(self, pool: Pool) -> None:
        """Lay all tours one after another, so that one search finds the corners of all."""
        columns = pool.columns
        tours = np.repeat(np.arange(len(columns["tour_first"]) - 1), np.diff(columns["tour_first"]))
        self._time = tours * np.int64(TOUR) + columns["tour_time"]
        self._latitude = columns["tour_latitude"].astype(np.int64)
        self._longitude = columns["tour_longitude"].astype(np.int64)

    def at(self, users: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give latitudes and longitudes in units, int64[n], of users at times in milliseconds since the epoch."""
        elapsed = times + users * _APART
        tour = users * tables.TOURS + elapsed // TOUR % tables.TOURS
        moment = tour * TOUR + elapsed % TOUR
        corner = np.searchsorted(self._time, moment, side="right") - 1
        since, until = self._time.take(corner), self._time.take(corner + 1)
        north, east = (self._between(each, corner, (moment - since, until - since)) for each in self._columns())
        return north, east

    def _columns(self) -> tuple[np.ndarray, np.ndarray]:
        return self._latitude, self._longitude

    @staticmethod
    def _between(places: np.ndarray, corner: np.ndarray, part: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        start = places.take(corner)
        place: np.ndarray = start + (places.take(corner + 1) - start) * part[0] // part[1]
        return place


@dataclass(frozen=True, slots=True)
class Fixes:
    """What phones say. latitude, longitude: int64[n] in units; accuracy: int64[n] in decimetres; flaw: uint8[n]."""

    latitude: np.ndarray
    longitude: np.ndarray
    accuracy: np.ndarray
    flaw: np.ndarray


class Phones:
    """The phones of all users, which err."""

    def __init__(self, pool: Pool) -> None:
        """Take the pool's errors."""
        self._north = pool.columns["noise_north"].astype(np.int64)
        self._east = pool.columns["noise_east"].astype(np.int64)

    def fixes(self, places: tuple[np.ndarray, np.ndarray], chosen: np.ndarray) -> Fixes:
        """Give what they say of the places at which they are. chosen: rows of random bits, one a point."""
        flaw = _FLAWS.take(below(len(_FLAWS), chosen["flaw"]))
        best, worst = tables.ACCURACY
        accuracy = best + below(worst - best + 1, chosen["accuracy"])
        accuracy[flaw == Flaw.POOR] *= tables.POOR_TIMES
        error = below(len(self._north), chosen["noise"])
        latitude = places[0] + self._north.take(error) * accuracy // _OF_DECIMETRE
        longitude = places[1] + self._east.take(error) * accuracy // _OF_DECIMETRE
        _spoil(latitude, longitude, flaw, chosen["far"])
        return Fixes(latitude, longitude, accuracy, flaw)


def _spoil(latitude: np.ndarray, longitude: np.ndarray, flaw: np.ndarray, bits: np.ndarray) -> None:
    """Put in place what flawed points say; those that are blank are left to their writer."""
    zero, swapped, far = (np.flatnonzero(flaw == one) for one in (Flaw.ZERO, Flaw.SWAPPED, Flaw.TELEPORT))
    latitude[zero] = longitude[zero] = 0
    latitude[flaw == Flaw.OUT_OF_RANGE] += tables.OUT_OF_RANGE_DEGREES * tables.UNITS
    latitude[swapped], longitude[swapped] = longitude[swapped], latitude[swapped]
    nearest, farthest = tables.TELEPORT_DEGREES
    latitude[far] += nearest * tables.UNITS + below((farthest - nearest) * tables.UNITS, bits[far])
