import json

import pytest

from emulators.exchange.instants import SECOND
from emulators.exchange.venue import Opening, PageRequest
from emulators.exchange.venues.coinbase import Coinbase, trades_page

NOW = 9 * SECOND


@pytest.fixture
def feed(feed_of):
    return feed_of("coinbase", "BTC-USD", range(1, 8))


@pytest.fixture
def dialogue(feed):
    return Coinbase().converse(Opening("/ws"), feed, lambda: NOW)


def say(dialogue, **message) -> list[dict]:
    return [json.loads(frame) for frame in dialogue.receive(json.dumps(message), NOW)]


def test_a_subscription_is_confirmed_and_followed_by_the_last_match(dialogue):
    confirmed, last = say(dialogue, type="subscribe", product_ids=["BTC-USD"], channels=["matches", "heartbeat"])

    assert confirmed == {
        "type": "subscriptions",
        "channels": [
            {"name": "matches", "product_ids": ["BTC-USD"]},
            {"name": "heartbeat", "product_ids": ["BTC-USD"]},
        ],
    }
    assert (last["type"], last["trade_id"]) == ("last_match", 7)


def test_a_channel_may_name_its_own_products(dialogue):
    answers = say(dialogue, type="subscribe", channels=[{"name": "heartbeat", "product_ids": ["BTC-USD"]}])

    assert answers[0]["channels"] == [{"name": "heartbeat", "product_ids": ["BTC-USD"]}]
    assert len(answers) == 1


def test_a_match_names_the_makers_side(dialogue, trade):
    say(dialogue, type="subscribe", product_ids=["BTC-USD"], channels=["matches"])

    (frame,) = dialogue.trade_frames([trade(8, taker="buy"), trade(8, "ETH-USD")], NOW)

    match = json.loads(frame)
    assert set(match) == {
        *("type", "trade_id", "maker_order_id", "taker_order_id", "side"),
        *("size", "price", "product_id", "sequence", "time"),
    }
    assert (match["side"], match["price"], match["time"]) == ("sell", "67250.10", "1970-01-01T00:00:08.000000Z")


def test_a_heartbeat_carries_the_last_trade(dialogue):
    say(dialogue, type="subscribe", product_ids=["BTC-USD"], channels=["heartbeat"])

    (beat,) = dialogue.beat(NOW)

    assert json.loads(beat) == {
        "type": "heartbeat",
        "sequence": 70,
        "last_trade_id": 7,
        "product_id": "BTC-USD",
        "time": "1970-01-01T00:00:09.000000Z",
    }


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"product_ids": ["X-YZ"], "channels": ["matches"]}, "X-YZ is not a valid product"),
        ({"product_ids": ["BTC-USD"], "channels": ["level9"]}, "level9 is not a valid channel"),
        ({"channels": ["matches"]}, "You need to specify at least one product ID for channel matches"),
        ({"product_ids": ["BTC-USD"]}, "You must specify at least one channel"),
    ],
)
def test_a_wrong_subscription_is_refused_in_the_venues_words(dialogue, message, reason):
    answers = say(dialogue, type="subscribe", **message)

    assert answers == [{"type": "error", "message": "Failed to subscribe", "reason": reason}]
    assert not dialogue.subscribed


def test_what_is_no_json_is_an_error_frame(dialogue):
    assert json.loads(dialogue.receive("{", NOW)[0])["type"] == "error"


def test_after_unsubscribing_nothing_is_sent(dialogue, trade):
    say(dialogue, type="subscribe", product_ids=["BTC-USD"], channels=["matches"])
    say(dialogue, type="unsubscribe", product_ids=["BTC-USD"], channels=["matches"])

    assert dialogue.trade_frames([trade(8)], NOW) == []
    assert not dialogue.subscribed


def page(feed, name="BTC-USD", **query):
    return trades_page(PageRequest(NOW, NOW, name, query), feed)


def test_pages_walk_back_by_their_cursor_to_the_first_trade(feed):
    seen, after = [], {}
    while rows := json.loads((answer := page(feed, limit="3", **after)).body):
        seen += [row["trade_id"] for row in rows]
        after = {"after": answer.headers["CB-AFTER"]}

    assert seen == [7, 6, 5, 4, 3, 2, 1]


def test_before_gives_the_newest_that_are_newer(feed):
    answer = page(feed, before="4", limit="2")

    assert [row["trade_id"] for row in json.loads(answer.body)] == [7, 6]
    assert answer.headers == {"CB-BEFORE": "7", "CB-AFTER": "6"}


def test_a_row_has_the_documented_fields(feed):
    (row,) = json.loads(page(feed, limit="1").body)

    assert row == {
        "trade_id": 7,
        "side": "sell",
        "size": "0.02000000",
        "price": "67250.10",
        "time": "1970-01-01T00:00:07.000000Z",
    }


def test_wrong_requests_are_refused(feed):
    assert page(feed, "X-YZ").status == 404
    assert page(feed, after="yesterday").status == 400
