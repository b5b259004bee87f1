"""Cosmos DB that is away for a whole window: the hub has everything at once, and Cosmos DB once it is back."""

import json
from datetime import UTC, datetime

import pytest
from azure.storage.blob import BlobServiceClient

from local.platform.services import COSMOS_CONTAINER
from tests.e2e.running_app import Grid, running_app
from tests.e2e.waiting import eventually

RECORDS = 400
_SETTINGS = {
    "FEEDS": "payments",
    "PAYMENTS_RATE": "40",
    "PAYMENTS_CATCH_UP_RATE": "5",
    "PAYMENTS_SLICE_LENGTH": "00:00:05",
    "TRANSACTIONS_COSMOS": COSMOS_CONTAINER,
}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    grid = Grid.never()
    settings, folder = _SETTINGS | grid.settings(("PAYMENTS",)), tmp_path_factory.mktemp("e2e") / "away"
    with running_app(folder, grid, settings, hubs="transactions:2", with_cosmos=True) as started:
        yield started


@pytest.fixture(scope="module")
def away(app):
    """A past window that Cosmos DB gets nothing of while it goes on, and what marks its end."""
    app.fault("cosmos", "away", seconds=600)
    start = app.grid.latest_end(datetime.now(UTC)) - app.grid.length
    answer = app.post("payments", start, app.grid.length)
    assert answer.status_code == 202, answer.text
    window = app.ended(answer.json()["windows"][0]["id"])
    return window, eventually(lambda: marked(app, window), "the end of the window was marked")


@pytest.fixture(scope="module")
def back(app, away):
    """The end of the same window once Cosmos DB is back and somebody asked to redrive the window."""
    app.calm()
    window, _ = away
    answer = app.call("POST", "/api/spill/redrive", body={"window": window["id"]}).json()
    assert (answer["rows"], answer["streams"]) == (RECORDS, ["transactions.cosmos"])
    return eventually(lambda: drained(marked(app, window)), "the end of the window was written anew")


def marked(app, window):
    service = BlobServiceClient.from_connection_string(app.running.addresses["storage"]["connection_string"])
    blob = service.get_blob_client("reference", f"windows/{window['id']}/closed.json")
    return json.loads(blob.download_blob().readall()) if blob.exists() else None


def drained(marker):
    return marker if not marker["cosmos"]["transactions"]["spill"]["waiting_of_all_tries"] else None


def test_the_hub_is_not_held_up_and_has_every_record(app, away):
    window, _ = away

    (check,) = app.proofs(window)

    assert (check.problems, check.distinct, check.counts["accepted"]) == ((), RECORDS, RECORDS)


def test_both_sinks_are_shown_with_what_became_of_the_records_and_what_they_cost(away):
    sinks = {row["sink"]: row for row in away[0]["sinks"]}

    assert {sink: (row["accepted"], row["spilled"], row["pending"]) for sink, row in sinks.items()} == {
        "hub": (RECORDS, 0, 0),
        "cosmos": (0, RECORDS, 0),
    }
    assert min(row["month_price"] for row in sinks.values()) > 0


def test_the_end_of_the_window_says_what_waits_for_cosmos_and_that_nothing_does_for_the_hub(away):
    _, marker = away
    cosmos = marker["cosmos"]["transactions"]

    assert (marker["counts"]["transactions"]["accepted"], marker["spill"]) == (RECORDS, {})
    assert (cosmos["counts"]["accepted"], cosmos["counts"]["spilled"]) == (0, RECORDS)
    assert (cosmos["spill"]["waiting"], cosmos["spill"]["waiting_of_all_tries"]) == (RECORDS, RECORDS)


def test_what_waited_is_redriven_is_in_cosmos_once_and_the_end_of_the_window_says_so(app, back):
    (container,) = app.admin("cosmos", "GET", "/containers")["containers"]

    assert back["cosmos"]["transactions"]["spill"]["redriven"] == RECORDS
    assert sum(partition["items"] for partition in container["partitions"]) == RECORDS
    assert "drained" in app.window(back["window"])["announced"]
