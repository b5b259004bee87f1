"""Writes drawn points, their lookups, and what the app's own rule makes of them, for the lakehouse to be held to.

Run as `python tests/gps_truth/write.py <folder>`: the lakehouse's tests have an environment of their own.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from shared.domain.promotions import Candidate, Given, Rules, by_user, decide
from shared.feeds.feed import Drawn, Position
from shared.feeds.gps.feed import FEED
from shared.feeds.gps.places import PROMOTIONS, STORES, lookup
from shared.promotions.matched_places import MatchedPlaces
from shared.promotions.points import GpsPoint

POINTS = 100_000
START = datetime(2026, 11, 22, 9, tzinfo=UTC)
"""The points are of the 28 hours after it: a user has one in 17 minutes, and a day ends between them."""


def write(folder: Path) -> None:
    """Write points.parquet, stores.parquet, promotions_of_stores.parquet and decided.json."""
    source = FEED.source
    assert isinstance(source, Drawn)
    pool = source.build(source.seed, lambda _: None)
    at = Position("gps-20261122T090000Z", 0, 0, POINTS, int(START.timestamp()) * 1_000_000, 1.0)
    lines = source.draw(pool)(at)["gps"].lines.to_pylist()
    points = [point for line in lines if _keeps_contract(point := json.loads(line, parse_float=str))]
    stores, promotions = (lookup(name, pool, date(2026, 11, 22)) for name in (STORES, PROMOTIONS))
    pq.write_table(pa.Table.from_pylist(points), folder / "points.parquet")
    pq.write_table(stores, folder / f"{STORES}.parquet")
    pq.write_table(promotions, folder / f"{PROMOTIONS}.parquet")
    (folder / "decided.json").write_text(json.dumps(list(_decided(MatchedPlaces(stores, promotions), points))))


def _keeps_contract(point: dict[str, Any]) -> bool:
    latitude, longitude = point["latitude"], point["longitude"]
    return latitude is not None and abs(float(latitude)) <= 90 and abs(float(longitude)) <= 180


def _decided(places: MatchedPlaces, points: Sequence[dict[str, Any]]) -> Iterator[list[Any]]:
    """Give what became of each user's candidates by day and store, and which promotion it got."""
    matched = places.match([_point(one) for one in points])
    for appid, candidates in by_user(matched.candidates).items():
        decision = decide(candidates, Given(), Rules())
        outcomes = (decision.promoted, decision.suppressed_by_cap, decision.suppressed_by_cool_down)
        counts = [Counter(map(_store_and_day, each)) for each in outcomes]
        promoted = {_store_and_day(one): one.promotion_id for one in decision.promoted}
        for store, day in sorted({_store_and_day(one) for one in candidates}):
            each = [count[store, day] for count in counts]
            yield [day, appid, store, sum(each), *each, promoted.get((store, day))]


def _point(point: dict[str, Any]) -> GpsPoint:
    place = (float(point["latitude"]), float(point["longitude"]))
    return GpsPoint(point["appid"], *place, float(point["accuracy"]), datetime.fromisoformat(point["time"]), "")


def _store_and_day(one: Candidate) -> tuple[str, str]:
    return one.store_id, one.at.date().isoformat()


if __name__ == "__main__":
    write(Path(sys.argv[1]))
