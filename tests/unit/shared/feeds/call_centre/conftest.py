import json

import pytest

from shared.domain.windows.window import microseconds, parse_stamp
from shared.feeds.call_centre.building import build
from shared.feeds.call_centre.feed import CallCentre
from shared.feeds.drawing.pool import Pool
from shared.feeds.feed import Position
from shared.feeds.slicing import StreamRecords

WINDOW = "call_centre-20261127T130000Z"
START = microseconds(parse_stamp("20261127T130000Z"))


@pytest.fixture(scope="session")
def pool() -> Pool:
    return build(7)


@pytest.fixture(scope="session")
def call_centre(pool) -> CallCentre:
    return CallCentre(pool)


@pytest.fixture(scope="session")
def drawn(call_centre) -> StreamRecords:
    """Give the calls of 24 hours, from ten in the morning on: 20,000 of them."""
    return call_centre.draw(Position(WINDOW, 0, 0, 20_000, START, 20_000 / 86_400))


@pytest.fixture(scope="session")
def records(drawn) -> dict[str, list[dict]]:
    return {stream: read(one) for stream, one in drawn.items()}


def read(records) -> list[dict]:
    return [json.loads(line) for line in records.lines.to_pylist()]
