"""Stores and their promotions as promoting asks for them."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from shared.promotions.matched_places import MatchedPlaces
from shared.promotions.points import GpsPoint, PromotedStore

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)

STORES = pa.table(
    {
        "store_id": ["near", "far"],
        "location": ["Brno", "Praha"],
        "merchant": ["Bakery", "Books"],
        "service_type": ["Bread", "Books"],
        "latitude": [49.2, 50.1],
        "longitude": [16.6, 14.4],
        "radius": pa.array([None, 250.0], pa.float64()),
    }
)
PROMOTIONS = pa.table(
    {
        "promotion_id": ["small", "large", "over"],
        "store_id": ["near", "near", "near"],
        "discount_percent": pa.array([5, 20, 50], pa.int32()),
        "promotion_type": ["Discount"] * 3,
        "valid_from": pa.array([NOON - DAY, NOON - DAY, NOON - 2 * DAY], pa.timestamp("us", "UTC")),
        "valid_to": pa.array([NOON + DAY, NOON + DAY, NOON - DAY], pa.timestamp("us", "UTC")),
        "opens": pa.array([0, 0, 0], pa.int32()),
        "closes": pa.array([1440, 1440, 1440], pa.int32()),
        "zone": ["Europe/Prague"] * 3,
    }
)


def point(latitude, longitude, accuracy=None, appid="app"):
    return GpsPoint(appid, latitude, longitude, accuracy, NOON, "s")


def test_what_is_valid_near_a_point_is_found_best_discount_first_and_where_its_store_is():
    places = MatchedPlaces(STORES, PROMOTIONS)

    found = places.match([point(48.0, 17.0, appid="nowhere"), point(49.201, 16.6, 8.0)]).candidates

    assert [(one.appid, one.promotion_id, one.at) for one in found] == [("app", "large", NOON), ("app", "small", NOON)]
    assert 100 < found[0].metres < 120
    assert found[0].valid_until == NOON + DAY
    assert places.store("near") == PromotedStore("Brno", "Bakery", 49.2, 16.6)


def test_a_batch_without_points_has_no_candidates():
    assert list(MatchedPlaces(STORES, PROMOTIONS).match([]).candidates) == []
