"""A hub that is away for a whole window: its records are spilled, shown, redriven on request, and there once."""

import json
from datetime import UTC, datetime

import pytest
from azure.storage.blob import BlobServiceClient

from local.demo.verification import check_stream
from tests.e2e.running_app import Grid, running_app
from tests.e2e.waiting import eventually

RECORDS = 400
_SETTINGS = {
    "FEEDS": "payments",
    "PAYMENTS_RATE": "40",
    "PAYMENTS_CATCH_UP_RATE": "5",
    "PAYMENTS_SLICE_LENGTH": "00:00:05",
    "SEND_DEADLINE": "00:00:02",
}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    grid = Grid.never()
    settings = _SETTINGS | grid.settings(("PAYMENTS",))
    with running_app(tmp_path_factory.mktemp("e2e") / "spill", grid, settings, hubs="transactions:2") as started:
        yield started


@pytest.fixture(scope="module")
def spilled(app):
    """A past window whose hub is away from its first send to beyond its end."""
    app.hub_fault("drop", hub="transactions", share=1)
    start = app.grid.latest_end(datetime.now(UTC)) - app.grid.length
    answer = app.post("payments", start, app.grid.length)
    assert answer.status_code == 202, answer.text
    return app.ended(answer.json()["windows"][0]["id"])


@pytest.fixture(scope="module")
def waiting(app, spilled):
    """What the app shows of the window's spill while the hub is away, its marker, and how often it was tried."""
    eventually(lambda: marked(app, spilled), "the end of the window was marked")
    return eventually(
        lambda: [one for one in spill_of(app, spilled) if one["tries"]], "the redriver found the hub away"
    )


@pytest.fixture(scope="module")
def redriven(app, spilled, waiting):
    """The same once the hub is back and somebody asked to redrive the window."""
    app.calm()
    answer = app.call("POST", "/api/spill/redrive", body={"window": spilled["id"]})
    assert answer.json() | {"batches": 0} == {"batches": 0, "rows": RECORDS, "streams": ["transactions"], "left": 0}
    eventually(lambda: states(spill_of(app, spilled)) == {"redriven": RECORDS}, "the spill was redriven")
    return app.window(spilled["id"])


def spill_of(app, window):
    return app.spill(window["id"])


def tried(summaries):
    return [one for one in summaries if one["tries"]]


def states(summaries):
    return {one["state"]: one["rows"] for one in summaries}


def marked(app, window):
    service = BlobServiceClient.from_connection_string(app.running.addresses["storage"]["connection_string"])
    blob = service.get_blob_client("reference", f"windows/{window['id']}/closed.json")
    return json.loads(blob.download_blob().readall()) if blob.exists() else None


def test_a_window_whose_hub_is_away_closes_with_its_records_spilled(spilled):
    counts = spilled["counts"]["transactions"]

    assert (spilled["state"], [row["state"] for row in spilled["slices"]]) == ("closed", ["done", "done"])
    assert (counts["read"], counts["accepted"], counts["spilled"]) == (RECORDS, 0, RECORDS)


def test_what_waits_is_shown_with_the_words_of_the_last_try(waiting):
    (shown,) = waiting

    assert (shown["state"], shown["rows"], shown["feed"]) == ("waiting", RECORDS, "payments")
    assert "transactions" in shown["reasons"][0]["reason"]


def test_what_was_redriven_is_in_the_hub_once_and_nothing_is_missing(app, redriven):
    records = app.records(redriven)[redriven["id"]]

    check = check_stream(redriven, "transactions", records, app.source(redriven), states(spill_of(app, redriven)))

    assert (check.problems, check.distinct) == ((), RECORDS)


def test_the_end_of_the_window_says_that_nothing_waits_any_more(app, redriven):
    marker = eventually(lambda: drained(marked(app, redriven)), "the end of the window was written anew")

    assert marker["spill"]["transactions"] == {
        "waiting": 0, "redriven": RECORDS, "dead": 0, "discarded": 0, "waiting_of_all_tries": 0,
    }  # fmt: skip
    assert sum(last + 1 for last in marker["last_sequence_numbers"]["transactions"].values()) >= RECORDS


def drained(marker):
    return marker if not marker["spill"]["transactions"]["waiting_of_all_tries"] else None
