from datetime import timedelta

import pytest

from cost import assumed
from cost.compute import awake, lines_of_databricks, lines_of_functions, lines_of_small_parts, lines_of_sql
from tests.unit.cost.cases import HOUR, MINUTE, case, feed, flow, quantities

MONTH_SECONDS = 730 * 3600


def test_an_instance_is_ready_all_the_time_and_works_while_a_slice_runs():
    lines = quantities(lines_of_functions(case(feed(every=4 * HOUR), memory=2.0)))

    assert lines["Functions, always ready"] == 2 * MONTH_SECONDS
    assert lines["Functions, slices"] == pytest.approx(2 * MONTH_SECONDS / 4)
    assert lines["Functions, timers"] == 2 * 288 * 730


def test_premium_is_paid_by_the_hour_whatever_it_does():
    lines = quantities(lines_of_functions(case(feed(every=4 * HOUR), plan="premium")))

    assert lines == {"Functions, EP1: vCPU": 730, "Functions, EP1: memory": 3.5 * 730}


def test_a_run_is_as_long_as_its_window_and_its_end():
    lines = quantities(lines_of_databricks(case(feed(every=4 * HOUR))))

    daily = 730 / 24 * (assumed.CLUSTER_START + assumed.RUN_OF_DAY) / HOUR
    assert lines["Databricks, node"] == pytest.approx(730 / 4 * (HOUR + assumed.RUN_END) / HOUR + daily)


def test_a_run_after_its_window_is_as_long_as_a_start_and_its_work():
    followed, afterwards = (
        quantities(lines_of_databricks(case(follows=follows)))["Databricks, node"] for follows in (True, False)
    )

    spared = HOUR + assumed.RUN_END - assumed.CLUSTER_START - assumed.RUN_AFTERWARDS
    assert followed - afterwards == pytest.approx(730 * spared / HOUR)


def test_without_enrichment_no_cluster_and_no_way_out_is_paid():
    assert set(quantities(lines_of_databricks(case(feed(enriched=False)))).values()) == {0}


@pytest.mark.parametrize(
    ("every", "pause", "share"),
    [
        (HOUR, HOUR, 1.0),
        (4 * HOUR, HOUR, (2 * HOUR + assumed.RUN_END) / (4 * HOUR)),
        (24 * HOUR, HOUR, (2 * HOUR + assumed.RUN_END) / (24 * HOUR)),
        (24 * HOUR, None, 1.0),
    ],
)
def test_the_database_is_awake_from_a_run_to_a_pause_after_it(every, pause, share):
    assert awake(case(feed(every=every), pause_after=pause)) == pytest.approx(share)


def test_rows_that_are_exported_wake_the_database_once_more():
    shop = feed(every=24 * HOUR, length=10 * MINUTE, streams=(flow("orders", destination="sql"),), enriched=False)

    assert awake(case(shop)) == pytest.approx((10 * MINUTE + HOUR + HOUR) / (24 * HOUR))
    assert awake(case(shop, export_every=None)) == pytest.approx((10 * MINUTE + HOUR) / (24 * HOUR))


def test_what_is_awake_is_paid_by_its_least_vcores():
    lines = quantities(lines_of_sql(case(pause_after=None, least_vcores=0.5)))

    assert lines["SQL, vCores while awake"] == 365


def test_data_factory_is_paid_for_the_windows_that_it_opens():
    assert quantities(lines_of_small_parts(case(factory_runs=12)))["Data Factory"] == pytest.approx(730 * 12 / 1000)
    assert quantities(lines_of_small_parts(case()))["Data Factory"] == 0


def test_a_window_tells_of_its_beginning_and_its_end():
    day = case(feed(every=timedelta(hours=1)))

    assert quantities(lines_of_small_parts(day))["Event Grid"] == pytest.approx(730 * 4 / 100_000)
