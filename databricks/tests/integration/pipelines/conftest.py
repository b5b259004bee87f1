"""A lake of test tables, dropped after each test."""

from collections.abc import Callable, Iterator

import pytest

from gold_stage import Stage
from lakehouse.lake.tables import Lake


@pytest.fixture
def stages(spark) -> Iterator[Callable[[], Stage]]:
    """Makes lakes, for tests that need one for each example."""
    before = _tables(spark)
    yield lambda: Stage(spark)
    for name in _tables(spark) - before:
        spark.sql(f"DROP TABLE {name}")


@pytest.fixture
def stage(stages) -> Stage:
    return stages()


def _tables(spark) -> set[str]:
    return {name for layer in ("silver", "gold", "restricted") for name in Lake(spark).tables(layer)}
