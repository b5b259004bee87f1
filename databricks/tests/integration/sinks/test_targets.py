"""Each target keeps the promises of targets."""

from datetime import date
from decimal import Decimal

import pytest

from targets import DAYS, PROMISES, Stage


@pytest.fixture
def stage(spark, database, sink):
    sink.prepare([DAYS])

    def found():
        rows = database.query("SELECT number, day, amount FROM Things ORDER BY 1")
        return [(number, date.fromisoformat(day), Decimal(amount)) for number, day, amount in rows]

    return Stage(spark, sink, found)


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_a_target_keeps_its_promise(promise, stage):
    promise(stage)
