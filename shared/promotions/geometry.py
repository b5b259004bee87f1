"""Distances on the globe, and a grid of its surface whose cells are about as wide as they are high everywhere."""

from dataclasses import dataclass

import numpy as np

EARTH_RADIUS = 6_371_008.8
"""Mean radius of WGS 84 in metres (IUGG)."""

_NORTHERNMOST, _EASTERNMOST = 90, 180
_METRES_OF_DEGREE = EARTH_RADIUS * np.pi / 180


def on_globe(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Say which places there are: none is where a coordinate is NaN or out of range."""
    there: np.ndarray = (np.abs(latitude) <= _NORTHERNMOST) & (np.abs(longitude) <= _EASTERNMOST)
    return there


def metres_between(
    latitude: np.ndarray, longitude: np.ndarray, other_latitude: np.ndarray, other_longitude: np.ndarray
) -> np.ndarray:
    """Give the great-circle distances of places in degrees, by the haversine formula; arrays are broadcast.

    The ellipsoid that the sphere stands for differs from it by at most 0.6 %: 1.4 m at 250 m.
    """
    north, other_north = np.radians(latitude), np.radians(other_latitude)
    east_half = np.sin(np.radians(other_longitude - longitude) / 2)
    half = np.sin((other_north - north) / 2) ** 2 + np.cos(north) * np.cos(other_north) * east_half**2
    metres: np.ndarray = 2 * EARTH_RADIUS * np.arcsin(np.sqrt(np.minimum(half, 1)))
    return metres


def ranges(first: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give for each i the numbers from `first[i]` on, `count[i]` of them, in one row; and of which i each is."""
    owner = np.repeat(np.arange(len(count)), count)
    before = np.cumsum(count) - count
    return np.arange(len(owner)) - before.take(owner) + first.take(owner), owner


@dataclass(frozen=True, eq=False, slots=True)
class Grid:
    """Rows of latitude, each cut into cells of longitude. columns: int64[rows]; first: the number of a row's first."""

    columns: np.ndarray
    first: np.ndarray

    @classmethod
    def of(cls, metres: float) -> "Grid":
        """Make a grid whose cells are about so many metres high and wide."""
        rows = max(1, round(180 * _METRES_OF_DEGREE / metres))
        middles = (np.arange(rows) + 0.5) * np.pi / rows - np.pi / 2
        around = 360 * _METRES_OF_DEGREE * np.cos(middles)
        columns = np.maximum(1, np.rint(around / metres)).astype(np.int64)
        return cls(columns, np.cumsum(columns) - columns)

    def cells(self, latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
        """Give the number of each place's cell; 180° west and east are the same."""
        row = self._rows(latitude)
        columns = self.columns.take(row)
        cells: np.ndarray = self.first.take(row) + _columns(longitude, columns) % columns
        return cells

    def covered(self, latitude: np.ndarray, longitude: np.ndarray, reach: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give all cells that hold a place within `reach` metres of a centre, perhaps a few more; and whose each is.

        A circle that holds a pole has all cells of the rows that it meets.
        """
        angle = (reach * (1 + 1e-9) + 0.01) / EARTH_RADIUS  # by so much more as rounding may cost
        lowest, highest = (self._rows(latitude + side * np.degrees(angle)) for side in (-1, 1))
        row, owner = ranges(lowest, highest - lowest + 1)
        columns = self.columns.take(row)
        half = _half_width(latitude, angle).take(owner)
        middle = longitude.take(owner)
        west, east = _columns(middle - half, columns), _columns(middle + half, columns)
        cell, of_row = ranges(west, np.minimum(east - west + 1, columns))
        return self.first.take(row).take(of_row) + cell % columns.take(of_row), owner.take(of_row)

    def _rows(self, latitude: np.ndarray) -> np.ndarray:
        rows = len(self.columns)
        row: np.ndarray = np.clip(np.floor((latitude + 90) / 180 * rows), 0, rows - 1).astype(np.int64)
        return row


def _columns(longitude: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Count columns from 180° west, beyond 180° on to numbers that are not in the row."""
    column: np.ndarray = np.floor((longitude + 180) / 360 * columns).astype(np.int64)
    return column


def _half_width(latitude: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Give how many degrees of longitude a circle reaches to either side of its centre."""
    centre = np.radians(np.abs(latitude))
    with_pole = centre + angle >= np.pi / 2
    share = np.sin(angle) / np.cos(np.where(with_pole, 0, centre))
    return np.where(with_pole, 180, np.degrees(np.arcsin(np.minimum(share, 1))))
