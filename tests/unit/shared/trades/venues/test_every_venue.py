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


SYMBOLS = {"coinbase": "BTC-USD", "binance": "BTCUSDT", "kraken": "BTC/USD", "bitstamp": "btcusd"}


def history_rows(name, count, odd):
    """Write a page of trades as a venue does, oldest first; of those in `odd` the quantity is zero."""
    taken = {"side": "buy", "price": "1", "time": "2021-04-17T16:43:30Z"}
    rows = []
    for number in range(1, count + 1):
        size = "0.00000000" if number in odd else "2.00000000"
        row = {
            "coinbase": taken | {"trade_id": number, "size": size},
            "binance": {"id": number, "price": "1", "qty": size, "time": 1000 + number, "isBuyerMaker": True},
            "kraken": ["1", size, 1_700_000_000 + number, "b", "m", "", number],
            "bitstamp": {"tid": str(number), "type": "0", "price": "1", "amount": size, "date": str(1000 + number)},
        }
        rows.append(row[name])
    if name in {"coinbase", "bitstamp"}:
        rows.reverse()
    return {"error": [], "result": {"XXBTZUSD": rows, "last": "0"}} if name == "kraken" else rows


@every_venue
def test_page_of_a_thousand_with_one_zero_quantity_has_999_trades_and_one_that_is_rejected(adapter):
    symbol, body = SYMBOLS[adapter.name], json.dumps(history_rows(adapter.name, 1000, {500})).encode()

    page = adapter.read_history(adapter.newest(symbol), body, symbol, 9)

    assert [trade.trade_id for trade in page.trades] == [n for n in range(1, 1001) if n != 500]
    assert [(one.trade_id, bool(one.reason), one.timestamp is not None) for one in page.rejected] == [(500, True, True)]


@every_venue
def test_page_with_a_row_of_another_shape_keeps_its_neighbours(adapter):
    symbol, page = SYMBOLS[adapter.name], history_rows(adapter.name, 3, set())
    rows = page["result"]["XXBTZUSD"] if adapter.name == "kraken" else page
    rows[1] = {"surprise": True}

    read = adapter.read_history(adapter.newest(symbol), json.dumps(page).encode(), symbol, 9)

    assert [trade.trade_id for trade in read.trades] == [1, 3]
    assert [one.trade_id for one in read.rejected] == [None]


LISTS = {
    "coinbase": ([{"id": "BTC-USD", "base_currency": "BTC", "quote_currency": "USD"}], {"BTC-USD": ("BTC", "USD")}),
    "binance": (
        {"symbols": [{"symbol": "ADAEUR", "baseAsset": "ADA", "quoteAsset": "EUR", "status": "TRADING"}]},
        {"ADAEUR": ("ADA", "EUR")},
    ),
    "kraken": (
        {"error": [], "result": {"XXBTZUSD": {"altname": "XBTUSD", "wsname": "XBT/USD"}, "X": {"altname": "X"}}},
        {"BTC/USD": ("BTC", "USD")},
    ),
    "bitstamp": ([{"name": "BTC/USD", "url_symbol": "btcusd", "trading": "Enabled"}], {"btcusd": ("BTC", "USD")}),
}


@every_venue
def test_list_of_markets_says_base_and_quote_in_the_venues_spelling(adapter):
    answer, expected = LISTS[adapter.name]

    assert adapter.read_symbols(json.dumps(answer).encode()) == expected


@every_venue
@given(body=st.binary(max_size=100))
def test_list_that_is_none_is_a_value_error(adapter, body):
    with pytest.raises(ValueError, match="not a list"):
        adapter.read_symbols(b"{" + body)
