import json

import pytest

from emulators.exchange.instants import SECOND
from emulators.exchange.venue import Opening, PageRequest
from emulators.exchange.venues.bitstamp import Bitstamp, transactions_page

NOW = 90 * SECOND


@pytest.fixture
def feed(feed_of):
    return feed_of("bitstamp", "btcusd", [10, 13, 44, 47, 80])


@pytest.fixture
def dialogue(feed):
    return Bitstamp().converse(Opening("/ws"), feed, lambda: NOW)


def say(dialogue, event, **data) -> dict:
    (answer,) = dialogue.receive(json.dumps({"event": event, "data": data}), NOW)
    return json.loads(answer)


def test_a_channel_is_confirmed(dialogue):
    answer = say(dialogue, "bts:subscribe", channel="live_trades_btcusd")

    assert answer == {"event": "bts:subscription_succeeded", "channel": "live_trades_btcusd", "data": {}}
    assert dialogue.subscribed


def test_a_trade_event_has_the_documented_fields(dialogue, trade):
    say(dialogue, "bts:subscribe", channel="live_trades_btcusd")

    (frame,) = dialogue.trade_frames([trade(85, "btcusd", "sell"), trade(86, "ethusd")], NOW)

    event = json.loads(frame)
    assert (event["event"], event["channel"]) == ("trade", "live_trades_btcusd")
    assert event["data"] == {
        "id": 85,
        "timestamp": "85",
        "microtimestamp": "85000000",
        "type": 1,
        "amount": 0.02,
        "amount_str": "0.02000000",
        "price": 67250.1,
        "price_str": "67250.10",
        "buy_order_id": 170,
        "sell_order_id": 171,
    }


def test_the_clients_heartbeat_is_answered(dialogue):
    assert say(dialogue, "bts:heartbeat") == {"event": "bts:heartbeat", "channel": "", "data": {"status": "success"}}


def test_a_channel_that_is_left_is_silent(dialogue, trade):
    say(dialogue, "bts:subscribe", channel="live_trades_btcusd")

    answer = say(dialogue, "bts:unsubscribe", channel="live_trades_btcusd")

    assert answer["event"] == "bts:unsubscription_succeeded"
    assert dialogue.trade_frames([trade(85, "btcusd")], NOW) == []


@pytest.mark.parametrize(("event", "channel"), [("bts:subscribe", "rumours"), ("bts:dance", "live_trades_btcusd")])
def test_a_wrong_request_gets_an_error_event(dialogue, event, channel):
    answer = say(dialogue, event, channel=channel)

    assert answer == {
        "event": "bts:error",
        "channel": "",
        "data": {"code": None, "message": "Bad subscription string."},
    }


def test_what_is_no_json_gets_an_error_event(dialogue):
    assert json.loads(dialogue.receive("{", NOW)[0])["data"]["message"] == "Incorrect JSON format."


def test_the_shutdown_notice_asks_to_reconnect():
    assert json.loads(Bitstamp().shutdown_notice(NOW)[0])["event"] == "bts:request_reconnect"


def page(feed, name="btcusd", **query):
    return transactions_page(PageRequest(NOW, NOW, name, query), feed)


def test_transactions_of_the_last_minute_come_newest_first(feed):
    rows = json.loads(page(feed, time="minute").body)

    assert [row["tid"] for row in rows] == ["80", "47", "44"]
    assert rows[0] == {"date": "80", "tid": "80", "price": "67250.10", "type": "0", "amount": "0.02000000"}


def test_the_usual_span_is_an_hour(feed):
    assert len(json.loads(page(feed).body)) == 5


def test_wrong_requests_are_refused(feed):
    assert page(feed, "xyz").status == 404
    assert page(feed, time="year").status == 400
