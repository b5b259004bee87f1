"""One slice of [0, 20) s, listening from −4 s to 24 s, against a venue whose truth is known."""

import asyncio
import dataclasses
from contextlib import aclosing
from datetime import timedelta

import pytest

from shared.domain.windows.plan import SliceAttempt
from shared.errors import FeedRefused, SendFailed, Unavailable
from shared.feeds.slicing import SliceClock
from shared.trades.completeness.reports import SliceReport
from shared.trades.connection.fake import FakeVenueClient
from shared.trades.inbox import FLUSH_AT, LIMIT
from shared.trades.source import slice_source
from shared.trades.venues.readings import Connected, Interrupted, MarketRefused, Rejected, Traded, Unreadable
from shared.trades.venues.registry import venue
from shared.trades.venues.trade import Trade
from tests.unit.shared.trades.simulated_venue import (
    ZERO,
    Deal,
    SimulatedHub,
    SimulatedVenue,
    Stage,
    at,
    clock,
    plan_of,
    played,
    send_all,
    until,
)

PLAN = plan_of(["coinbase:BTC-USD"], length=20)
CLOCK = SliceClock(clock, asyncio.sleep, lambda: None)


def steady(first: float = -6, last: float = 40) -> list[Deal]:
    """Give a trade each second, at half past it."""
    count = round(last - first)
    return [Deal(n + 1, first + n + 0.5, first + n + 0.5, first + n + 0.5) for n in range(count)]


def unheard(deals: list[Deal], *ids: int, kept: bool = True) -> list[Deal]:
    return [
        Deal(d.trade_id, d.done, d.told, None if d.trade_id in ids else d.heard, d.trade_id not in ids or kept)
        for d in deals
    ]


def run(market: SimulatedVenue, **stage):
    stage = Stage([market], PLAN, **stage)
    return played(stage.run(0), begin=-10), stage.hub


def test_the_slice_sends_its_own_trades_in_order_and_tells_its_neighbours():
    report, hub = run(SimulatedVenue("coinbase", steady()))

    assert [record["trade_id"] for _, record in hub.sent] == list(range(7, 27))
    assert report.markets[0].ids == {"before": 6, "first": 7, "last": 26, "after": 27}
    assert report.markets[0].sent == {"live": 20}
    assert {name for name, _ in hub.sent} == {"trades-20261122T100000Z/0.1"}


def test_trades_are_sent_each_second_not_at_the_end():
    market, hub = SimulatedVenue("coinbase", steady()), SimulatedHub()
    stage = Stage([market], PLAN, hub)

    async def story():
        task = asyncio.create_task(stage.run(0))
        await asyncio.sleep(20)
        early = len(hub.sent)
        await task
        return early

    assert played(story(), begin=-10) >= 8


def test_a_late_trade_within_the_grace_is_kept():
    deals = [*steady(-6, 19), Deal(26, 19.9, 23.0, 23.0)]

    report, hub = run(SimulatedVenue("coinbase", deals))

    assert hub.ids[26] == 1
    assert report.markets[0].lag_ms == 3100
    assert "half the grace" in report.warnings[0]


def test_a_hole_is_filled_from_the_history_and_told():
    report, hub = run(SimulatedVenue("coinbase", unheard(steady(), 10, 11, 12)))

    gap = report.markets[0].gaps[0]
    assert (gap.first, gap.last, gap.filled, gap.state) == (10, 12, 3, "filled")
    assert report.markets[0].sent == {"live": 17, "rest": 3}
    assert [record["origin"] for _, record in hub.sent if record["trade_id"] == 11] == ["rest"]


def test_what_the_history_lacks_is_named_as_lost():
    report, hub = run(SimulatedVenue("coinbase", unheard(steady(), 10, 11, kept=False)))

    gap = report.markets[0].gaps[0]
    assert (gap.state, gap.missing, gap.detail) == ("lost", ((10, 11),), "the venue's history lacks them")
    assert len(hub.sent) == 18


def test_a_slice_that_begins_late_gets_what_it_missed():
    report, hub = run(SimulatedVenue("coinbase", steady()), delays=[14])

    assert sorted(hub.ids) == list(range(7, 27))
    assert report.markets[0].gaps[0].reason == "start"
    assert report.markets[0].sent == {"live": 10, "rest": 10}


def test_a_slice_in_the_past_asks_the_history_alone():
    report, hub = run(SimulatedVenue("coinbase", steady(-300, 400)), delays=[404])

    assert report.connections == 0
    assert report.markets[0].sent == {"rest": 20}
    assert sorted(hub.ids) == list(range(301, 321))


