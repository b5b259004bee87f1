"""Payments over three hubs: through the app, real Spark and back, every record in one silver."""

import json
from collections import Counter

import pytest

from local.demo.hub_reader import hubs_of
from tests.e2e.enriching import needs_spark
from tests.e2e.whole_feeds import PAYMENT_HUBS, PAYMENTS_RATE, SECONDS

pytestmark = [needs_spark, pytest.mark.timeout(700)]


@pytest.fixture(scope="module")
def enrichment(whole_feeds):
    return whole_feeds.enrichment


@pytest.fixture(scope="module")
def window(whole_feeds):
    return whole_feeds.window("payments")


def test_the_windows_records_lie_in_three_hubs_each_once_and_in_even_shares(enrichment, window):
    records = {hub: len(found) for hub, found in _by_hub(enrichment.app, window).items()}
    (check,) = enrichment.app.proofs(window)

    assert hubs_of(window["plan"]["streams"][0]) == PAYMENT_HUBS
    assert check.problems == ()
    assert Counter(records) == dict.fromkeys(PAYMENT_HUBS, PAYMENTS_RATE * SECONDS // 3)


def test_the_run_is_told_of_all_hubs_and_reads_them_into_one_silver(enrichment, window):
    (run,) = enrichment.in_databricks(window["id"])
    (given,) = json.loads(run["parameters"]["streams"])
    stages = window["enrichment"]["counts"]["transactions"]

    assert [given["hub"], *(hub["name"] for hub in given["further_hubs"])] == PAYMENT_HUBS
    assert (window["state"], window["enrichment"]["reconciliation"]) == ("closed", "balanced"), stages
    assert stages["bronze_records"] == stages["silver_new"] == PAYMENTS_RATE * SECONDS


def _by_hub(app, window):
    """The window's records of each of its hubs."""
    stream = window["plan"]["streams"][0]
    alone = {hub: window | {"plan": {"streams": [stream | {"hubs": [hub]}]}} for hub in hubs_of(stream)}
    return {hub: app.records(one)[window["id"]] for hub, one in alone.items()}
