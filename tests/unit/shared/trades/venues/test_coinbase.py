"""Coinbase Exchange's frames and pages, as its documentation shows them."""

import json

import pytest

from shared.trades.venues.coinbase import Coinbase
from shared.trades.venues.readings import Acknowledged, Heartbeat, Refused, Snapshot, Traded, Unreadable
from shared.trades.venues.trade import Trade

COINBASE = Coinbase()
DEAL = {"trade_id": 881613, "side": "sell", "size": "0.0400", "price": "14.7775", "time": "2021-04-17T16:43:30.244075Z"}
MATCH = {"type": "match", "product_id": "BAND-GBP", "sequence": 1, "maker_order_id": "a", "taker_order_id": "b"} | DEAL


def read(**changes):
    return COINBASE.read(json.dumps(MATCH | changes), 5)


def test_match_is_a_trade_with_its_own_digits():
    assert read() == Traded(
        (
            Trade(
                "coinbase", "BAND-GBP", 881613, "14.7775", "0.0400", "buy", "maker_inverted",
                1618677810244075, 5, "live",
            ),
        )
    )  # fmt: skip


@pytest.mark.parametrize(("maker", "taker"), [("buy", "sell"), ("sell", "buy")])
def test_taker_is_on_the_other_side_than_the_maker(maker, taker):
    assert read(side=maker).trades[0].direction == taker


def test_last_match_is_an_anchor_and_no_trade():
    assert read(type="last_match") == Snapshot("coinbase:BAND-GBP", 881613, 1618677810244075)


def test_heartbeat_tells_the_newest_trade_id():
    frame = {"type": "heartbeat", "sequence": 90, "last_trade_id": 20, "product_id": "BTC-USD", "time": "2014Z"}

    assert COINBASE.read(json.dumps(frame).encode(), 5) == Heartbeat("coinbase:BTC-USD", 20)


@pytest.mark.parametrize("kind", ["subscriptions", "ticker", "l2update"])
def test_frames_of_known_kinds_without_trades_are_passed_over(kind):
    assert COINBASE.read(json.dumps({"type": kind, "channels": []}), 5) == Acknowledged(())


def test_answer_to_a_subscription_names_the_products_that_were_taken():
    channels = [{"name": name, "product_ids": ["BTC-USD", "ETH-USD"]} for name in ("matches", "heartbeat")]

    reading = COINBASE.read(json.dumps({"type": "subscriptions", "channels": channels}), 5)

    assert reading == Acknowledged(("BTC-USD", "ETH-USD"))


def test_error_frame_is_a_refusal_in_the_venues_words():
    frame = {"type": "error", "message": "Failed to subscribe", "reason": "NO-PE is not a valid product"}

    assert COINBASE.read(json.dumps(frame), 5) == Refused("Failed to subscribe: NO-PE is not a valid product")


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "auction_preview"},
        {"price": 14.7775},
        {"side": "hold"},
        {"trade_id": "881613"},
        {"trade_id": -1},
        {"trade_id": 2**63},
        {"time": "yesterday"},
        {"time": "2021-04-17T16:43:30.244075"},
    ],
)
def test_frame_that_breaks_the_format_is_unreadable_with_its_reason(changes):
    reading = read(**changes)

    assert isinstance(reading, Unreadable)
    assert reading.reason


@pytest.mark.parametrize("changes", [{"price": "14,77"}, {"price": "0.000"}, {"price": " 1"}, {"size": "-1"}])
def test_trade_with_an_odd_number_is_rejected_and_its_id_is_known(changes):
    reading = read(**changes)

    (one,) = reading.rejected
    assert (reading.trades, one.trade_id, one.symbol) == ((), read().trades[0].trade_id, read().trades[0].symbol)
    assert one.reason


def test_unreadable_frame_keeps_its_first_200_characters():
    assert COINBASE.read(b"\xff" * 500, 5).excerpt == "\ufffd" * 200


def test_subscription_asks_for_matches_and_heartbeats():
    assert [json.loads(frame) for frame in COINBASE.subscribe(["BTC-USD", "ETH-USD"])] == [
        {"type": "subscribe", "product_ids": ["BTC-USD", "ETH-USD"], "channels": ["matches", "heartbeat"]}
    ]


def test_history_page_is_turned_oldest_first_and_leads_on_by_the_oldest_id():
    body = json.dumps([DEAL | {"trade_id": 74}, DEAL | {"trade_id": 73}]).encode()

    page = COINBASE.read_history(COINBASE.newest("BTC-USD"), body, "BTC-USD", 9)

    assert [(t.trade_id, t.origin, t.symbol, t.received_at) for t in page.trades] == [
        (73, "rest", "BTC-USD", 9),
        (74, "rest", "BTC-USD", 9),
    ]
    assert page.older == COINBASE.older_than("BTC-USD", 73, 0)
    assert page.older.query["after"] == "73"


@pytest.mark.parametrize("rows", [[], [DEAL | {"trade_id": 1}]])
def test_history_ends_at_the_first_trade(rows):
    page = COINBASE.read_history(COINBASE.newest("BTC-USD"), json.dumps(rows).encode(), "BTC-USD", 9)

    assert page.older is None