def test_an_outage_at_the_end_is_filled():
    report, hub = run(SimulatedVenue("coinbase", steady(), outages=[(15, 60)]))

    assert sorted(hub.ids) == list(range(7, 27))
    assert report.interruptions == 1


def test_failed_attempts_to_connect_again_are_one_interruption():
    script = [Interrupted("refused")] * 5

    report, _ = run(SimulatedVenue("coinbase", steady(), script=script))

    assert (report.interruptions, report.connections) == (1, 1)


def test_a_history_that_never_answers_leaves_the_gap_open_and_ends_in_time():
    market = SimulatedVenue("coinbase", unheard(steady(), 10), deaf=[(0, 1e6)])
    stage = Stage([market], PLAN)

    async def story():
        report = await stage.run(0)
        return report, clock()

    report, ended = played(story(), begin=-10)

    assert report.markets[0].gaps[0].state == "open"
    assert ended <= ZERO + timedelta(seconds=45)


def test_a_stop_ends_the_slice_within_five_seconds_with_what_it_has():
    market, hub = SimulatedVenue("coinbase", unheard(steady(), 10), deaf=[(0, 1e6)]), SimulatedHub()
    stage = Stage([market], PLAN, hub, stop_at=ZERO + timedelta(seconds=8))

    async def story():
        report = await stage.run(0)
        return report, clock()

    report, ended = played(story(), begin=-10)

    assert sorted(hub.ids) == [7, 8, 9, 11, 12, 13, 14]
    assert report.slice.end == ZERO + timedelta(seconds=8)
    assert ended <= ZERO + timedelta(seconds=11)


def test_a_stop_that_is_seen_after_its_time_takes_back_what_still_waits():
    class Late(Stage):
        @property
        def noticed(self):
            return self.stop_at + timedelta(seconds=0.9)

    hub = SimulatedHub()
    stage = Late([SimulatedVenue("coinbase", steady())], PLAN, hub, stop_at=ZERO + timedelta(seconds=8))

    report = played(stage.run(0), begin=-10)

    assert max(hub.ids) == 14
    assert report.markets[0].ids == {"before": 6, "first": 7, "last": 14, "after": 15}


def test_a_hub_that_takes_nothing_fails_the_slice():
    with pytest.raises(SendFailed):
        run(SimulatedVenue("coinbase", steady()), hub=SimulatedHub(capacity=3))


def test_only_what_was_handed_over_counts_as_sent():
    hub = SimulatedHub(capacity=3)
    source = slice_source(
        SliceAttempt(PLAN, PLAN.slices()[0], 1), {"coinbase": SimulatedVenue("coinbase", steady())}, CLOCK
    )

    async def story():
        with pytest.raises(SendFailed):
            await send_all(source, "trades-20261122T100000Z/0.1", hub)

    played(story(), begin=-10)

    assert source.report()["markets"][0]["sent"] == {"live": len(hub.sent)}


def test_a_hub_that_is_slow_loses_nothing_of_what_was_read():
    report, hub = run(SimulatedVenue("coinbase", steady()), hub=SimulatedHub(slow=3.0))

    assert hub.ids == dict.fromkeys(range(7, 27), 1)
    assert report.markets[0].gaps == ()


class Busy:
    """A venue that tells 100,000 trades a second, in frames of 100, for as long as they are read."""

    def __init__(self, begin: float = 1.0) -> None:
        self.begin = begin
        self.told = 0

    async def follow(self, symbols, listener):
        listener.take(Connected(1))
        await until(self.begin)
        listener.take(Traded((self.trade(0, at(-30)),)))
        while True:
            numbers = range(self.told + 1, self.told + 101)
            listener.take(Traded(tuple(self.trade(number, at(self.begin) + number) for number in numbers)))
            self.told += 100
            await listener.room()
            await asyncio.sleep(0.001)

    def trade(self, number, timestamp):
        return Trade("coinbase", "BTC-USD", number, "1", "1", "buy", "taker", timestamp, timestamp, "live")

    async def page(self, symbol, request=None):
        raise Unavailable("the history is away")

    async def aclose(self):
        pass


