"""What the tests of sources share."""

import pytest

from lakehouse.lake.tables import Lake


@pytest.fixture
def tables(spark) -> Lake:
    """Give the tables as a process sees them that has just begun."""
    return Lake(spark)
