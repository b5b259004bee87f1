"""The push of a published table's rows: at least once, and never in the way of what must arrive."""

import json

import pytest

from lakehouse.lake.progress import Progress
from lakehouse.pipelines.kinds.kind import NewRows
from lakehouse.sinks.power_bi import PowerBi, RateLimit
from lakehouse.sinks.push import PushTarget
from lakehouse.sinks.tables import UnfitTable
from sql_tables import table

THINGS = table("id long, amount decimal(10,2)", "id", pushed=True)


class Service:
    """A push dataset that answers with one status."""

    def __init__(self):
        self.status, self.taken = 200, []

    def post(self, _url, body):
        self.taken += json.loads(body)
        return self.status, 0.0


@pytest.fixture
def service():
    return Service()


@pytest.fixture
def target(sink, service):
    sink.prepare([THINGS])
    rate_limit = RateLimit(lambda: 0.0, lambda _seconds: None)
    return PushTarget(PowerBi("https://example.org/push", rate_limit, service.post), sink)


def progress(version):
    return Progress({"gold.things": version})


def rows(spark, *numbers):
    return NewRows(spark.createDataFrame([(number, None) for number in numbers], THINGS.schema))


def test_rows_are_pushed_and_that_is_recorded(target, sink, service, spark):
    target.prepare([THINGS])
    target.write(THINGS, rows(spark, 1, 2), progress(3))

    assert service.taken == [{"id": 1, "amount": None}, {"id": 2, "amount": None}]
    assert (target.progress(THINGS), sink.progress(THINGS)) == (progress(3), None)


def test_what_the_service_refuses_is_left(target, service, spark, caplog):
    service.status = 403

    target.write(THINGS, rows(spark, 1), progress(3))

    assert target.progress(THINGS) == progress(3)
    assert "power_bi.left table=Things" in caplog.text


def test_a_push_begins_where_sql_is(target, sink, spark):
    sink.write(THINGS, rows(spark, 1), progress(3))

    target.prepare([THINGS])

    assert target.progress(THINGS) == progress(3)


def test_a_push_that_began_goes_on_where_it_was(target, sink, spark):
    target.write(THINGS, rows(spark, 1), progress(2))
    sink.write(THINGS, rows(spark, 1), progress(3))

    target.prepare([THINGS])

    assert target.progress(THINGS) == progress(2)


@pytest.mark.parametrize(
    "more", [[table("id long", "id", sql="Other", pushed=True)], [table("id long", sql="", name="x", pushed=True)]]
)
def test_more_than_one_table_or_one_that_sql_lacks_is_refused(target, more):
    with pytest.raises(UnfitTable, match=r"things, .*that of one table"):
        target.prepare([THINGS, *more])
