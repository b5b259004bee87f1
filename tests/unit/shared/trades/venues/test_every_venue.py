"""What holds for every venue's adapter alike."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.trades.venues.readings import Acknowledged, Heartbeat, Leaving, Refused, Snapshot, Traded, Unreadable
from shared.trades.venues.registry import venue

VENUES = [venue(name) for name in ("coinbase", "binance", "kraken", "bitstamp")]
READINGS = (Acknowledged, Heartbeat, Snapshot, Leaving, Refused, Traded, Unreadable)
every_venue = pytest.mark.parametrize("adapter", VENUES, ids=lambda adapter: adapter.name)

WORDS = [
    *("type", "match", "heartbeat", "product_id", "trade_id", "side", "buy", "time", "price", "size", "error"),
    *("e", "trade", "s", "t", "p", "q", "T", "m", "code", "msg", "result", "channel", "data", "method", "success"),
    *("event", "bts:error", "id", "price_str", "amount_str", "microtimestamp", "live_trades_btcusd", "BTC-USD", "1.5"),
    *("symbol", "qty", "timestamp", "2023-09-25T07:49:37.708706Z", "BTC/USD", "BTCUSDT", "\ud800"),
]
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.text(max_size=5)
documents = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=8),
    max_leaves=15,
)


@every_venue
@given(frame=st.binary(max_size=300) | st.text(max_size=300))
def test_no_bytes_make_reading_raise(adapter, frame):
    assert isinstance(adapter.read(frame, 0), READINGS)


@every_venue
@given(document=documents)
def test_no_json_makes_reading_raise(adapter, document):
    assert isinstance(adapter.read(json.dumps(document).encode(), 0), READINGS)


@every_venue
def test_deeply_nested_frame_is_unreadable(adapter):
    assert isinstance(adapter.read(b"[" * 100_000, 0), Unreadable)


@every_venue
@given(body=st.binary(max_size=300))
def test_history_that_is_no_page_is_a_value_error(adapter, body):
    symbol = {"coinbase": "BTC-USD", "binance": "BTCUSDT", "kraken": "BTC/USD", "bitstamp": "btcusd"}[adapter.name]

    with pytest.raises(ValueError, match=r"not a page|kraken answered"):
        adapter.read_history(adapter.newest(symbol), b"{" + body, symbol, 0)


@every_venue
def test_subscription_frames_are_json(adapter):
    assert all(json.loads(frame) for frame in adapter.subscribe(["BTC-USD"]))


number_literals = st.from_regex(r"(0|[1-9][0-9]{0,12})(\.[0-9]{1,10})?([eE][+-]?[0-9])?", fullmatch=True).filter(
    lambda text: float(text) > 0
)


@given(price=number_literals, volume=number_literals)
def test_every_number_keeps_its_digits_on_every_venue(price, volume):
    frames = {
        "coinbase": f'{{"type":"match","trade_id":1,"side":"buy","size":"{volume}","price":"{price}",'
        '"product_id":"A-B","time":"2021-04-17T16:43:30Z"}',
        "binance": f'{{"e":"trade","s":"ABTC","t":1,"p":"{price}","q":"{volume}","T":1,"m":true}}',
        "kraken": f'{{"channel":"trade","data":[{{"symbol":"A/B","side":"buy","price":{price},"qty":{volume},'
        '"trade_id":1,"timestamp":"2023-09-25T07:49:37Z"}]}',
        "bitstamp": '{"event":"trade","channel":"live_trades_btcusd","data":{"id":1,"type":0,'
        f'"price_str":"{price}","amount_str":"{volume}","microtimestamp":"1"}}}}',
    }

    trades = [venue(name).read(frame, 0).trades[0] for name, frame in frames.items()]

    assert {(trade.price, trade.volume) for trade in trades} == {(price, volume)}
