import json

import pytest

from shared.domain.windows.window import microseconds, parse_stamp
from shared.feeds.drawing.pool import Pool
from shared.feeds.feed import Position
from shared.feeds.gps.building import build
from shared.feeds.gps.feed import Gps

WINDOW = "gps-20261127T130000Z"
START = microseconds(parse_stamp("20261127T130000Z"))
RATE = 20.0


@pytest.fixture(scope="session")
def pool() -> Pool:
    return build(7)


@pytest.fixture(scope="session")
def gps(pool) -> Gps:
    return Gps(pool)


@pytest.fixture(scope="session")
def drawn(gps):
    """Give the points of half an hour: 36 of each user."""
    return gps.draw(Position(WINDOW, 3, 0, 36_000, START, RATE))["gps"]


@pytest.fixture(scope="session")
def records(drawn) -> list[dict]:
    return read(drawn)


def read(records) -> list[dict]:
    return [json.loads(line) for line in records.lines.to_pylist()]


def is_in_town(record) -> bool:
    """Say whether a point is one of a phone that knows where it is."""
    latitude, longitude = record["latitude"], record["longitude"]
    return latitude is not None and 51.4 < latitude < 51.6 and -0.3 < longitude < 0.1
