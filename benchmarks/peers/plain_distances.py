"""Other ways to find the stores near points: exact distances of all pairs in numpy, and scikit-learn's ball tree."""

import numpy as np
from sklearn.neighbors import BallTree

EARTH_RADIUS = 6_371_008.8

type Pairs = set[tuple[int, int]]


class AllPairs:
    """The haversine formula for each point and all stores at once."""

    def __init__(self, latitude: np.ndarray, longitude: np.ndarray, radius: np.ndarray) -> None:
        self.north, self.east, self.radius = np.radians(latitude), np.radians(longitude), radius
        self.cosine = np.cos(self.north)

    def near(self, latitude: np.ndarray, longitude: np.ndarray, accuracy: np.ndarray) -> Pairs:
        north, east = np.radians(latitude)[:, None], np.radians(longitude)[:, None]
        half = np.sin((self.north - north) / 2) ** 2
        half += np.cos(north) * self.cosine * np.sin((self.east - east) / 2) ** 2
        metres = 2 * EARTH_RADIUS * np.arcsin(np.sqrt(half))
        points, stores = np.nonzero(metres - accuracy[:, None] <= self.radius)
        return set(zip(points.tolist(), stores.tolist(), strict=True))


class TreeOfStores:
    """scikit-learn's ball tree of the haversine metric, asked point by point as a function is that gets one event."""

    def __init__(self, latitude: np.ndarray, longitude: np.ndarray, radius: np.ndarray) -> None:
        self.tree = BallTree(np.radians(np.stack([latitude, longitude], axis=1)), metric="haversine")
        self.radius, self.widest = radius, radius.max()

    def near(self, latitude: np.ndarray, longitude: np.ndarray, accuracy: np.ndarray) -> Pairs:
        found = set()
        for number, place in enumerate(np.radians(np.stack([latitude, longitude], axis=1))):
            reach = (self.widest + accuracy[number]) / EARTH_RADIUS
            stores, angles = self.tree.query_radius(place[None], reach, return_distance=True)
            within = angles[0] * EARTH_RADIUS - accuracy[number] <= self.radius[stores[0]]
            found |= {(number, store) for store in stores[0][within].tolist()}
        return found
