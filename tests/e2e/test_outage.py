"""Ten seconds in which no venue can be reached, neither by websocket nor by REST, across a slice's boundary."""

from datetime import timedelta

import pytest

from tests.e2e.running_app import times
from tests.e2e.waiting import until


@pytest.fixture(scope="module")
def window(app):
    (window_id,) = app.open("trades", seconds=15)
    until(times(app.window(window_id))[0] + timedelta(seconds=3))
    app.venue_fault("outage", seconds=10)
    yield app.ended(window_id)
    app.calm()


def test_outage_is_noticed(window):
    done = [row["report"] for row in window["slices"] if row["state"] == "done"]

    assert sum(report["interruptions"] for report in done) > 0
    assert window["result"]["gaps"]["found"] > 0


def test_window_is_complete_after_an_outage_at_a_boundary(app, window):
    (proof,) = app.proofs(window)

    assert window["state"] == "closed"
    assert proof.problems == ()
    assert proof.source == proof.distinct