def test_an_asker_that_does_not_ask_holds_the_venue_up_and_gets_all_that_was_read_afterwards():
    venue = Busy()
    source = slice_source(SliceAttempt(PLAN, PLAN.slices()[0], 1), {"coinbase": venue}, CLOCK)

    async def story():
        async with aclosing(source.batches()) as batches:
            first = len((await anext(batches))["trades"])
            await until(10)
            held_up_at = venue.told
            rest = [len((await anext(batches))["trades"]) for _ in range(2)]
            await until(12)
            return first, held_up_at, rest, venue.told

    first, held_up_at, rest, told = played(story(), begin=-10)

    assert held_up_at == first + LIMIT
    assert rest == [FLUSH_AT, FLUSH_AT]
    assert told > held_up_at


def test_reading_that_was_held_up_at_the_end_is_made_up_for_by_the_history():
    """Frames may be left unread then, so the slice can't claim to have heard all."""
    source = slice_source(SliceAttempt(PLAN, PLAN.slices()[0], 1), {"coinbase": Busy(begin=18)}, CLOCK)

    async def story():
        async with aclosing(source.batches()) as batches:
            await anext(batches)
            await until(23)
            async for _ in batches:
                pass

    played(story(), begin=-10)

    (market,) = SliceReport.from_wire(source.report()).markets
    assert not market.complete_above
    assert [(gap.reason, gap.state, gap.detail) for gap in market.gaps] == [
        ("reconnect", "open", "the history is away")
    ]


def test_frames_that_can_not_be_read_are_counted_and_the_first_twenty_kept():
    script = [Unreadable("x" * 500, "not JSON")] * 25

    report, hub = run(SimulatedVenue("coinbase", steady(), script=script))

    assert (report.unreadable, len(report.samples), len(report.samples[0])) == (25, 20, 200)
    assert len(hub.sent) == 20


@pytest.mark.parametrize(
    ("name", "symbol"), [("binance", "BTCUSDT"), ("coinbase", "ETH-USD"), ("coinbase", "BANDGBP"), ("coinbase", "")]
)
def test_a_trade_of_a_market_nobody_asked_for_is_counted_not_sent(name, symbol):
    stray = Trade(name, symbol, 1, "1", "1", "buy", "taker", at(5), at(5), "live")

    report, hub = run(SimulatedVenue("coinbase", [], script=[Traded((stray,))]))

    assert (report.unreadable, hub.sent) == (1, [])
    assert report.samples == (f"a trade of a market that was not asked for: {name}:{symbol}",)


def test_base_and_quote_are_what_the_plan_says():
    trade = Trade("binance", "XYAEUR", 1, "1", "1", "buy", "taker", at(5), at(5), "live")
    client = FakeVenueClient([Connected(1), Traded((trade,))], [trade], venue=venue("binance"))
    plan, hub = plan_of(["binance:XYAEUR=XYA/EUR"], length=20), SimulatedHub()
    source = slice_source(SliceAttempt(plan, plan.slices()[0], 1), {"binance": client}, CLOCK)

    report = played(send_all(source, "trades-20261122T100000Z/0.1", hub), begin=-10)

    ((_, record),) = hub.sent
    assert (record["symbol"], record["base"], record["quote"]) == ("XYAEUR", "XYA", "EUR")
    assert [market["market"] for market in report["markets"]] == ["binance:XYAEUR"]


def test_a_market_without_trades_is_quiet():
    report, _ = run(SimulatedVenue("coinbase", []))

    assert report.markets[0].quiet
    assert report.markets[0].gaps == ()


BOTH = plan_of(["coinbase:BTC-USD", "binance:BTCUSDT"], length=20)


class Refusing(SimulatedVenue):
    async def follow(self, symbols, listener):
        listener.take(MarketRefused(symbols[0], "binance refused BTCUSDT: no such market"))
        await asyncio.Event().wait()

    async def page(self, symbol, request=None):
        raise FeedRefused("binance answered 400: Invalid symbol.")


def test_a_refused_market_is_named_and_the_healthy_one_is_ingested_whole():
    stage = Stage([SimulatedVenue("coinbase", steady()), Refusing("binance", [])], BOTH)

    async def story():
        report = await stage.run(0)
        return report, await stage.close([report])

    report, closing = played(story(), begin=-10)

    words = "binance refused BTCUSDT: no such market"
    assert report.refused == {"binance:BTCUSDT": words}
    assert {record["venue"] for _, record in stage.hub.sent} == {"coinbase"}
    assert len(stage.hub.sent) == 20
    assert [(one.market, one.reason, one.since, one.until) for one in closing.lost] == [
        ("binance:BTCUSDT", words, at(0), at(20))
    ]


