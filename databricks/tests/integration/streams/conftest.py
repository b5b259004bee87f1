"""Silver of one stream for each test, with tables of its own."""

from collections.abc import Iterator

import pytest

from silver_house import SilverHouse


@pytest.fixture
def house(spark) -> Iterator[SilverHouse]:
    made = SilverHouse(spark)
    made.drop()
    yield made
    made.drop()
