"""A small lakehouse for each test, with tables of its own."""

from collections.abc import Iterator

import pytest

from job_house import House
from lakehouse.session import SCHEMAS


@pytest.fixture
def house(spark, tmp_path) -> Iterator[House]:
    before = _tables(spark)
    assert not [name for name in before if name.endswith((".trades", ".transactions"))], before
    yield House(spark, tmp_path)
    for name in _tables(spark) - before:
        spark.sql(f"DROP TABLE {name}")


def _tables(spark) -> set[str]:
    return {f"{schema}.{table.name}" for schema in SCHEMAS for table in spark.catalog.listTables(schema)}
