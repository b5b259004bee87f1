"""Builds the pool of the town: its stores, their promotions, and the tours of its users."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import cos, log, pi, sin, sqrt

import numpy as np
import pyarrow as pa

from shared.feeds.drawing.identifiers import identifiers, seed_of
from shared.feeds.drawing.lines import text_column
from shared.feeds.drawing.pool import Pool, PoolColumn
from shared.feeds.drawing.sampling import random_rows, repeated
from shared.feeds.gps import tables
from shared.feeds.gps.placing import UNITS_OF_METRE, below, in_units, scattered
from shared.feeds.gps.touring import Spot, Town, tours

VERSION = 1
"""To be raised by whoever changes what is built here, what is drawn from it, or how promotions follow one another."""

NOISE_PARTS = 100
"""Noise is kept in this part of a unit of place for each metre of accuracy."""

_MIDDLES = [street[1:] for street in tables.STREETS]
_NOISE = 4_096
_WITHIN = 0.68  # an accuracy is the radius that holds so many of all points
_GOLDEN_ANGLE = pi * (3 - sqrt(5))
_STORE = np.dtype(
    [
        ("radius", "<u2"),
        ("service", "<u2"),
        ("merchant", "<u2"),
        ("hours", "<u2"),
        ("percent", "<u2"),
        ("days", "<u2"),
        ("lasts", "<u2"),
        ("kind", "<u2"),
        ("phase", "<u4"),
        ("unused", "<u4"),
    ]
)


@dataclass(frozen=True, slots=True)
class _Places:
    """Where stores are: units of place, and the number of each one's high street, -1 for none."""

    street: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray


def build(seed: int, progress: Callable[[str], None] = lambda _: None) -> Pool:
    """Build a pool; the same seed gives the same pool.

    Places are int32 numbers of `UNITS` parts of a degree; the times of a tour are int32 milliseconds since it began.
    progress: called with what is drawn next; all of it takes a second or two.
    """
    progress("stores")
    places = _store_places(seed)
    drawn = random_rows(seed_of("gps", seed, "stores"), _STORE, len(places.street))
    stores = _stores(places, drawn)
    progress("users")
    ids = identifiers(seed_of("gps", seed, "appid"), np.arange(tables.USERS, dtype=np.uint64))
    users: dict[str, PoolColumn] = {"appid": text_column(ids)}
    return Pool(VERSION, stores | users | tours(_town(places), seed) | _noise())


def _store_places(seed: int) -> _Places:
    """Give the places of the eight known stores, then those of the drawn ones around the high streets."""
    names = [street[0] for street in tables.STREETS]
    known = [names.index(street) if street else -1 for street, *_ in tables.KNOWN_STORES]
    street = np.arange(tables.DRAWN_STORES) % len(names)
    middle = in_units(_MIDDLES)[street]
    away = scattered(seed_of("gps", seed, "places"), tables.DRAWN_STORES, tables.STORE_METRES)
    places = np.concatenate([in_units([one[4:6] for one in tables.KNOWN_STORES]), middle + away])
    return _Places(np.concatenate([known, street]), places[:, 0], places[:, 1])


def _town(places: _Places) -> Town:
    of_street: list[list[Spot]] = [[] for _ in tables.STREETS]
    for street, *place in zip(*map(np.ndarray.tolist, (places.street, places.latitude, places.longitude)), strict=True):
        if street >= 0:
            of_street[street].append((place[0], place[1]))
    return Town([(north, east) for north, east in in_units(_MIDDLES).tolist()], of_street)


def _stores(places: _Places, drawn: np.ndarray) -> dict[str, PoolColumn]:
    known, size = len(tables.KNOWN_STORES), len(drawn)
    numbers = np.arange(size)
    placed = (numbers < known) | ((numbers - known) % tables.UNPLACED_EVERY != tables.UNPLACED_EVERY - 1)
    radius = _one_of(repeated(tables.RADII), drawn["radius"])
    hours = np.array(repeated(((opens, closes), share) for opens, closes, share in tables.HOURS))
    radius[:known] = 250
    opened = hours[below(len(hours), drawn["hours"])]
    opened[:known] = (0, 1440)
    return {
        "store_latitude": places.latitude.astype(np.int32),
        "store_longitude": places.longitude.astype(np.int32),
        "store_placed": placed.astype(np.uint8),
        "store_radius": radius.astype(np.int32),
        "store_opens": opened[:, 0].astype(np.int32),
        "store_closes": opened[:, 1].astype(np.int32),
        **_store_texts(places.street[known:], drawn[known:]),
        **_promotions(drawn),
    }


def _store_texts(street: np.ndarray, drawn: np.ndarray) -> dict[str, PoolColumn]:
    service = below(len(tables.SERVICES), drawn["service"])
    chosen = [tables.SERVICES[one] for one in service.tolist()]
    merchants = [
        names[bits * len(names) >> 16] for (_, names), bits in zip(chosen, drawn["merchant"].tolist(), strict=True)
    ]
    known = tables.KNOWN_STORES
    return {
        "store_location": pa.array([*(one[1] for one in known), *(tables.STREETS[one][0] for one in street.tolist())]),
        "store_merchant": pa.array([*(one[2] for one in known), *merchants]),
        "store_service": pa.array([*(one[3] for one in known), *(name for name, _ in chosen)]),
    }


def _promotions(drawn: np.ndarray) -> dict[str, PoolColumn]:
    """Give how each store's promotions follow one another; those of the known stores never change or end early."""
    known = len(tables.KNOWN_STORES)
    percent = below(len(tables.PERCENTS), drawn["percent"])
    kind = below(len(tables.KINDS), drawn["kind"])
    days = _one_of(tables.PERIOD_DAYS, drawn["days"])
    first, last = tables.LASTS_PERCENT
    lasts = first + below(last - first + 1, drawn["lasts"])
    kind[:known], lasts[:known], days[:known] = 0, 100, 28
    return {
        "promotion_percent": percent.astype(np.int32),
        "promotion_kind": kind.astype(np.int32),
        "promotion_days": days.astype(np.int32),
        "promotion_lasts": lasts.astype(np.int32),
        "promotion_phase": (drawn["phase"].astype(np.int64) % (days * 1440)).astype(np.int32),
    }


def _one_of(values: Sequence[int], bits: np.ndarray) -> np.ndarray:
    chosen: np.ndarray = np.array(values).take(below(len(values), bits))
    return chosen


def _noise() -> dict[str, PoolColumn]:
    """Give errors of a point for each metre of its accuracy, even over a normal distribution in the plane."""
    unit = UNITS_OF_METRE * NOISE_PARTS
    scale = 1 / -log(1 - _WITHIN)
    radii = [sqrt(-scale * log(1 - (number + 0.5) / _NOISE)) for number in range(_NOISE)]
    angles = [number * _GOLDEN_ANGLE for number in range(_NOISE)]
    north = [round(unit * radius * cos(angle)) for radius, angle in zip(radii, angles, strict=True)]
    east = [round(unit * radius * sin(angle) / tables.EAST_SHARE) for radius, angle in zip(radii, angles, strict=True)]
    return {"noise_north": np.array(north, np.int32), "noise_east": np.array(east, np.int32)}
