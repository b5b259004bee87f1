"""Frames as Coinbase Exchange really sent them."""

from pathlib import Path

import pytest

from shared.trades.venues.coinbase import Coinbase
from shared.trades.venues.readings import Snapshot, Traded, Unreadable

RECORDING = Path(__file__).parents[6] / "shared" / "data" / "recordings" / "coinbase-exchange-2021-04-17.txt"

pytestmark = pytest.mark.skipif(
    not RECORDING.exists(), reason=f"the recording {RECORDING.name} is not beside the clone"
)


@pytest.fixture(scope="module")
def readings():
    received = (line.split(" ", 2) for line in RECORDING.read_text().splitlines())
    return [Coinbase().read(frame, round(float(at) * 1e6)) for at, direction, frame in received if direction == "<"]


def test_recording_holds_97_trades_of_the_anchored_products(readings):
    trades = [trade for reading in readings if isinstance(reading, Traded) for trade in reading.trades]

    assert len(trades) == 97
    assert len({(trade.symbol, trade.trade_id) for trade in trades}) == 97
    assert {trade.market for trade in trades} <= {one.market for one in readings if isinstance(one, Snapshot)}


def test_recording_holds_an_anchor_for_each_of_ten_products(readings):
    anchors = [reading for reading in readings if isinstance(reading, Snapshot)]

    assert len(anchors) == len({anchor.market for anchor in anchors}) == 10


def test_nothing_in_the_recording_is_unreadable(readings):
    assert not [reading for reading in readings if isinstance(reading, Unreadable)]
