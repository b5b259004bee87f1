"""Binance spot's frames and pages, as its documentation shows them."""

import json

import pytest

from shared.trades.venues.binance import Binance
from shared.trades.venues.readings import Acknowledged, Leaving, Refused, Traded, Unreadable
from shared.trades.venues.trade import Trade

BINANCE = Binance()
TRADE = {"e": "trade", "E": 1672515782136, "s": "BNBBTC", "t": 12345, "p": "0.00100000", "q": "100", "T": 1672515782134}
PAST = {"id": 28457, "price": "4.00000100", "qty": "12.0", "time": 1499865549590, "isBuyerMaker": True}


def read(frame):
    return BINANCE.read(json.dumps(frame).encode(), 5)


def test_trade_event_is_a_trade_with_its_own_digits():
    assert read(TRADE | {"m": True, "M": True}) == Traded(
        (
            Trade(
                "binance", "BNBBTC", 12345, "0.00100000", "100", "sell", "buyer_is_maker",
                1672515782134000, 5, "live",
            ),
        )
    )  # fmt: skip


def test_taker_bought_where_the_buyer_is_not_the_maker():
    assert read(TRADE | {"m": False}).trades[0].direction == "buy"


def test_answer_to_the_subscription_is_an_acknowledgement():
    assert read({"result": None, "id": 1}) == Acknowledged()


def test_server_shutdown_means_that_the_venue_leaves():
    assert read({"e": "serverShutdown", "E": 1}) == Leaving("serverShutdown")


@pytest.mark.parametrize(
    "frame",
    [{"code": 2, "msg": "Invalid request"}, {"error": {"code": 2, "msg": "Invalid request"}, "id": 1}],
)
def test_error_frame_is_a_refusal_in_the_venues_words(frame):
    assert read(frame) == Refused("Invalid request")


@pytest.mark.parametrize(
    "frame",
    [
        {"e": "marketMood"},
        {},
        TRADE,
        TRADE | {"m": True, "T": 10**18},
    ],
)
def test_frame_that_breaks_the_format_is_unreadable(frame):
    assert isinstance(read(frame), Unreadable)


@pytest.mark.parametrize(
    ("symbol", "tickers"),
    [
        ("BTCUSDT", ("BTC", "USDT")),
        ("ethbtc", ("ETH", "BTC")),
        ("USDTTRY", ("USDT", "TRY")),
        ("ADAEUR", ("ADA", "EUR")),
        ("LUNAEUR", ("LUNA", "EUR")),
        ("THETAEUR", ("THETA", "EUR")),
        ("BTCAEUR", ("BTC", "AEUR")),
        ("VETUSD", ("VET", "USD")),
        ("BNBUSD", ("BNB", "USD")),
        ("DOTUSD", ("DOT", "USD")),
        ("BTCFDUSD", ("BTC", "FDUSD")),
        ("USDTUSD", ("USDT", "USD")),
    ],
)
def test_symbol_is_split_in_base_and_quote(symbol, tickers):
    assert BINANCE.tickers(symbol) == tickers


def test_subscription_names_the_streams_in_lower_case():
    assert json.loads(BINANCE.subscribe(["BTCUSDT"])[0])["params"] == ["btcusdt@trade"]


def test_page_older_than_a_trade_ends_just_before_it():
    assert BINANCE.older_than("BTCUSDT", 5000, 0).query == {"symbol": "BTCUSDT", "fromId": "4000", "limit": "1000"}


def test_page_older_than_an_early_trade_begins_at_the_first():
    assert BINANCE.older_than("BTCUSDT", 3, 0).query == {"symbol": "BTCUSDT", "fromId": "0", "limit": "3"}


def test_history_page_leads_on_by_its_first_id():
    page = BINANCE.read_history(BINANCE.newest("LTCBTC"), json.dumps([PAST]).encode(), "LTCBTC", 9)

    assert page.trades[0] == Trade(
        "binance", "LTCBTC", 28457, "4.00000100", "12.0", "sell", "buyer_is_maker",
        1499865549590000, 9, "rest",
    )  # fmt: skip
    assert page.older == BINANCE.older_than("LTCBTC", 28457, 0)


@pytest.mark.parametrize("rows", [[], [PAST | {"id": 0}]])
def test_history_ends_at_id_zero(rows):
    assert BINANCE.read_history(BINANCE.newest("LTCBTC"), json.dumps(rows).encode(), "LTCBTC", 9).older is None


def test_empty_page_from_the_middle_leads_on_to_older_ids():
    page = BINANCE.read_history(BINANCE.older_than("LTCBTC", 5000, 0), b"[]", "LTCBTC", 9)

    assert page.older == BINANCE.older_than("LTCBTC", 4000, 0)


def test_event_in_the_envelope_of_combined_streams_is_read():
    event = TRADE | {"m": True}

    assert read({"stream": "bnbbtc@trade", "data": event}) == read(event)


def test_envelope_of_something_else_is_read_as_that():
    assert read({"stream": "x", "data": {"e": "serverShutdown", "E": 1}}) == Leaving("serverShutdown")
    assert isinstance(read({"stream": "x", "data": {"stream": "y", "data": TRADE | {"m": True}}}), Unreadable)
