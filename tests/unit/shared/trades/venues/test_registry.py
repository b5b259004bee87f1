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
def test_market_is_read_as_venue_and_symbol(text):
    market = parse_market(text)

    assert f"{market.venue.name}:{market.symbol}" == market.name == text
    assert (market.base, market.quote) in {("BTC", "USD"), ("BTC", "USDT")}


def test_market_says_base_and_quote_where_its_symbol_can_be_read_in_two_ways():
    market = parse_market("binance:XYAEUR=XYA/EUR")

    assert (market.name, market.symbol, market.base, market.quote) == ("binance:XYAEUR", "XYAEUR", "XYA", "EUR")


def test_symbol_that_can_be_read_in_two_ways_is_refused_with_the_way_to_write_it():
    rule = "'XYAEUR' can be read as XY/AEUR or XYA/EUR; write binance:XYAEUR=BASE/QUOTE"

    with pytest.raises(ValueError, match=rule):
        parse_market("binance:XYAEUR")


@pytest.mark.parametrize("text", ["binance:ADAEUR=ADA/USD", "coinbase:BTC-USD=ETH/USD", "coinbase:BTC-USD=BTCU/SD"])
def test_base_and_quote_that_are_not_in_the_symbol_are_refused(text):
    with pytest.raises(ValueError, match="is not the market of"):
        parse_market(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "BTC-USD",
        "coinbase:",
        "coinbase:BTCUSD",
        "coinbase:BTCUSD=BTC/USD",
        "binance:FOOBAR",
        "kraken:../x",
        "bitstamp:usd",
        "x:BTC-USD",
        "binance:ADAEUR=",
        "binance:ADAEUR=ADAEUR",
    ],
)
def test_market_of_no_known_form_is_refused(text):
    with pytest.raises(ValueError, match=r"venue|market"):
        parse_market(text)
