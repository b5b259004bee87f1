"""The tours of the town's users: from home from store to store, and home again, as corners in space and time."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np

from shared.feeds.drawing.identifiers import seed_of
from shared.feeds.drawing.pool import PoolColumn
from shared.feeds.drawing.sampling import random_rows
from shared.feeds.gps import tables
from shared.feeds.gps.placing import UNITS_OF_METRE, scattered

TOUR = tables.TOUR_MINUTES * 60_000
"""How long a tour takes, in milliseconds."""

_BITS = 1 << 16
_USER = np.dtype([("speed", "<u2"), ("unused", "<u2", (3,))])
_STOP = np.dtype([("street", "<u2"), ("store", "<u2"), ("dwell", "<u2"), ("bend", "<u2")])

type Spot = tuple[int, int]
"""Latitude and longitude in units."""

type Corner = tuple[int, int, int]
"""Milliseconds since the tour began, latitude and longitude."""


@dataclass(frozen=True, slots=True)
class Town:
    """Where users walk. streets: the middle of each high street; stores: by high street, the places of its stores."""

    streets: list[Spot]
    stores: list[list[Spot]]

    @property
    def next_street(self) -> list[int]:
        """Give to each high street the one that is nearest to it."""
        middles = np.array(self.streets) * (1, tables.EAST_SHARE)
        apart = np.linalg.norm(middles[:, None] - middles, axis=2)
        np.fill_diagonal(apart, np.inf)
        nearest: list[int] = apart.argmin(axis=1).tolist()
        return nearest


@dataclass(frozen=True, slots=True)
class Stop:
    """A store to walk to. dwell: milliseconds there. bend: the part of the way north or south before the turn."""

    place: Spot
    dwell: int
    bend: float


def tours(town: Town, seed: int) -> dict[str, PoolColumn]:
    """Give the tours of all users, those of one user side by side.

    tour_first: int32, the first corner of each tour, and the end of the last. tour_time: milliseconds since the tour
    began, from 0 to `TOUR`, ascending. tour_latitude, tour_longitude: units. All tours of a user begin and end at home.
    """
    corners: list[Corner] = []
    first = [0]
    for tour in _tours(town, seed):
        corners += tour
        first.append(len(corners))
    time, latitude, longitude = np.array(corners, np.int32).T.copy()
    return {
        "tour_first": np.array(first, np.int32),
        "tour_time": time,
        "tour_latitude": latitude,
        "tour_longitude": longitude,
    }


def _tours(town: Town, seed: int) -> Iterator[list[Corner]]:
    users = random_rows(seed_of("gps", seed, "users"), _USER, tables.USERS)
    away = scattered(seed_of("gps", seed, "homes"), tables.USERS, tables.HOME_METRES).tolist()
    drawn = random_rows(seed_of("gps", seed, "stops"), _STOP, tables.USERS * tables.TOURS * tables.STOPS).tolist()
    stops, nearest = iter(drawn), town.next_street
    slowest, fastest = tables.SPEED
    for number, (speed_bits, (north, east)) in enumerate(zip(users["speed"].tolist(), away, strict=True)):
        street = number % len(town.streets)
        home = town.streets[street][0] + north, town.streets[street][1] + east
        speed = (slowest + (fastest - slowest) * speed_bits / _BITS) * UNITS_OF_METRE / 1000
        for _ in range(tables.TOURS):
            mine = [_stop(town, (street, nearest[street]), one) for one in islice(stops, tables.STOPS)]
            yield tour_of(home, mine, speed)


def _stop(town: Town, streets: tuple[int, int], drawn: tuple[int, int, int, int]) -> Stop:
    other, store, dwell, bend = drawn
    stores = town.stores[streets[other * 100 < tables.OTHER_STREET_PERCENT * _BITS]]
    shortest, longest = tables.DWELL_SECONDS
    return Stop(stores[store * len(stores) >> 16], 1000 * (shortest + dwell * (longest - shortest) >> 16), bend / _BITS)


def tour_of(home: Spot, stops: list[Stop], speed: float) -> list[Corner]:
    """Walk from stop to stop at a speed in units a millisecond; a stop that leaves no time to go home is left out."""
    corners: list[Corner] = [(0, *home)]
    for stop in stops:
        there = _way(corners[-1], stop.place, stop.bend, speed)
        leave = (there[-1][0] + stop.dwell, *stop.place)
        if _way(leave, home, stop.bend, speed)[-1][0] < TOUR:
            corners += [*there, leave]
    corners += _way(corners[-1], home, 0.5, speed)
    ascending = [one for one, after in pairwise(corners) if one[0] < after[0]]
    return [*ascending, corners[-1], (TOUR, *home)]


def _way(start: Corner, place: Spot, bend: float, speed: float) -> list[Corner]:
    """Give the corners of a way along streets: a part of it north or south, all of it east or west, then the rest."""
    now, north, east = start
    turn = north + round((place[0] - north) * bend)
    corners = []
    for latitude, longitude in ((turn, east), (turn, place[1]), place):
        metres = abs(latitude - north) + abs(longitude - east) * tables.EAST_SHARE  # one of both is zero
        now, north, east = now + round(metres / speed), latitude, longitude
        corners.append((now, latitude, longitude))
    return corners
