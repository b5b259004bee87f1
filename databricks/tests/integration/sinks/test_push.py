"""The push of a published table's rows: at least once, and never in the way of what must arrive."""

import json

import pytest

from lakehouse.lake.progress import Progress
from lakehouse.pipelines.kinds.kind import NewRows
from lakehouse.sinks.power_bi import PowerBi, RateLimit
from lakehouse.sinks.push import PushingSink
from lakehouse.sinks.tables import UnfitTable
from sql_tables import table

PUSHED = table("id long, amount decimal(10,2)", "id", pushed=True)
QUIET = table("id long, amount decimal(10,2)", "id", sql="Quiet")


class Service:
    """A push dataset that answers with one status, or is never reached because the run is killed."""

    def __init__(self):
        self.status, self.taken = 200, []

    def post(self, _url, body):
        if self.status == 0:
            raise KeyboardInterrupt
        self.taken += [row["id"] for row in json.loads(body)]
        return self.status, 0.0


@pytest.fixture
def service():
    return Service()


@pytest.fixture
def target(sink, service):
    rate_limit = RateLimit(lambda: 0.0, lambda _seconds: None)
    return PushingSink(sink, PowerBi("https://example.org/push", rate_limit, service.post))


def progress(version):
    return Progress({"gold.things": version})


def rows(spark, *numbers):
    return NewRows(spark.createDataFrame([(number, None) for number in numbers], PUSHED.schema))


def test_rows_are_written_and_pushed(target, sink, service, database, spark):
    target.prepare([PUSHED])
    target.write(PUSHED, rows(spark, 1, 2), progress(3))

    assert sorted(service.taken) == [1, 2]
    assert database.query("SELECT id FROM Things ORDER BY 1") == [(1,), (2,)]
    assert target.progress(PUSHED) == sink.progress(PUSHED) == progress(3)


def test_a_table_that_does_not_say_so_is_only_written(target, service, database, spark):
    target.prepare([QUIET])
    target.write(QUIET, rows(spark, 1), progress(3))

    assert (service.taken, database.query("SELECT id FROM Quiet")) == ([], [(1,)])
    assert target.progress(QUIET) == progress(3)


def test_what_the_service_refuses_is_left_and_arrives_in_sql(target, service, database, spark, caplog):
    service.status = 403
    target.prepare([PUSHED])

    target.write(PUSHED, rows(spark, 1), progress(3))

    assert (target.progress(PUSHED), database.query("SELECT id FROM Things")) == (progress(3), [(1,)])
    assert "power_bi.left table=Things" in caplog.text


def test_a_push_that_broke_off_is_made_again_and_sql_has_its_rows_once(target, sink, service, database, spark):
    target.prepare([PUSHED])
    target.write(PUSHED, rows(spark, 1), progress(2))
    service.status = 0
    with pytest.raises(KeyboardInterrupt):
        target.write(PUSHED, rows(spark, 2), progress(3))

    before = (target.progress(PUSHED), sink.progress(PUSHED))
    service.status = 200
    target.write(PUSHED, rows(spark, 2), progress(3))

    assert before == (progress(2), progress(3))
    assert (service.taken, target.progress(PUSHED)) == ([1, 2], progress(3))
    assert database.query("SELECT id FROM Things ORDER BY 1") == [(1,), (2,)]


def test_a_push_that_is_new_begins_where_sql_is(target, sink, service, spark):
    sink.prepare([PUSHED])
    sink.write(PUSHED, rows(spark, 1), progress(3))

    target.prepare([PUSHED])

    assert (target.progress(PUSHED), service.taken) == (progress(3), [])


@pytest.mark.parametrize("more", [{"sql": "Other"}, {"sql": "", "name": "other"}], ids=["another one", "not in SQL"])
def test_a_second_table_or_one_that_sql_lacks_is_refused(target, more):
    with pytest.raises(UnfitTable, match=r"things, other: a push dataset's URL is that of one table"):
        target.prepare([PUSHED, table("id long", "id", pushed=True, **more)])