def test_a_refused_market_whose_ids_do_not_follow_each_other_is_lost_too():
    plan = plan_of(["coinbase:BTC-USD", "bitstamp:btcusd"], length=20)
    stage = Stage([SimulatedVenue("coinbase", steady()), Refusing("bitstamp", [])], plan)

    async def story():
        return await stage.close([await stage.run(0)])

    (lost,) = played(story(), begin=-10).lost

    assert (lost.market, lost.since, lost.until) == ("bitstamp:btcusd", at(0), at(20))
    assert "no such market" in lost.reason


def test_venues_that_refuse_all_markets_end_the_slice_with_their_words():
    plan = plan_of(["binance:BTCUSDT"], length=20)

    with pytest.raises(FeedRefused, match="No market can be ingested: binance refused BTCUSDT: no such market"):
        played(Stage([Refusing("binance", [])], plan).run(0), begin=-10)


def test_a_plan_whose_markets_were_all_refused_before_it_opened_ends_its_slice_with_the_reason():
    plan = dataclasses.replace(plan_of([], length=20), refused={"binance:NOPEUSDT": "binance does not list NOPEUSDT"})

    with pytest.raises(FeedRefused, match="binance does not list NOPEUSDT"):
        played(Stage([], plan).run(0), begin=-10)


def test_a_market_that_only_its_history_refuses_is_named_as_well():
    class Past(SimulatedVenue):
        async def page(self, symbol, request=None):
            raise FeedRefused("coinbase answered 404: NotFound")

    with pytest.raises(FeedRefused, match="coinbase answered 404: NotFound"):
        run(Past("coinbase", []), delays=[404])


def test_of_two_symbols_the_one_that_was_never_acknowledged_is_named_and_got_from_the_history():
    class Half(SimulatedVenue):
        async def follow(self, symbols, listener):
            listener.take(Connected(1, ("BTC-USD",)))
            await asyncio.Event().wait()

    plan = plan_of(["coinbase:BTC-USD", "coinbase:ETH-USD"], length=20)
    market = Half("coinbase", steady())
    stage = Stage([market], plan)

    report = played(stage.run(0), begin=-10)

    assert [text for text in report.warnings if "never acknowledged" in text] == [
        "coinbase:ETH-USD: the venue never acknowledged its subscription; its trades are the history's"
    ]
    assert not report.of("coinbase:ETH-USD").quiet
    assert report.of("coinbase:BTC-USD").quiet
    assert market.asked > 0


def test_a_trade_that_can_not_be_taken_is_counted_once_and_leaves_no_gap():
    odd = Rejected("{}", "zero", 5, at(-30), "BTC-USD")
    script = [Traded((), (odd,)), Traded((), (odd,)), Traded((), (Rejected("?", "no id"),))]

    report, _ = run(SimulatedVenue("coinbase", [], script=script))

    assert (report.unreadable, report.samples) == (2, ("zero: {}", "no id: ?"))


def test_a_row_of_the_history_that_can_not_be_taken_fills_its_gap():
    class Odd(SimulatedVenue):
        async def page(self, symbol, request=None):
            page = await super().page(symbol, request)
            odd = [Rejected("{}", "zero", one.trade_id, one.timestamp) for one in page.trades if one.trade_id == 11]
            return dataclasses.replace(
                page, trades=tuple(one for one in page.trades if one.trade_id != 11), rejected=tuple(odd)
            )

    report, hub = run(Odd("coinbase", unheard(steady(), 10, 11, 12)))

    gap = report.markets[0].gaps[0]
    assert (gap.first, gap.last, gap.filled, gap.state) == (10, 12, 2, "filled")
    assert (report.unreadable, len(hub.sent)) == (1, 19)


def test_the_clients_of_a_slice_are_closed_at_its_end():
    market = SimulatedVenue("coinbase", steady())

    run(market)

    assert market.closed == 1


def test_a_gap_is_searched_on_at_the_page_that_did_not_come():
    class Limited(SimulatedVenue):
        async def page(self, symbol, request=None):
            self.seen.append(request and request.query.get("after"))
            if len(self.seen) % 8 == 0:
                await asyncio.sleep(0.05)
                raise Unavailable("too many requests", throttled=True, retry_after=1.0)
            return await super().page(symbol, request)

    market = Limited("coinbase", steady(-300, 400))
    market.seen = []
    _, hub = run(market, delays=[404])

    assert sorted(hub.ids) == list(range(301, 321))
    assert market.asked <= 70
