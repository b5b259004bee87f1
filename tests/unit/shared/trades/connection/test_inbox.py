"""What connections report, in order and bounded."""

import asyncio

from shared.trades.connection.inbox import Inbox
from shared.trades.venues.readings import Interrupted
from shared.trades.venues.trade import Trade

END = Interrupted("gone")


def trade(number):
    return Trade("coinbase", "BTC-USD", "BTC", "USD", number, "1", "1", "buy", "maker_inverted", number, number, "live")


async def test_trades_that_follow_each_other_lie_in_one_list():
    inbox = Inbox()
    inbox.add([trade(1)])
    inbox.add([trade(2), trade(3)])

    assert await inbox.take() == [[trade(1), trade(2), trade(3)]]


async def test_whatever_comes_between_trades_keeps_its_place():
    inbox = Inbox()
    inbox.add([trade(1)])
    inbox.put(END)
    inbox.add([trade(2)])

    assert await inbox.take() == [[trade(1)], END, [trade(2)]]


async def test_trades_after_a_take_begin_a_new_list():
    inbox = Inbox()
    inbox.add([trade(1)])
    taken = await inbox.take()
    inbox.add([trade(2)])

    assert taken == [[trade(1)]]
    assert await inbox.take() == [[trade(2)]]


async def test_full_inbox_holds_its_senders_until_it_is_taken():
    inbox = Inbox()
    inbox.add([trade(1)] * 20_000)
    assert inbox.full
    waiting = asyncio.create_task(inbox.emptied())
    await asyncio.sleep(0)

    await inbox.take()
    await waiting

    assert not inbox.full


async def test_wake_lets_the_reader_go_empty_handed():
    inbox = Inbox()
    inbox.wake()

    assert await inbox.take() == []
