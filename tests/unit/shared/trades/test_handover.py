"""Handing trades over while work runs behind: nothing is left running, forgotten or without bound."""

import asyncio
from contextlib import aclosing

import pytest

from shared.errors import FeedRefused, Unavailable
from shared.trades.handover import Handover
from shared.trades.inbox import FLUSH_AT, LIMIT, Inbox
from shared.trades.venues.registry import parse_market
from shared.trades.venues.trade import Trade
from tests.unit.shared.trades.simulated_venue import plan_of

PLAN = plan_of(["coinbase:BTC-USD"])


def trades(*ids: int, origin: str = "live") -> list[Trade]:
    return [Trade("coinbase", "BTC-USD", one, "1", "1", "buy", "taker", one, one, origin) for one in ids]


class Behind:
    """Work that adds trades and waits for room, as every reader does; `ended` once it was cancelled and is over."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self.added = 0
        self.running, self.held_up, self.ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def add(self, *ids: int) -> None:
        self.inbox.add(trades(*ids))
        self.inbox.hand_over()

    async def add_one_by_one(self, count: int) -> None:
        for one in range(count):
            self.inbox.add(trades(one))
            self.added += 1
            if self.inbox.is_full:
                self.held_up.set()
            await self.inbox.room()

    async def wait_for_ever(self) -> None:
        try:
            self.running.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.ended.set()

    async def fail(self, error: Exception, when: asyncio.Event | None = None) -> None:
        if when:
            await when.wait()
        raise error


@pytest.fixture
def inbox():
    return Inbox()


@pytest.fixture
def behind(inbox):
    return Behind(inbox)


@pytest.fixture
def handover(inbox):
    return Handover(PLAN, [parse_market("coinbase:BTC-USD")], inbox)


async def sizes(batches) -> list[int]:
    return [len(batch["trades"]) async for batch in batches]


async def test_all_that_the_work_added_is_handed_over_under_the_name_of_the_stream(handover, behind):
    batches = [batch async for batch in handover.while_running(behind.add(3, 1, 2))]

    assert [list(batch) for batch in batches] == [["trades"]]
    ids = [line.as_py().split(b'"trade_id":')[1].split(b",")[0] for line in batches[0]["trades"].lines]
    assert ids == [b"1", b"2", b"3"]


async def test_much_is_handed_over_in_bounded_pieces(handover, behind):
    assert await sizes(handover.while_running(behind.add(*range(25_000)))) == [FLUSH_AT, FLUSH_AT, 5_000]


async def test_work_that_finds_nothing_gives_no_batch(handover, behind):
    assert await sizes(handover.while_running(behind.add())) == []


async def test_a_batch_counts_once_the_next_one_is_asked_for(handover, behind):
    async with aclosing(handover.while_running(behind.add(*range(FLUSH_AT)), behind.add(-1))) as batches:
        counted = [handover.counts.total() async for _ in batches]

    assert counted == [0, FLUSH_AT]
    assert handover.counts == {("coinbase:BTC-USD", "live"): FLUSH_AT + 1}


async def test_a_batch_whose_asker_left_does_not_count(handover, behind):
    async with aclosing(handover.while_running(behind.add(1))) as batches:
        await anext(batches)

    assert handover.counts.total() == 0


async def test_whoever_leaves_early_ends_and_awaits_all_that_runs_behind(handover, behind):
    async with aclosing(handover.while_running(behind.add(1), meanwhile=[behind.wait_for_ever()])) as batches:
        await anext(batches)
        before = behind.ended.is_set()

    assert (before, behind.ended.is_set()) == (False, True)


async def test_what_runs_meanwhile_ends_with_the_work(handover, behind):
    await sizes(handover.while_running(behind.add(1), meanwhile=[behind.wait_for_ever()]))

    assert behind.ended.is_set()


async def test_an_error_behind_reaches_the_waiting_asker_as_itself(handover, behind):
    refused = FeedRefused("no such product")

    with pytest.raises(FeedRefused) as raised:
        await sizes(handover.while_running(behind.wait_for_ever(), meanwhile=[behind.fail(refused)]))

    assert raised.value is refused
    assert behind.ended.is_set()


async def test_an_error_between_two_batches_reaches_the_asker_at_the_next_one(handover, behind):
    broken, when = Unavailable("the venue is gone"), asyncio.Event()
    work = [behind.add(1), behind.wait_for_ever()]
    async with aclosing(handover.while_running(*work, meanwhile=[behind.fail(broken, when)])) as batches:
        await anext(batches)
        when.set()
        await behind.ended.wait()
        behind.inbox.add(trades(2))

        with pytest.raises(Unavailable, match="the venue is gone"):
            await anext(batches)


async def test_cancelling_the_asker_passes_through_and_ends_all(handover, behind):
    asking = asyncio.create_task(sizes(handover.while_running(behind.wait_for_ever())))
    await behind.running.wait()

    asking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asking
    assert behind.ended.is_set()


async def test_readers_wait_while_nobody_asks_and_go_on_afterwards(handover, behind):
    async with aclosing(handover.while_running(behind.add_one_by_one(3 * LIMIT))) as batches:
        sent = len((await anext(batches))["trades"])
        behind.held_up.clear()
        await behind.held_up.wait()
        await asyncio.sleep(0)
        held_up_at = behind.added

        batch = await sizes(batches)
        sent += sum(batch)

    assert held_up_at == FLUSH_AT + LIMIT
    assert sent == 3 * LIMIT


async def test_trades_that_are_taken_back_make_room(inbox):
    inbox.add(trades(*range(LIMIT)))
    waiting = asyncio.create_task(inbox.room())
    await asyncio.sleep(0)

    taken_back = inbox.take_back(lambda trade: trade.trade_id >= 10)
    await waiting

    assert len(taken_back) == LIMIT - 10
    assert [trade.trade_id for trade in inbox.take()] == [*range(10)]
