"""Stores, promotions and points, as tests of matching write them."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from shared.domain.windows.window import microseconds
from shared.promotions.matching import Points
from shared.promotions.places import Places

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
NAMES = ("store_id", "location", "merchant", "service_type", "latitude", "longitude", "radius")
STORE_TYPES = dict(zip(NAMES, [pa.string()] * 4 + [pa.float64()] * 3, strict=True))
INSTANT = pa.timestamp("us", "UTC")
PROMOTION_TYPES = {
    "promotion_id": pa.string(),
    "store_id": pa.string(),
    "discount_percent": pa.int32(),
    "promotion_type": pa.string(),
    "valid_from": INSTANT,
    "valid_to": INSTANT,
    "opens": pa.int32(),
    "closes": pa.int32(),
    "zone": pa.string(),
}


def store(store_id, latitude, longitude, radius=None):
    return dict(zip(NAMES, (store_id, "Here", "Whose", "Tea", latitude, longitude, radius), strict=True))


def promotion(promotion_id, store_id, percent=10, **changes):
    ever = {"valid_from": datetime(2000, 1, 1, tzinfo=UTC), "valid_to": datetime(2090, 1, 1, tzinfo=UTC)}
    hours = {"opens": 0, "closes": 1440, "zone": "Europe/London"}
    names = {"promotion_id": promotion_id, "store_id": store_id, "discount_percent": percent, "promotion_type": "Any"}
    return names | ever | hours | changes


def places(stores, promotions=()):
    return Places(
        pa.Table.from_pylist(list(stores), pa.schema(STORE_TYPES)),
        pa.Table.from_pylist(list(promotions), pa.schema(PROMOTION_TYPES)),
    )


def points(*rows, at=NOON):
    """Make points of (latitude, longitude) or (latitude, longitude, accuracy); None is a blank."""
    full = [(*row, None)[:3] for row in rows]
    numbers = np.array([[np.nan if one is None else one for one in row] for row in full], float).reshape(-1, 3)
    times = np.full(len(rows), microseconds(at), np.int64)
    return Points(*numbers.T.copy(), times, [f"user-{number}" for number in range(len(rows))])
