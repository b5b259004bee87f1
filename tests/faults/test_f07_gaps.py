"""F7: connections to all venues break while trades go missing: what is missing is filled, or told by its ids."""

import asyncio
import random
from datetime import timedelta

import pytest

from tests.faults.disconnects import CONTIGUOUS, MARKETS, Round
from tests.faults.figures import percentile
from tests.faults.verdict import Arrival, Event, Told, judge
from tests.integration.trades.exchange import running_exchange

LENGTH, BREAKS = timedelta(seconds=20), 6
RATE = 10


@pytest.fixture(scope="module")
def exchange(tmp_path_factory):
    with running_exchange(tmp_path_factory.mktemp("exchange"), rate=RATE) as running:
        yield running


@pytest.fixture(autouse=True)
async def closed_clients(exchange):
    yield
    await exchange.clear()
    while exchange.clients:
        await exchange.clients.pop().aclose()


async def test_what_is_missing_is_filled_or_told_with_its_exact_ids(exchange, sized, figures):
    rounds = [Round(exchange, seed, LENGTH, BREAKS) for seed in range(sized(1, 10))]
    for one in rounds:
        await one.live()

    gone = {(one.seed, name, gap) for one in rounds for name in CONTIGUOUS for gap in one.gone(name)}
    told = {(one.seed, name, gap) for one in rounds for name in CONTIGUOUS for gap in one.told(name)}
    unheard = sum(len(one.unheard(name)) for one in rounds for name in MARKETS)
    verdicts = [verdict(one, name) for one in rounds for name in MARKETS]
    reconnects = [each for one in rounds for client in one.clients.values() for each in client.reconnects]
    figures.at_least("connections that broke and came back", len(reconnects), sized(20, 200))
    figures.at_least("trades that no websocket brought", unheard, len(reconnects) // 2)
    what = "gaps that no history fills, told with their exact ids"
    figures.all_of(what, len(gone & told), len(gone), [f"untold {gone - told}", f"told instead {told - gone}"])
    figures.exactly("gaps told that were none", len(told - gone), 0)
    figures.exactly("trades lost that the history has", sum(len(one.lost) for one in verdicts), 0)
    figures.exactly("trades of no slice", sum(len(one.phantom) for one in verdicts), 0)
    figures.exactly("trades sent twice", sum(one.doubled_raw for one in verdicts), 0)
    figures.at_most("reconnect with its back-off, 95 %", percentile(reconnects, 95), 5, "s")


def verdict(one, name):
    ledger = {
        Event(name, number): Told.FAILED if is_lost else Told.ACCEPTED for number, is_lost in one.truth[name].items()
    }
    return judge(ledger, [Arrival(Event(name, number), (name, number)) for number in one.sent(name)])


async def test_a_venue_that_stays_away_is_not_stormed(exchange, sized, figures):
    seconds = sized(10, 60)
    one = Round(exchange, 7, timedelta(seconds=seconds + 4), 1, random.Random(7).random)
    one._break = lambda name: asyncio.sleep(0)
    living = asyncio.create_task(one.live())
    await asyncio.sleep(5)
    await exchange.fault(kind="outage", seconds=seconds, rest=True)
    await living

    most = max(len(client.attempts) for client in one.clients.values())
    lost = sum(len(verdict(one, name).lost) for name in MARKETS)
    assert most > 2
    figures.at_most("connects a minute to a venue that is away", most * 60 / seconds, 60)
    figures.exactly("trades lost while it was away", lost, 0)
