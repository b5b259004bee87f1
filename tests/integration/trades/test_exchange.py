"""All four venues' adapters and the client against the local exchange, over TLS."""

import asyncio
import contextlib
import time
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import FeedRefused
from shared.trades.history import History
from shared.trades.venues.readings import Connected, Interrupted, MarketRefused, Snapshot, Traded, Unreadable
from shared.trades.venues.registry import venue
from tests.following import Heard, events_of
from tests.integration.trades.exchange import SYMBOLS, running_exchange

SECONDS = 5.0
every_venue = pytest.mark.parametrize("name", SYMBOLS)
contiguous_venue = pytest.mark.parametrize("name", [name for name in SYMBOLS if venue(name).contiguous])


@pytest.fixture(scope="module")
def exchange(tmp_path_factory):
    with running_exchange(tmp_path_factory.mktemp("tls"), rate=100) as running:
        yield running


async def heard(exchange, name):
    """Follow a venue for five seconds."""
    told = Heard()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SECONDS):
            async with aclosing(exchange.client(name)) as client:
                await client.follow(SYMBOLS[name], told)
    return [told.events.get_nowait() for _ in range(told.events.qsize())]


@pytest.fixture(scope="module")
def five_seconds(exchange):
    async def all_at_once():
        return dict(zip(SYMBOLS, await asyncio.gather(*(heard(exchange, name) for name in SYMBOLS)), strict=True))

    return asyncio.run(all_at_once())


@pytest.fixture(autouse=True)
async def closed_clients(exchange):
    yield
    while exchange.clients:
        await exchange.clients.pop().aclose()


def trades_of(events, symbol):
    told = (trade for event in events if isinstance(event, Traded) for trade in event.trades)
    return [trade for trade in told if trade.symbol == symbol]


@every_venue
def test_five_seconds_of_trades_arrive_without_interruption(five_seconds, name):
    events = five_seconds[name]

    assert [event.number for event in events if isinstance(event, Connected)] == [1]
    assert not [event for event in events if isinstance(event, Interrupted | Unreadable)]
    for symbol in SYMBOLS[name]:
        assert len(trades_of(events, symbol)) > 50 * SECONDS


@contiguous_venue
def test_live_trades_follow_each_other_id_by_id(five_seconds, name):
    for symbol in SYMBOLS[name]:
        ids = [trade.trade_id for trade in trades_of(five_seconds[name], symbol)]
        assert ids == list(range(ids[0], ids[0] + len(ids)))


def test_anchor_is_the_trade_before_the_first_live_one(five_seconds):
    anchors = {event.market: event.trade_id for event in five_seconds["coinbase"] if isinstance(event, Snapshot)}

    first = {symbol: trades_of(five_seconds["coinbase"], symbol)[0].trade_id for symbol in SYMBOLS["coinbase"]}

    assert anchors == {f"coinbase:{symbol}": number - 1 for symbol, number in first.items()}


@contiguous_venue
async def test_history_joins_the_live_trades_id_to_id(exchange, five_seconds, name):
    symbol, market = SYMBOLS[name][0], exchange.client(name)
    first = trades_of(five_seconds[name], symbol)[0]
    request, past = venue(name).older_than(symbol, first.trade_id, first.timestamp), []

    while request and len(past) < 2500:
        page = await market.page(symbol, request)
        past, request = [*page.trades, *past], page.older

    assert [trade.trade_id for trade in past] == list(range(first.trade_id - len(past), first.trade_id))
    assert {trade.origin for trade in past} == {"rest"}


@every_venue
async def test_history_tells_the_same_of_a_trade_as_the_websocket(exchange, five_seconds, name):
    symbol = SYMBOLS[name][0]
    live = {trade.trade_id: trade for trade in trades_of(five_seconds[name], symbol)}

    page = await exchange.client(name).page(symbol)
    pairs = [(live[past.trade_id], past) for past in page.trades if past.trade_id in live]

    assert len(pairs) > 50
    for ours, past in pairs:
        assert (ours.price, ours.volume, ours.direction) == (past.price, past.volume, past.direction)
        assert abs(ours.timestamp - past.timestamp) < 1_000_000
        assert ours.timestamp // 1_000_000 == past.timestamp // 1_000_000


