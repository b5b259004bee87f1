"""Trades that not even the venue's history has any more: the window says so, and names them."""

from datetime import timedelta

import pytest

from tests.e2e.running_app import times
from tests.e2e.waiting import until

MARKET = "kraken:BTC/USD"
COUNT = 8


@pytest.fixture(scope="module")
def window(app):
    (window_id,) = app.open("trades", seconds=10)
    until(times(app.window(window_id))[0] + timedelta(seconds=4))
    app.venue_fault("hole", venue="kraken", symbol="BTC/USD", count=COUNT, rest=False)
    yield app.ended(window_id)
    app.calm()


def lost_ids(app, window):
    return [trade["trade_id"] for trade in app.happened(MARKET, *times(window)) if trade["lost"]]


def test_window_with_lost_trades_is_incomplete(window):
    assert window["state"] == "incomplete"
    assert "lost" in window["reason"]


def test_lost_interval_is_named(app, window):
    ids = lost_ids(app, window)

    assert len(ids) == COUNT
    (lost,) = window["result"]["lost"]
    assert (lost["market"], lost["first"], lost["last"]) == (MARKET, min(ids), max(ids))
    assert lost["reason"]


def test_all_but_the_lost_trades_are_there(app, window):
    keys = [record.key for record in app.records(window)[window["id"]]]

    lost = {(*MARKET.split(":"), trade_id) for trade_id in lost_ids(app, window)}
    assert sorted(keys) == sorted(app.source(window).keys - lost)
