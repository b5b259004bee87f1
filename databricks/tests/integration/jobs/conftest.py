"""A small lakehouse for each test, with schemas of its own."""

import pytest

from job_house import House


@pytest.fixture
def house(spark, tmp_path) -> House:
    return House(spark, tmp_path)
