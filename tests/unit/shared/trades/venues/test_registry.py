"""Venues and markets by name."""

import pytest

from shared.trades.venues.registry import PUBLIC_ENDPOINTS, parse_market, venue


@pytest.mark.parametrize("name", ["coinbase", "binance", "kraken", "bitstamp"])
def test_every_venue_has_a_name_and_public_endpoints(name):
    assert venue(name).name == name
    assert PUBLIC_ENDPOINTS[name].websocket_url.startswith("wss://")
    assert PUBLIC_ENDPOINTS[name].rest_url.startswith("https://")


def test_unknown_venue_is_an_error_that_names_the_known_ones():
    with pytest.raises(ValueError, match="'mtgox'; the known ones are binance, bitstamp, coinbase, kraken"):
        venue("mtgox")


@pytest.mark.parametrize("text", ["coinbase:BTC-USD", "binance:BTCUSDT", "kraken:BTC/USD", "bitstamp:btcusd"])
def test_market_is_split_in_venue_and_symbol(text):
    adapter, symbol = parse_market(text)

    assert f"{adapter.name}:{symbol}" == text


@pytest.mark.parametrize(
    "text",
    ["", "BTC-USD", "coinbase:", "coinbase:BTCUSD", "binance:FOOBAR", "kraken:../x", "bitstamp:usd", "x:BTC-USD"],
)
def test_market_of_no_known_form_is_refused(text):
    with pytest.raises(ValueError, match=r"venue|market"):
        parse_market(text)
