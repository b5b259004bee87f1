"""Kraken v2's frames, as its documentation shows them."""

import json

import pytest

from shared.trades.venues.kraken import Kraken
from shared.trades.venues.readings import Acknowledged, Heartbeat, Leaving, Refused, Traded, Unreadable
from shared.trades.venues.trade import Trade

KRAKEN = Kraken()


def trades(*literals, kind="update"):
    rows = ",".join(
        f'{{"symbol":"MATIC/USD","side":"sell","price":{price},"qty":40.00,"ord_type":"market",'
        f'"trade_id":{4665906 + n},"timestamp":"2023-09-25T07:49:37.708706Z"}}'
        for n, price in enumerate(literals)
    )
    return KRAKEN.read(f'{{"channel":"trade","type":"{kind}","data":[{rows}]}}'.encode(), 5)


def test_update_is_its_trades_in_order_with_their_own_digits():
    assert trades("0.5117", "0.51170").trades[0] == Trade(
        "kraken", "MATIC/USD", 4665906, "0.5117", "40.00", "sell", "taker", 1695628177708706, 5, "live"
    )
    assert [t.price for t in trades("0.5117", "0.51170", "5.2E-1").trades] == ["0.5117", "0.51170", "5.2E-1"]


def test_snapshot_holds_trades_like_any_other():
    assert isinstance(trades("1.0", kind="snapshot"), Traded)


@pytest.mark.parametrize("price", ["0.0", "-1", '"1.0"', "null", "1e999", "[1]"])
def test_price_that_is_no_number_above_zero_costs_its_own_trade_alone(price):
    reading = trades("1.5", price, "1.6")

    assert [trade.price for trade in reading.trades] == ["1.5", "1.6"]
    assert [(one.trade_id, one.timestamp, one.symbol) for one in reading.rejected] == [
        (4665907, 1695628177708706, "MATIC/USD")
    ]
    assert reading.rejected[0].reason


@pytest.mark.parametrize(
    ("frame", "reading"),
    [
        ({"channel": "heartbeat"}, Heartbeat()),
        ({"channel": "status", "type": "update", "data": [{"system": "online", "version": "2.0.0"}]}, Heartbeat()),
        ({"channel": "status", "data": [{"system": "maintenance"}]}, Leaving("status maintenance")),
        ({"method": "pong", "time_in": "x"}, Heartbeat()),
        ({"method": "subscribe", "result": {"channel": "trade"}, "success": True}, Acknowledged()),
        (
            {"method": "subscribe", "error": "Currency pair not supported NO/PE", "success": False},
            Refused("Currency pair not supported NO/PE"),
        ),
    ],
)
def test_control_frames_are_known(frame, reading):
    assert KRAKEN.read(json.dumps(frame), 5) == reading


@pytest.mark.parametrize("frame", ['{"channel":"weather","data":[]}', "{}", "[]", '{"channel":"trade","da'])
def test_other_frames_are_unreadable(frame):
    assert isinstance(KRAKEN.read(frame, 5), Unreadable)


def test_subscription_wants_no_snapshot():
    assert json.loads(KRAKEN.subscribe(["BTC/USD"])[0]) == {
        "method": "subscribe",
        "params": {"channel": "trade", "symbol": ["BTC/USD"], "snapshot": False},
    }
