"""Payments over three hubs: through the app, real Spark and back, every record in one silver."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from local.demo.hub_reader import hubs_of
from local.platform.enrichment import lakehouse_is_installed
from local.platform.services import LAKEHOUSE_PYTHON
from tests.e2e.enriching import Enrichment
from tests.e2e.running_app import Grid, running_app

pytestmark = [
    pytest.mark.skipif(
        not lakehouse_is_installed(LAKEHOUSE_PYTHON), reason="the lakehouse is not installed: scripts/setup-lakehouse"
    ),
    pytest.mark.timeout(500),
]

RATE, SECONDS = 400, 15
HUBS = ["payments-a", "payments-b", "card.payments_3"]
_SETTINGS = {
    "FEEDS": "payments",
    "TRANSACTIONS_HUBS": ",".join(HUBS),
    "PAYMENTS_SLICE_LENGTH": "00:00:10",
    "PAYMENTS_LEAD": "00:00:03",
    "PAYMENTS_RATE": str(RATE),
}


@pytest.fixture(scope="module")
def enrichment(tmp_path_factory):
    """An app of its own whose payments went to three hubs in one window of two slices."""
    grid = Grid.beginning(datetime.now(UTC) + timedelta(hours=12), timedelta(days=1), timedelta(seconds=10))
    settings = _SETTINGS | grid.settings(("PAYMENTS",))
    with running_app(tmp_path_factory.mktemp("e2e") / "hubs", grid, settings, with_enrichment=True) as app:
        yield Enrichment(app)


@pytest.fixture(scope="module")
def window(enrichment):
    (window_id,) = enrichment.app.open("payments", seconds=SECONDS)
    enrichment.ended(window_id, within=300)
    return enrichment.app.window(window_id)


def test_the_windows_records_lie_in_three_hubs_each_once_and_in_even_shares(enrichment, window):
    records = {hub: len(found) for hub, found in _by_hub(enrichment.app, window).items()}
    (check,) = enrichment.app.proofs(window)

    assert hubs_of(window["plan"]["streams"][0]) == HUBS
    assert check.problems == ()
    assert Counter(records) == dict.fromkeys(HUBS, RATE * SECONDS // 3)


def test_the_run_is_told_of_all_hubs_and_reads_them_into_one_silver(enrichment, window):
    (run,) = enrichment.in_databricks(window["id"])
    (given,) = json.loads(run["parameters"]["streams"])
    stages = window["enrichment"]["counts"]["transactions"]

    assert [given["hub"], *(hub["name"] for hub in given["further_hubs"])] == HUBS
    assert (window["state"], window["enrichment"]["reconciliation"]) == ("closed", "balanced"), stages
    assert stages["bronze_records"] == stages["silver_new"] == RATE * SECONDS


def _by_hub(app, window):
    """The window's records of each of its hubs."""
    stream = window["plan"]["streams"][0]
    alone = {hub: window | {"plan": {"streams": [stream | {"hubs": [hub]}]}} for hub in hubs_of(stream)}
    return {hub: app.records(one)[window["id"]] for hub, one in alone.items()}
