from datetime import timedelta

import pytest

from cost.streams import lines_of_hubs, lines_of_logs, lines_of_storage, throughput_units
from tests.unit.cost.cases import HOUR, case, feed, flow, quantities


def test_events_are_those_of_the_windows_of_a_month():
    lines = quantities(lines_of_hubs(case(feed(every=2 * HOUR, streams=(flow(events=1000.0),)))))

    assert lines["Event Hubs, events"] == pytest.approx(1000 * 365 * 3600 / 1_000_000)


def test_what_goes_to_a_table_is_no_event():
    lines = quantities(lines_of_hubs(case(feed(streams=(flow(destination="sql"),)))))

    assert lines["Event Hubs, events"] == 0


@pytest.mark.parametrize(
    ("events", "size", "units"),
    [(10.0, 100.0, 1), (1000.0, 100.0, 1), (1001.0, 100.0, 2), (100.0, 10_000.0, 1), (100.0, 25_000.0, 3)],
)
def test_a_unit_takes_a_thousand_events_or_a_million_bytes_a_second(events, size, units):
    assert throughput_units(case(feed(streams=(flow(events=events, size=size),)))) == units


def test_feeds_beside_each_other_need_their_units_together():
    feeds = [feed(streams=(flow(events=600.0),), name=name) for name in ("trades", "payments")]

    assert throughput_units(case(*feeds)) == 2


def test_units_that_are_set_are_paid_and_captured():
    lines = quantities(lines_of_hubs(case(throughput_units=3, capture=True)))

    assert lines["Event Hubs, throughput units"] == lines["Event Hubs, Capture"] == 3 * 730


def test_units_of_cosmos_db_are_paid_by_the_hundred_and_hour():
    assert quantities(lines_of_hubs(case(cosmos_units=4000)))["Cosmos DB"] == 40 * 730


def test_queues_that_are_looked_at_half_as_often_cost_half():
    often = quantities(lines_of_storage(case(polling=timedelta(seconds=5))))
    seldom = quantities(lines_of_storage(case(polling=timedelta(seconds=10))))

    assert often["storage, queues"] == 2 * seldom["storage, queues"]


def test_a_lakehouse_that_follows_nothing_writes_nothing():
    lines = quantities(lines_of_storage(case(feed(enriched=False))))

    assert lines["storage, writes of the lakehouse"] == 0


def test_more_slices_give_more_logs():
    (few,), (many,) = lines_of_logs(case(feed(every=2 * HOUR))), lines_of_logs(case(feed()))

    assert 0 < few.quantity < many.quantity
