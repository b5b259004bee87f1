import json

import pytest

from shared.domain.windows.window import microseconds, parse_stamp
from shared.feeds.drawing.pool import Pool
from shared.feeds.feed import Position
from shared.feeds.payments.building import Sizes, build
from shared.feeds.payments.feed import Payments
from shared.feeds.records import Records

SMALL = Sizes(accounts=1024, places=512, addresses=512, amounts=64, tenures=128)
WINDOW = "payments-20261122T100000Z"
START = microseconds(parse_stamp("20261122T100000Z"))


@pytest.fixture(scope="session")
def pool() -> Pool:
    return build(7, sizes=SMALL)


@pytest.fixture(scope="session")
def payments(pool) -> Payments:
    return Payments(pool)


@pytest.fixture(scope="session")
def drawn(payments) -> Records:
    return payments.records(Position(WINDOW, 0, 0, 8_000, START, 1000.0))


@pytest.fixture(scope="session")
def records(drawn) -> list[dict]:
    return [json.loads(line) for line in drawn.lines.to_pylist()]
