"""What the venues refuse by themselves, and what passes: the app's client against the local exchange's limits."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime

import pytest

from emulators.testing import running_service
from shared.domain.failures import FailureKind
from shared.errors import Unavailable
from shared.trades.connection.limiter import RequestLimiter
from shared.trades.history import History
from shared.trades.venues.readings import Connected, MarketRefused, Traded
from shared.trades.venues.registry import venue
from shared.trades.venues.venue import RequestLimit
from tests.following import events_of
from tests.integration.trades.exchange import SYMBOLS, Exchange
from tests.integration.trades.test_exchange import every_venue, trades_of

HASTE = RequestLimit(burst=10_000, every=0.0)
REFUSALS = [
    ("kraken", "Exceeded msg rate"),
    ("kraken", "EService:Unavailable"),
    ("kraken", "EGeneral:Too many requests"),
    ("coinbase", "Internal server error"),
    ("bitstamp", "Rate limit exceeded."),
    ("binance", "Too many subscriptions"),
]


@pytest.fixture
def exchange():
    """An exchange whose limits nobody has used yet."""
    with running_service("exchange", "--port", 0, "--admin-port", 0, "--rate", 100, "--history-seconds", 60) as found:
        yield Exchange(found, None)


@pytest.fixture(autouse=True)
async def closed_clients(exchange):
    yield
    while exchange.clients:
        await exchange.clients.pop().aclose()


def hasty(exchange, name):
    """Give a client that keeps to no pace of its own."""
    exchange.limiters[name] = RequestLimiter(HASTE)
    return exchange.client(name)


async def first_refusal(client, symbol):
    """Ask until a page is refused, at most 500 times."""
    for _ in range(500):
        try:
            await client.page(symbol)
        except Unavailable as error:
            return error
    raise AssertionError("nothing was refused")


@pytest.mark.parametrize("name", ["coinbase", "kraken"])
async def test_limit_that_is_met_is_throttling_and_its_page_is_got_after_a_wait(exchange, name):
    client, symbol = hasty(exchange, name), SYMBOLS[name][0]

    answers = await asyncio.gather(*(client.page(symbol) for _ in range(60)), return_exceptions=True)
    refused = [one for one in answers if isinstance(one, BaseException)]
    page = await History(venue(name), client, lambda: datetime.now(UTC), asyncio.sleep).page(symbol, None)

    assert {(type(one), one.kind) for one in refused} <= {(type(refused[0]), FailureKind.THROTTLED)}
    assert isinstance(refused[0], Unavailable)
    assert len(answers) - len(refused) >= 15
    assert len(page.trades) == 1000


async def test_client_that_keeps_to_its_pace_is_never_refused_by_kraken(exchange):
    client = exchange.client("kraken")

    pages = await asyncio.gather(*(client.page("BTC/USD") for _ in range(18)))

    assert all(page.trades for page in pages)


async def test_client_that_binance_refused_does_not_ask_into_the_wait(exchange):
    client, symbol = hasty(exchange, "binance"), "BTCUSDT"
    refusal = await first_refusal(client, symbol)

    again = await asyncio.gather(*(client.page(symbol) for _ in range(20)), return_exceptions=True)

    assert refusal.kind is FailureKind.THROTTLED
    assert 0 < refusal.retry_after <= 60
    assert "answered 429" in str(refusal)
    assert all("asked to be left alone" in str(one) and one.retry_after <= 60 for one in again)


@pytest.mark.parametrize(("name", "words"), REFUSALS)
async def test_subscription_that_is_refused_in_passing_is_made_again_and_costs_no_market(exchange, name, words):
    await exchange.fault(kind="refuse_subscription", venue=name, count=2, words=words)

    async with asyncio.timeout(30), aclosing(events_of(exchange.client(name), SYMBOLS[name][:1])) as events:
        async for event in events:
            assert not isinstance(event, MarketRefused)
            if isinstance(event, Traded):
                break


@pytest.mark.parametrize(("name", "words"), REFUSALS)
async def test_error_that_a_venue_tells_by_itself_costs_a_connection_and_no_market(exchange, name, words):
    numbers = []

    async with asyncio.timeout(30), aclosing(events_of(exchange.client(name), SYMBOLS[name][:1])) as events:
        async for event in events:
            assert not isinstance(event, MarketRefused)
            if isinstance(event, Connected):
                numbers.append(event.number)
                if event.number == 1:
                    await exchange.fault(kind="error_frame", venue=name, words=words)
            if numbers == [1, 2] and isinstance(event, Traded):
                break


@every_venue
async def test_a_trade_with_a_zero_quantity_costs_neither_its_frame_nor_its_page(exchange, name):
    symbol, heard, rejected = SYMBOLS[name][0], set(), []
    async with asyncio.timeout(15), aclosing(events_of(exchange.client(name), [symbol])) as events:
        async for event in events:
            if isinstance(event, Connected):
                await exchange.fault(kind="zero", venue=name, symbol=symbol)
            heard |= {trade.trade_id for trade in trades_of([event], symbol)}
            rejected += event.rejected if isinstance(event, Traded) else ()
            if rejected and max(heard, default=0) > rejected[0].trade_id + 30:
                break

    page = await exchange.client(name).page(symbol)

    ((live, past),) = zip(rejected, page.rejected, strict=True)
    assert live.trade_id == past.trade_id
    assert heard <= {trade.trade_id for trade in page.trades}
