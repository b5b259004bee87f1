import json

import pytest

from emulators.exchange.instants import SECOND
from emulators.exchange.venue import Opening, PageRequest
from emulators.exchange.venues.binance import Binance, historical_page, recent_page

NOW = 9 * SECOND + 1_234


@pytest.fixture
def feed(feed_of):
    return feed_of("binance", "BTCUSDT", range(1, 8))


def converse(feed, route="/ws", streams="", **query):
    return Binance().converse(Opening(route, streams, query), feed, lambda: NOW)


def say(dialogue, message) -> list[dict]:
    text = message if isinstance(message, str) else json.dumps(message)
    return [json.loads(frame) for frame in dialogue.receive(text, NOW)]


def test_a_stream_of_the_path_gives_raw_events(feed, trade):
    dialogue = converse(feed, "/ws/{streams:.+}", "btcusdt@trade")

    (frame,) = dialogue.trade_frames([trade(8, "BTCUSDT", "sell")], NOW)

    assert json.loads(frame) == {
        "e": "trade",
        "E": 9_001,
        "s": "BTCUSDT",
        "t": 8,
        "p": "67250.10",
        "q": "0.02000000",
        "T": 8_000,
        "m": True,
        "M": True,
    }


def test_combined_streams_wrap_their_events(feed, trade):
    dialogue = converse(feed, "/stream", streams="btcusdt@trade/ethusdt@trade", timeUnit="MICROSECOND")

    (frame,) = dialogue.trade_frames([trade(8, "BTCUSDT")], NOW)

    event = json.loads(frame)
    assert event["stream"] == "btcusdt@trade"
    assert (event["data"]["T"], event["data"]["E"]) == (8_000_000, NOW)


def test_streams_are_subscribed_listed_and_left(feed, trade):
    dialogue = converse(feed)

    answers = [
        say(dialogue, {"method": method, "params": ["btcusdt@trade"], "id": number})[0]
        for number, method in enumerate(["SUBSCRIBE", "LIST_SUBSCRIPTIONS", "UNSUBSCRIBE"])
    ]

    assert answers == [
        {"result": None, "id": 0},
        {"result": ["btcusdt@trade"], "id": 1},
        {"result": None, "id": 2},
    ]
    assert dialogue.trade_frames([trade(8, "BTCUSDT")], NOW) == []


@pytest.mark.parametrize(
    ("message", "code", "words"),
    [
        ("{", 3, "Invalid JSON"),
        ({"params": [], "id": 1}, 2, "missing required field `method`"),
        ({"method": "DANCE", "id": 1}, 2, "unknown variant `DANCE`"),
        ({"method": "SUBSCRIBE", "params": ["btcusdt"], "id": 1}, 2, "Invalid request"),
        ({"method": "SET_PROPERTY", "params": ["combined", "yes"], "id": 1}, 1, "expected Boolean"),
        ({"method": "GET_PROPERTY", "params": ["speed"], "id": 1}, 0, "Unknown property"),
    ],
)
def test_a_wrong_request_is_answered_with_a_code(feed, message, code, words):
    (answer,) = say(converse(feed), message)

    assert answer["code"] == code
    assert words in answer["msg"]


def test_the_combined_property_can_be_set_and_read(feed):
    dialogue = converse(feed)

    say(dialogue, {"method": "SET_PROPERTY", "params": ["combined", True], "id": 1})

    assert say(dialogue, {"method": "GET_PROPERTY", "params": ["combined"], "id": 2}) == [{"result": True, "id": 2}]


def test_the_shutdown_notice_is_the_documented_event():
    assert json.loads(Binance().shutdown_notice(NOW)[0]) == {"e": "serverShutdown", "E": 9_001}


def rows(page) -> list[dict]:
    return json.loads(page.body)


def test_history_walks_forward_from_an_id(feed):
    query = {"symbol": "BTCUSDT", "fromId": "3", "limit": "2"}

    page = historical_page(PageRequest(NOW, NOW, "", query), feed)

    assert [row["id"] for row in rows(page)] == [3, 4]
    assert rows(page)[0] == {
        "id": 3,
        "price": "67250.10",
        "qty": "0.02000000",
        "quoteQty": "1345.00200000",
        "time": 3_000,
        "isBuyerMaker": False,
        "isBestMatch": True,
    }


def test_recent_trades_are_the_latest_oldest_first(feed):
    request = PageRequest(NOW, NOW, "", {"symbol": "BTCUSDT", "limit": "2"}, {"X-MBX-TIME-UNIT": "MICROSECOND"})

    assert [(row["id"], row["time"]) for row in rows(recent_page(request, feed))] == [(6, 6_000_000), (7, 7_000_000)]


@pytest.mark.parametrize(
    ("query", "code"), [({}, -1102), ({"symbol": "XYZ"}, -1121), ({"symbol": "BTCUSDT", "fromId": "x"}, -1100)]
)
def test_wrong_requests_are_refused_by_code(feed, query, code):
    page = historical_page(PageRequest(NOW, NOW, "", query), feed)

    assert (page.status, json.loads(page.body)["code"]) == (400, code)
