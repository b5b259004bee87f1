"""Which stores a point is near, and which of their promotions it may get: pure, thousands of points at once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from shared.domain.promotions import Candidate
from shared.promotions.geometry import metres_between, on_globe, ranges
from shared.promotions.offers import instant
from shared.promotions.places import WORST_ACCURACY, Places

LATEST: Final = 4_102_444_800_000_000
"""The end of 2099 in microseconds since the epoch: a phone that says a later time errs."""


@dataclass(frozen=True, eq=False, slots=True)
class Points:
    """n points of users. latitude, longitude: float64[n], degrees, NaN where the phone gave none.

    accuracy: float64[n], metres, NaN where it is not known. time: int64[n], microseconds since the epoch. appid: n
    texts.
    """

    latitude: np.ndarray
    longitude: np.ndarray
    accuracy: np.ndarray
    time: np.ndarray
    appid: Sequence[str] | np.ndarray


@dataclass(frozen=True, eq=False, slots=True)
class Near:
    """Pairs of a point and a store that it is near, by point, the nearest store first.

    point, store: int64[m], their numbers in `Points` and `Places`. metres: float64[m], between both. left_out: how many
    points can be near nothing, by reason: `blank`, `out_of_range`, `zero`, `swapped`, `inaccurate`, `time`.
    """

    point: np.ndarray
    store: np.ndarray
    metres: np.ndarray
    left_out: Mapping[str, int] = field(default_factory=dict)


def near(points: Points, places: Places) -> Near:
    """Find the stores that each point is near.

    A point is near a store when the phone may be within the store's radius: the distance less the accuracy is at most
    the radius. An accuracy that is not known counts as 0 m, and one worse than `WORST_ACCURACY` matches nothing.
    """
    usable, left_out = _usable(points, places)
    latitude, longitude = points.latitude.take(usable), points.longitude.take(usable)
    entry, owner = ranges(*places.reaching(latitude, longitude))
    store = places.near_stores.take(entry)
    metres = metres_between(
        latitude.take(owner), longitude.take(owner), places.latitude.take(store), places.longitude.take(store)
    )
    accuracy = np.nan_to_num(points.accuracy.take(usable), nan=0.0).take(owner)
    within = np.flatnonzero(metres - accuracy <= places.radius.take(store))
    point, store, metres = usable.take(owner.take(within)), store.take(within), metres.take(within)
    order = np.lexsort((metres, point))
    return Near(point.take(order), store.take(order), metres.take(order), left_out)


def candidates(points: Points, places: Places, found: Near) -> list[Candidate]:
    """Give the promotions that are valid at each point's time while their store is open.

    They are in the order of the points; of a point the best discount comes first, of equal ones that of the nearest
    store.
    """
    offers = places.offers
    offer, pair = ranges(offers.first.take(found.store), offers.count.take(found.store))
    time = points.time.take(found.point).take(pair)
    valid = np.flatnonzero(offers.may_be_had(offer, time))
    offer, pair = offer.take(valid), pair.take(valid)
    point = found.point.take(pair)
    order = np.lexsort((-offers.percent.take(offer), point))  # stable: pairs have the nearest store first
    chosen = _Chosen(offer.take(order), point.take(order), pair.take(order))
    return list(chosen.candidates(points, places, found))


@dataclass(frozen=True, eq=False, slots=True)
class _Chosen:
    """Promotions that are valid. offer, point, pair: int64[n], their numbers in `Offers`, `Points` and `Near`."""

    offer: np.ndarray
    point: np.ndarray
    pair: np.ndarray

    def candidates(self, points: Points, places: Places, found: Near) -> Iterator[Candidate]:
        offers = places.offers
        columns = (
            self.point,
            self.offer,
            found.store.take(self.pair),
            offers.percent.take(self.offer),
            found.metres.take(self.pair),
            points.time.take(self.point),
            offers.valid_to.take(self.offer),
        )
        for point, offer, store, percent, metres, at, until in zip(*map(np.ndarray.tolist, columns), strict=True):
            appid = str(points.appid[point])
            yield Candidate(
                appid, places.store_ids[store], offers.ids[offer], percent, metres, instant(at), instant(until)
            )


def _usable(points: Points, places: Places) -> tuple[np.ndarray, dict[str, int]]:
    """Give the numbers of the points that may be near something, and count the others by the first reason that fits."""
    usable, left_out = np.ones(len(points.latitude), bool), {}
    with np.errstate(invalid="ignore"):  # a comparison with NaN is false, as is meant
        for reason, meets in _REASONS.items():
            meeting = usable & meets(points, places)
            usable &= ~meeting
            if meeting.any():
                left_out[reason] = int(meeting.sum())
    return np.flatnonzero(usable), left_out


def _is_swapped(points: Points, places: Places) -> np.ndarray:
    """Say which points lie far from all stores, and among them with latitude and longitude exchanged."""
    latitude, longitude = points.latitude, points.longitude
    swapped: np.ndarray = ~places.surrounds(latitude, longitude) & places.surrounds(longitude, latitude)
    return swapped


_REASONS: Mapping[str, Callable[[Points, Places], np.ndarray]] = {
    "blank": lambda points, _: np.isnan(points.latitude) | np.isnan(points.longitude),
    "out_of_range": lambda points, _: ~on_globe(points.latitude, points.longitude),
    "zero": lambda points, _: (points.latitude == 0) & (points.longitude == 0),
    "swapped": _is_swapped,
    "inaccurate": lambda points, _: (points.accuracy > WORST_ACCURACY) | (points.accuracy < 0),
    "time": lambda points, _: (points.time < 0) | (points.time >= LATEST),
}
