"""What events wake: one run for each window, whatever is delivered, how often and when."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.enriching import opening_event
from tests.e2e.running_app import times
from tests.e2e.waiting import eventually

# The lookups of trades take their time, and these tests need only payments.
pytestmark = pytest.mark.usefixtures("lookups")

WAYS = ("payments", "second", "third")
NOBODYS = "payments-20200101T000000Z"


@pytest.fixture(scope="module", autouse=True)
def unheard(enrichment):
    """A window whose opening nobody heard; then a second and a third way to the app, on which nothing is filtered."""
    enrichment.unsubscribe("payments")
    window_id = enrichment.past("payments")
    eventually(lambda: "closed" in enrichment.app.window(window_id)["announced"], f"{window_id} was announced")
    enrichment.listen("payments")
    for name in WAYS[1:]:
        enrichment.subscribe(name)
    yield enrichment.app.window(window_id)
    enrichment.unsubscribe(*WAYS[1:])


@pytest.fixture(scope="module")
def thrice(enrichment):
    """A window, and its run in the end, whose opening came three times at once."""
    window_id = enrichment.past("payments")
    return window_id, enrichment.ended(window_id)


STRANGE = {
    "unknown subject": {"subject": "ADF_Trigger_Weather"},
    "another feed's subject": {"subject": "ADF_Trigger_Trades"},
    "unknown type": {"event_type": "ADF_Rumour"},
    "no window": {"id": NOBODYS, "data": {"window": NOBODYS, "feed": "payments"}},
    "no id of a window": {"id": "42", "data": {}},
    "no data": {"id": NOBODYS, "data": None},
}


@pytest.mark.parametrize("changes", STRANGE.values(), ids=STRANGE)
def test_event_of_no_window_is_taken_and_starts_nothing(enrichment, unheard, changes, request):
    event = opening_event(unheard) | {"id": f"strange-{request.node.callspec.id.replace(' ', '-')}"} | changes

    enrichment.publish(event)

    assert {one["status"] for one in enrichment.deliveries(event["id"], 2)} == {202}
    assert not {run_of(unheard["id"]), run_of(NOBODYS)} & enrichment.app.instances().keys()
    assert enrichment.runs(unheard["id"]) == []


def test_opening_that_comes_a_day_late_starts_the_run_that_is_still_wanted(enrichment, unheard):
    enrichment.publish(opening_event(unheard))

    assert datetime.now(UTC) - times(unheard)[0] > timedelta(days=1)
    assert enrichment.ended(unheard["id"])["state"] == "succeeded"


def run_of(window_id):
    return f"enrich-{window_id}"


def test_opening_that_is_delivered_three_times_at_once_starts_one_run(enrichment, thrice):
    window_id, run = thrice

    assert [one["status"] for one in enrichment.deliveries(window_id, 3)] == [202] * 3
    assert (run["state"], run["number"]) == ("succeeded", 1)
    assert len(enrichment.runs(window_id)) == len(enrichment.in_databricks(window_id)) == 1
    assert [one for one in enrichment.app.instances() if one.startswith(f"enrich-{window_id}")] == [run_of(window_id)]


def test_opening_that_comes_a_day_late_starts_no_second_run(enrichment, thrice):
    window_id, _ = thrice
    window, known = enrichment.app.window(window_id), enrichment.app.instances()[run_of(window_id)]

    enrichment.publish(opening_event(window))

    assert datetime.now(UTC) - times(window)[0] > timedelta(days=1)
    assert {one["status"] for one in enrichment.deliveries(window_id, 6)} == {202}
    assert enrichment.app.instances()[run_of(window_id)] == known
    assert len(enrichment.in_databricks(window_id)) == 1


def test_closing_that_overtakes_its_opening_leaves_the_run_to_the_opening(enrichment):
    for way in WAYS:
        enrichment.app.fault("event_grid", "late", subscription=way, seconds=12)

    window_id = enrichment.past("payments")
    run = enrichment.ended(window_id)

    closings, openings = enrichment.deliveries(f"{window_id}/closed", 2), enrichment.deliveries(window_id, 3)
    assert max(one["began"] for one in closings) < min(one["began"] for one in openings)
    assert enrichment.app.window(window_id)["closed_at"] < run["claimed_at"]
    assert run["state"] == "succeeded"
