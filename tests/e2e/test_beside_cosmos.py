"""Payments with Cosmos DB beside their hubs: through the app, real Spark and back, the same records on both ways."""

import json

import pytest

from tests.e2e.enriching import needs_spark
from tests.e2e.waiting import eventually
from tests.e2e.whole_feeds import PAYMENTS_RATE, SECONDS

pytestmark = [needs_spark, pytest.mark.timeout(700)]

RECORDS = PAYMENTS_RATE * SECONDS
SHORT = 4
LATER = PAYMENTS_RATE * SHORT
SAME = {"only_in_hub": 0, "only_in_cosmos": 0, "different": 0, "quarantined": 0, "in_spill": 0, "equal": 0}


@pytest.fixture(scope="module")
def enrichment(whole_feeds):
    return whole_feeds.enrichment


@pytest.fixture(scope="module")
def window(whole_feeds):
    return whole_feeds.window("payments")


@pytest.fixture(scope="module")
def away(enrichment, window):
    """A window of which Cosmos DB gets nothing while it goes on, after its run."""
    enrichment.app.fault("cosmos", "away", seconds=600)
    (window_id,) = enrichment.app.open("payments", seconds=SHORT)
    enrichment.ended(window_id, within=300)
    return enrichment.app.window(window_id)


@pytest.fixture(scope="module")
def back(enrichment, away):
    """The same window once Cosmos DB is back, its spill was redriven and the window enriched again."""
    app, window_id = enrichment.app, away["id"]
    app.calm()
    app.call("POST", "/api/spill/redrive", body={"window": window_id})
    eventually(lambda: not of_cosmos(enrichment.marker(window_id))["waiting"], "Cosmos DB got what waited", within=180)
    number = enrichment.rerun(window_id).json()["run"]["number"]
    enrichment.ended(window_id, number, within=300)
    return app.window(window_id)


def of_cosmos(marker):
    return marker["cosmos"]["transactions"]["spill"]


def compared(window):
    return window["enrichment"]["counts"]["transactions"]["cosmos"]


def sinks_of(window):
    return {row["sink"]: row for row in window["sinks"]}


def test_cosmos_has_every_record_of_the_window_and_they_are_those_of_the_hub(enrichment, window):
    hub = [record.key for record in enrichment.app.records(window)[window["id"]]]
    stages = window["enrichment"]["counts"]["transactions"]

    assert len(hub) == len(set(hub)) == stages["silver_new"] == RECORDS
    assert compared(window) == {**SAME, "both": RECORDS}


def test_both_sinks_are_shown_with_what_they_took_and_cost(window):
    sinks = sinks_of(window)

    assert {sink: (row["read"], row["pending"], row["refused"]) for sink, row in sinks.items()} == dict.fromkeys(
        ("hub", "cosmos"), (RECORDS, 0, 0)
    )
    assert sinks["hub"]["accepted"] == RECORDS
    assert sinks["cosmos"]["accepted"] + sinks["cosmos"]["spilled"] == RECORDS
    assert sinks["cosmos"]["units"] >= 5 * sinks["cosmos"]["accepted"] > 0
    assert min(row["month_price"] for row in sinks.values()) > 0


def test_the_run_is_told_of_the_container_and_reads_it_by_its_own_login(enrichment, window):
    (run,) = enrichment.in_databricks(window["id"])
    (given,) = json.loads(run["parameters"]["streams"])

    assert given["cosmos"] == {"database": "ingestion", "container": "transactions"}


def test_a_run_is_not_held_up_by_cosmos_that_is_away_and_says_that_the_difference_waits(away):
    stages = away["enrichment"]["counts"]["transactions"]

    assert (away["enrichment"]["runs"][0]["state"], away["enrichment"]["reconciliation"]) == ("succeeded", "balanced")
    assert (stages["silver_new"], compared(away)["only_in_hub"], compared(away)["in_spill"]) == (LATER, LATER, LATER)
    assert compared(away)["waiting"] == LATER


def test_what_waited_is_redriven_once_cosmos_is_back_and_makes_the_window_equal(enrichment, back):
    states = {one["stream"]: (one["state"], one["rows"]) for one in enrichment.app.spill(back["id"])}

    assert states == {"transactions.cosmos": ("redriven", LATER)}
    assert compared(back) == {**SAME, "both": LATER}
