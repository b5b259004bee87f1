"""What sources mean by the venues' own lists, the kept ones, and the form of the symbol."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from shared.clients.storage.fake import FakeReference
from shared.errors import Unavailable
from shared.trades.connection.fake import FakeVenueClient
from shared.trades.listing import FRESH_FOR, Listing, Resolved
from shared.trades.venues.registry import parse_market

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
AWAY = Unavailable("it is away")
BINANCE = {
    "ADAEUR": ("ADA", "EUR"),
    "LUNAEUR": ("LUNA", "EUR"),
    "THETAEUR": ("THETA", "EUR"),
    "BTCAEUR": ("BTC", "AEUR"),
    "VETUSD": ("VET", "USD"),
    "BNBUSD": ("BNB", "USD"),
    "DOTUSD": ("DOT", "USD"),
    "XYAEUR": ("XYA", "EUR"),
}


class World:
    """The venues' lists, a blob container, and a clock."""

    def __init__(self, **listed):
        self.now, self.listed, self.made = NOON, listed, []
        self.reference = FakeReference(lambda: self.now)
        self.listing = Listing(self.clients, self.reference, lambda: self.now)

    def clients(self):
        clients = {name: FakeVenueClient(listed=listed) for name, listed in self.listed.items()}
        self.made.append(clients)
        return clients

    def resolve(self, *sources):
        return self.listing.resolve(sources)


@pytest.mark.parametrize("symbol", BINANCE)
def test_base_and_quote_are_the_venues_own(symbol):
    (source,) = World(binance=BINANCE).resolve(f"binance:{symbol}").sources

    market = parse_market(source)
    assert (market.symbol, market.base, market.quote) == (symbol, *BINANCE[symbol])


def test_unknown_market_is_refused_before_the_window_opens_and_the_others_go_on():
    found = World(binance=BINANCE, coinbase={"BTC-USD": ("BTC", "USD")}).resolve("coinbase:BTC-USD", "binance:NOPEUSDT")

    assert found == Resolved(
        ("coinbase:BTC-USD=BTC/USD",),
        {"binance:NOPEUSDT": "binance does not list NOPEUSDT among its 8 markets"},
    )


def test_list_is_kept_and_serves_while_the_venue_is_away():
    world = World(binance=BINANCE)
    world.resolve("binance:ADAEUR")
    world.listed["binance"], world.now = AWAY, NOON + timedelta(hours=1)

    found = world.resolve("binance:LUNAEUR", "binance:NOPEUSDT")

    assert found.sources == ("binance:LUNAEUR=LUNA/EUR",)
    assert list(found.refused) == ["binance:NOPEUSDT"]
    assert json.loads(world.reference.read("symbols/binance.json"))["ADAEUR"] == ["ADA", "EUR"]


def test_where_neither_venue_nor_kept_list_answers_the_form_of_the_symbol_must_do():
    found = World(binance=AWAY).resolve("binance:BTCUSDT", "binance:XYAEUR", "binance:XYAEUR=XYA/EUR")

    assert found.sources == ("binance:BTCUSDT=BTC/USDT", "binance:XYAEUR=XYA/EUR")
    assert "can be read as XY/AEUR or XYA/EUR; write binance:XYAEUR=BASE/QUOTE" in found.refused["binance:XYAEUR"]


@pytest.mark.parametrize("kept", [b"", b"[]", b"nonsense", b'{"ADAEUR": 1}'])
def test_kept_list_that_can_not_be_read_is_passed_over(kept):
    world = World(binance=AWAY)
    world.reference.write("symbols/binance.json", kept)

    assert world.resolve("binance:BTCUSDT").sources == ("binance:BTCUSDT=BTC/USDT",)


def test_one_venue_that_is_away_costs_no_other():
    found = World(binance=BINANCE, kraken=AWAY).resolve("binance:ADAEUR", "kraken:BTC/USD")

    assert found.sources == ("binance:ADAEUR=ADA/EUR", "kraken:BTC/USD=BTC/USD")


def test_blobs_that_are_away_cost_nothing_while_the_venue_answers():
    class Away:
        def write(self, path, content):
            raise AWAY

        read = write

    listing = Listing(World(binance=BINANCE).clients, Away(), lambda: NOON)

    assert listing.resolve(["binance:ADAEUR"]).sources == ("binance:ADAEUR=ADA/EUR",)


def test_many_windows_planned_at_once_ask_a_venue_once_and_close_the_client():
    world = World(binance=BINANCE)

    for _ in range(100):
        world.resolve("binance:ADAEUR")
    world.now += FRESH_FOR
    world.resolve("binance:ADAEUR")

    assert len(world.made) == 2
    assert [clients["binance"].closed for clients in world.made] == [1, 1]