@pytest.mark.parametrize("name", ["coinbase", "kraken"])
async def test_unknown_product_is_refused_in_the_venues_words_and_the_known_one_goes_on(exchange, name):
    known, unknown = SYMBOLS[name][0], SYMBOLS[name][0].replace("BTC", "NOPE")
    refused, traded = [], []

    async with asyncio.timeout(15), aclosing(events_of(exchange.client(name), [unknown, known])) as events:
        async for event in events:
            refused += [event] if isinstance(event, MarketRefused) else []
            traded += event.trades if isinstance(event, Traded) else []
            if refused and traded:
                break

    ((symbol, words),) = [(event.symbol, event.message) for event in refused]
    assert symbol == unknown
    assert "not a valid product" in words or "not supported" in words
    assert {trade.symbol for trade in traded} == {known}


@every_venue
async def test_history_of_an_unknown_product_is_refused(exchange, name):
    unknown = {"coinbase": "NO-PE", "binance": "NOPE", "kraken": "NO/PE", "bitstamp": "nope"}[name]

    with pytest.raises(FeedRefused):
        await exchange.client(name).page(unknown)


@every_venue
async def test_list_of_markets_has_what_is_followed(exchange, name):
    symbols = await exchange.client(name).symbols()

    assert set(SYMBOLS[name]) <= set(symbols)
    assert symbols[SYMBOLS[name][0]] == ("BTC", "USDT" if name == "binance" else "USD")


@every_venue
async def test_disconnected_client_connects_again(exchange, name):
    async with asyncio.timeout(15), aclosing(events_of(exchange.client(name), SYMBOLS[name])) as events:
        assert await until_connected(events, 1) == 0
        await exchange.fault(kind="disconnect", venue=name)

        assert await until_connected(events, 2) == 1


@pytest.mark.parametrize("name", ["binance", "bitstamp"])
async def test_shutdown_notice_costs_no_trade(exchange, name):
    symbol, ids = SYMBOLS[name][0], set()
    async with asyncio.timeout(15), aclosing(events_of(exchange.client(name), [symbol])) as events:
        await until_connected(events, 1)
        await exchange.fault(kind="shutdown", venue=name, seconds=2)
        until = time.monotonic() + 3.5
        while time.monotonic() < until:
            event = await anext(events)
            assert not isinstance(event, Interrupted)
            ids |= {trade.trade_id for trade in trades_of([event], symbol)}

    if venue(name).contiguous:
        assert max(ids) - min(ids) + 1 == len(ids)


async def test_rotation_before_the_connection_limit_costs_no_trade(exchange):
    await exchange.fault(kind="connection_limit", venue="binance", seconds=4)
    numbers, ids = [], set()
    market = exchange.client("binance", timedelta(seconds=4))
    try:
        async with asyncio.timeout(20), aclosing(events_of(market, ["BTCUSDT"])) as events:
            while numbers != [1, 2, 3]:
                event = await anext(events)
                assert not isinstance(event, Interrupted)
                numbers += [event.number] if isinstance(event, Connected) else []
                ids |= {trade.trade_id for trade in trades_of([event], "BTCUSDT")}
    finally:
        await exchange.clear()

    assert max(ids) - min(ids) + 1 == len(ids)


@every_venue
async def test_malformed_and_unknown_frames_are_told_and_do_no_harm(exchange, name):
    unreadable = 0
    async with asyncio.timeout(15), aclosing(events_of(exchange.client(name), SYMBOLS[name])) as events:
        await until_connected(events, 1)
        await exchange.fault(kind="malformed", venue=name)
        await exchange.fault(kind="unknown", venue=name)
        while unreadable < 2:
            event = await anext(events)
            assert not isinstance(event, Interrupted)
            unreadable += isinstance(event, Unreadable)
        while not isinstance(await anext(events), Traded):
            pass


async def test_busy_rest_interface_is_asked_again(exchange):
    await exchange.fault(kind="too_many_requests", venue="binance", count=2, retry_after=0.2)

    past = History(venue("binance"), exchange.client("binance"), lambda: datetime.now(UTC), asyncio.sleep)
    page = await past.page("BTCUSDT", None)

    assert len(page.trades) == 1000


async def until_connected(events, number):
    """Read until that connection; count the interruptions on the way."""
    interruptions = 0
    async for event in events:
        interruptions += isinstance(event, Interrupted)
        if isinstance(event, Connected) and event.number == number:
            break
    return interruptions
