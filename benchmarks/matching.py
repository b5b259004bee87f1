"""Finding the stores near points, of 10,000 stores: beside exact distances of all pairs, and a tree asked a point."""

from itertools import count

import numpy as np
import pyarrow as pa

from benchmarks.interleaved import Row, Side, compare
from benchmarks.peers.plain_distances import AllPairs, Pairs, TreeOfStores
from shared.promotions.matching import Points, near
from shared.promotions.places import Places

STORES, POINTS = 10_000, 65_536
BATCH, FEW = 1_024, 32
NAME = f"points matched with {STORES:,} stores"
PAIRWISE, TREE = "exact distances of all pairs in numpy", "scikit-learn's BallTree, called a point"
BARS = {PAIRWISE: 20.0, TREE: 5.0}
LEAST, MOST = (51.35, -0.45), (51.68, 0.20)
"""The corners of London, over which stores and points are spread."""
RADII = (100.0, 150.0, 250.0, 400.0)
OFFERS = pa.schema(
    [
        ("promotion_id", pa.string()), ("store_id", pa.string()), ("discount_percent", pa.int32()),
        ("promotion_type", pa.string()), ("valid_from", pa.timestamp("us", "UTC")),
        ("valid_to", pa.timestamp("us", "UTC")), ("opens", pa.int32()), ("closes", pa.int32()), ("zone", pa.string()),
    ]
)  # fmt: skip


def rows() -> list[Row]:
    random = np.random.default_rng(1)
    latitude, longitude = random.uniform(LEAST, MOST, (STORES, 2)).T
    radius = random.choice(RADII, STORES)
    places = Places(_table(latitude, longitude, radius), OFFERS.empty_table())
    points = _points(random)
    pairwise, tree = AllPairs(latitude, longitude, radius), TreeOfStores(latitude, longitude, radius)
    _agree(places, points, pairwise, tree)
    peers = {PAIRWISE: _peer(pairwise, points, FEW), TREE: _peer(tree, points, FEW * 8)}
    return [
        *compare(NAME, _ours(places, points), peers, BARS),
        *compare(f"{NAME}, one a call", _ours(places, points, 1), peers, {}),
    ]


def _table(latitude: np.ndarray, longitude: np.ndarray, radius: np.ndarray) -> pa.Table:
    names = [f"store-{number}" for number in range(len(latitude))]
    columns = {"store_id": names, "location": names, "merchant": names, "service_type": names}
    return pa.table(columns | {"latitude": latitude, "longitude": longitude, "radius": radius})


def _points(random: np.random.Generator) -> Points:
    latitude, longitude = random.uniform(LEAST, MOST, (POINTS, 2)).T.copy()
    return Points(latitude, longitude, random.uniform(5, 20, POINTS), np.zeros(POINTS, np.int64), [""] * POINTS)


def _part(points: Points, first: int, number: int) -> Points:
    part = slice(first, first + number)
    columns = (points.latitude, points.longitude, points.accuracy, points.time, points.appid)
    return Points(*(each[part] for each in columns))


def _ours(places: Places, points: Points, batch: int = BATCH) -> Side:
    numbers = count()

    def side() -> tuple[int, int]:
        found = near(_part(points, next(numbers) * batch % POINTS, batch), places)
        return batch, found.metres.nbytes

    return side


def _peer(peer: AllPairs | TreeOfStores, points: Points, batch: int) -> Side:
    numbers = count()

    def side() -> tuple[int, int]:
        asked = _part(points, next(numbers) * batch % POINTS, batch)
        return batch, 8 * len(peer.near(asked.latitude, asked.longitude, asked.accuracy))

    return side


def _agree(places: Places, points: Points, *peers: AllPairs | TreeOfStores) -> None:
    """Check that all find the same pairs."""
    asked = _part(points, 0, 512)
    found = near(asked, places)
    ours: Pairs = set(zip(found.point.tolist(), found.store.tolist(), strict=True))
    if not ours or any(peer.near(asked.latitude, asked.longitude, asked.accuracy) != ours for peer in peers):
        raise AssertionError("the sides found different stores near the same points")


if __name__ == "__main__":
    for row in rows():
        print(f"{row.name} | {row.beside}: {row.ratio:.4g}x (bar {row.bar}), {row.note}, met: {row.met}")
