import json
from decimal import Decimal

import pytest

from shared.domain.windows.window import microseconds, parse_stamp
from shared.feeds.drawing.pool import Pool
from shared.feeds.feed import Position
from shared.feeds.shop.building import build
from shared.feeds.shop.feed import Shop
from shared.feeds.slicing import StreamRecords

WINDOW = "shop-20261127T130000Z"
START = microseconds(parse_stamp("20261127T130000Z"))
STREAMS = ("pageviews", "stars", "items", "orders")
HOUR = Position(WINDOW, 0, 0, 36_000, START, 10.0)


@pytest.fixture(scope="session")
def pool() -> Pool:
    return build(7)


@pytest.fixture(scope="session")
def shop(pool) -> Shop:
    return Shop(pool)


@pytest.fixture(scope="session")
def drawn(shop) -> StreamRecords:
    """Give an hour of views, ten in a second."""
    return shop.draw(HOUR)


@pytest.fixture(scope="session")
def records(drawn) -> dict[str, list[dict]]:
    return {stream: read(one) for stream, one in drawn.items()}


def read(records) -> list[dict]:
    return [json.loads(line, parse_float=Decimal) for line in records.lines.to_pylist()]
