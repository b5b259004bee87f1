"""Bitstamp's frames and pages, as its documentation shows them."""

import json

import pytest

from shared.trades.venues.bitstamp import Bitstamp
from shared.trades.venues.readings import Acknowledged, Heartbeat, Leaving, Refused, Traded, Unreadable
from shared.trades.venues.trade import Trade

BITSTAMP = Bitstamp()
DATA = {
    "id": 349170218,
    "timestamp": "1723466212",
    "amount": 0.001,
    "amount_str": "0.00100000",
    "price": 58932.0,
    "price_str": "58932",
    "type": 1,
    "microtimestamp": "1723466212123004",
}
PAST = {"date": "1723466212", "tid": "349170218", "price": "58932.00", "type": "0", "amount": "0.5"}


def read(channel="live_trades_btcusd", **changes):
    return BITSTAMP.read(json.dumps({"event": "trade", "channel": channel, "data": DATA | changes}), 5)


def test_trade_event_is_a_trade_with_its_own_digits():
    assert read() == Traded(
        (
            Trade(
                "bitstamp", "btcusd", 349170218, "58932", "0.00100000", "sell", "taker",
                1723466212123004, 5, "live",
            ),
        )
    )  # fmt: skip


def test_type_zero_means_that_the_taker_bought():
    assert read(type=0).trades[0].direction == "buy"


@pytest.mark.parametrize(
    "changes",
    [{"channel": "order_book_btcusd"}, {"type": 2}, {"id": None}],
)
def test_trade_that_breaks_the_format_is_unreadable(changes):
    assert isinstance(read(**changes), Unreadable)


@pytest.mark.parametrize(
    ("event", "data", "reading"),
    [
        ("bts:subscription_succeeded", {}, Acknowledged()),
        ("bts:heartbeat", {"status": "success"}, Heartbeat()),
        ("bts:request_reconnect", "", Leaving("bts:request_reconnect")),
        ("bts:error", {"code": None, "message": "Bad subscription string."}, Refused("Bad subscription string.")),
    ],
)
def test_control_events_are_known(event, data, reading):
    assert BITSTAMP.read(json.dumps({"event": event, "channel": "", "data": data}), 5) == reading


def test_unknown_event_is_unreadable():
    assert isinstance(BITSTAMP.read('{"event":"bts:weather"}', 5), Unreadable)


def test_each_symbol_has_its_own_subscription():
    assert [json.loads(frame)["data"]["channel"] for frame in BITSTAMP.subscribe(["btcusd", "etheur"])] == [
        "live_trades_btcusd",
        "live_trades_etheur",
    ]


def test_client_keeps_the_connection_alive():
    assert json.loads(BITSTAMP.keep_alive()) == {"event": "bts:heartbeat"}


@pytest.mark.parametrize(("symbol", "tickers"), [("btcusdt", ("BTC", "USDT")), ("ethbtc", ("ETH", "BTC"))])
def test_symbol_is_split_by_known_quote_currencies(symbol, tickers):
    assert BITSTAMP.tickers(symbol) == tickers


def test_hour_is_read_oldest_first_and_leads_on_to_the_day():
    body = json.dumps([PAST, PAST | {"tid": "349170000"}, PAST | {"tid": "9", "date": "1723466211"}]).encode()

    page = BITSTAMP.read_history(BITSTAMP.newest("btcusd"), body, "btcusd", 9)

    assert [t.trade_id for t in page.trades] == [9, 349170000, 349170218]
    assert page.trades[2] == Trade(
        "bitstamp", "btcusd", 349170218, "58932.00", "0.5", "buy", "taker", 1723466212000000, 9, "rest"
    )
    assert page.older.query == {"time": "day"}


def test_day_is_the_oldest_page():
    day = BITSTAMP.read_history(BITSTAMP.newest("btcusd"), b"[]", "btcusd", 9).older

    assert BITSTAMP.read_history(day, b"[]", "btcusd", 9).older is None
