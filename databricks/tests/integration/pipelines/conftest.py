"""A lake of test tables, dropped after each test."""

from collections.abc import Callable, Iterator

import pytest

from gold_stage import Stage
from new_tables import new_tables_dropped


@pytest.fixture
def stages(spark) -> Iterator[Callable[[], Stage]]:
    """Makes lakes, for tests that need one for each example."""
    with new_tables_dropped(spark):
        yield lambda: Stage(spark)


@pytest.fixture
def stage(stages) -> Stage:
    return stages()
