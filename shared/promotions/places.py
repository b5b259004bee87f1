"""Stores and their promotions, from their lookups, so that those near a point are found at once."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shared.promotions.geometry import Grid, on_globe
from shared.promotions.offers import Offers, named

DEFAULT_RADIUS: Final = 250.0
"""Metres from a store up to which its promotions reach, where it does not say."""

WORST_ACCURACY: Final = 100.0
"""Metres; what a phone says less accurately matches nothing: it may be in the next street or two."""

_CELLS_OF_REACH = 2  # smaller cells find fewer stores in vain, and take more memory: these are about 25 a store


@dataclass(frozen=True, slots=True)
class PlacedStore:
    """A store as its lookup has it. radius: metres."""

    store_id: str
    location: str
    merchant: str
    latitude: float
    longitude: float
    radius: float


class Places:
    """An index of stores and promotions, made once a lookup. Immutable; may be used by any number of threads.

    A store's number is that of its row in the lookup. left_out: by the name of a store or promotion, why it is not in
    the index.
    """

    def __init__(self, stores: pa.Table, promotions: pa.Table) -> None:
        """Index the rows of the lookups `stores` and `promotions_of_stores`, in the columns of their contracts."""
        self.store_ids: list[str] = stores["store_id"].to_pylist()
        self.latitude, self.longitude = (_floats(stores[name], np.nan) for name in ("latitude", "longitude"))
        self.radius = _floats(stores["radius"], DEFAULT_RADIUS)
        self._texts = stores.select(["location", "merchant"])
        self._numbers = {store: number for number, store in enumerate(self.store_ids)}
        placed = on_globe(self.latitude, self.longitude)
        self.offers, left_out = Offers.of(promotions, self._numbers)
        self.left_out = named(stores["store_id"], ~placed, "it has no position on the globe") | left_out
        self._index(np.flatnonzero(placed))

    def place(self, store_id: str) -> PlacedStore:
        """Give a store; raises KeyError where it is not in the lookup."""
        number = self._numbers[store_id]
        location, merchant = (self._texts[name][number].as_py() for name in ("location", "merchant"))
        place = (float(each[number]) for each in (self.latitude, self.longitude, self.radius))
        return PlacedStore(store_id, location, merchant, *place)

    def reaching(self, latitude: np.ndarray, longitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the stores that may reach each place: where they begin in `near_stores`, and how many they are."""
        cells = self._grid.cells(latitude, longitude)
        found = np.searchsorted(self._cells, cells)  # the last of all cells is none that a place can be in
        return self._cell_first.take(found), self._cell_count.take(found) * (self._cells.take(found) == cells)

    def surrounds(self, latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
        """Say of each place whether it lies within the least and greatest degrees of all stores, a degree wider."""
        (south, west), (north, east) = self._corners
        within: np.ndarray = (latitude > south) & (latitude < north) & (longitude > west) & (longitude < east)
        return within

    def _index(self, placed: np.ndarray) -> None:
        latitude, longitude = self.latitude.take(placed), self.longitude.take(placed)
        reach = self.radius.take(placed) + WORST_ACCURACY
        typical = float(np.sqrt(np.mean(reach**2))) if len(placed) else DEFAULT_RADIUS
        self._grid = Grid.of(typical / _CELLS_OF_REACH)
        cells, of_placed = self._grid.covered(latitude, longitude, reach)
        order = np.argsort(cells, kind="stable")
        self.near_stores = placed.take(of_placed.take(order))
        found, first, count = np.unique(cells.take(order), return_index=True, return_counts=True)
        self._cells, self._cell_first, self._cell_count = (
            np.append(each, end) for each, end in ((found, np.iinfo(np.int64).max), (first, 0), (count, 0))
        )
        corners = np.stack([latitude, longitude])
        self._corners = corners.min(axis=1, initial=np.inf) - 1, corners.max(axis=1, initial=-np.inf) + 1


def _floats(values: pa.ChunkedArray, default: float) -> np.ndarray:
    return np.asarray(pc.fill_null(values.cast(pa.float64()), default).to_numpy(), np.float64)
