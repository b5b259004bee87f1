"""Closed the window [0, 40) s of two slices, against a venue whose truth is known."""

import asyncio
import dataclasses
from collections import Counter
from datetime import timedelta

import msgspec
import pytest

from shared.errors import FeedRefused, SendFailed, Unavailable
from shared.feeds.slicing import CloseRequest, SliceClock
from shared.trades.source import closing_source
from shared.trades.venues.readings import Connected, Rejected, Unreadable
from shared.trades.venues.registry import venue
from shared.trades.venues.venue import HistoryPage
from tests.unit.shared.trades.simulated_venue import (
    ZERO,
    Deal,
    SimulatedVenue,
    Stage,
    at,
    clock,
    plan_of,
    played,
    seconds,
    send_all,
    until,
)

PLAN = plan_of(["coinbase:BTC-USD"], length=40)
DEAF = "the history of coinbase did not answer for 60 s: the played history is deaf"
BY_TIME = plan_of(["bitstamp:btcusd"], length=40)


def steady(*, unheard=(), lacking=(), step=1) -> list[Deal]:
    """Give a trade each second from −6 to 60 s, at half past it; ids from 1."""
    times = [n - 6 + 0.5 for n in range(66)]
    return [
        Deal((n + 1) * step, time, time, None if n + 1 in unheard else time, n + 1 not in lacking)
        for n, time in enumerate(times)
    ]


def closed(stage: Stage, *, absent=()):
    async def story():
        runs = [stage.run(number) for number in range(2) if number not in absent]
        reports = await asyncio.gather(*runs)
        await until(50)
        return await stage.close(reports)

    return played(story(), begin=-10)


def test_slices_that_join_are_closed_with_nothing_added():
    stage = Stage([SimulatedVenue("coinbase", steady())], PLAN)

    closing = closed(stage)

    assert (closing.state, closing.wire["joins"], closing.wire["broken"], closing.added) == ("closed", 1, 0, {})
    assert closing.wire["ids"] == {"coinbase:BTC-USD": [7, 46]}
    assert closing.lost == []


def test_a_slice_that_never_was_is_made_up_for_under_the_name_of_closing():
    stage = Stage([SimulatedVenue("coinbase", steady())], PLAN)

    closing = closed(stage, absent=[1])

    assert (closing.state, closing.added) == ("closed", {"coinbase:BTC-USD": 20})
    assert sorted(stage.hub.ids) == list(range(7, 47))
    assert {name for name, _ in stage.hub.sent} == {"trades-20261122T100000Z/0.1", "trades-20261122T100000Z/close.1"}


def test_a_trade_told_only_after_the_grace_is_fetched():
    early = [deal for deal in steady() if deal.done < 38]
    late = Deal(45, 38.5, 44.5, None)
    stage = Stage([SimulatedVenue("coinbase", [*early, late])], PLAN)

    closing = closed(stage)

    assert (closing.state, closing.added, stage.hub.ids[45]) == ("closed", {"coinbase:BTC-USD": 1}, 1)


def test_what_no_history_has_makes_the_window_incomplete():
    stage = Stage([SimulatedVenue("coinbase", steady(unheard=[20, 21], lacking=[20, 21]))], PLAN)

    closing = closed(stage)

    assert closing.state == "incomplete"
    assert [(one.first, one.last, one.reason) for one in closing.lost] == [(20, 21, "the venue's history lacks them")]


def test_a_gap_left_open_by_a_slice_is_filled_by_closing():
    stage = Stage([SimulatedVenue("coinbase", steady(unheard=[20]), deaf=[(-10, 49)])], PLAN)

    closing = closed(stage)

    assert (closing.state, closing.added) == ("closed", {"coinbase:BTC-USD": 1})


def test_a_history_that_stays_deaf_is_the_reason_of_the_loss():
    stage = Stage([SimulatedVenue("coinbase", steady(unheard=[20]), deaf=[(-10, 1e6)])], PLAN)

    closing = closed(stage)

    assert [(one.first, one.last, one.reason) for one in closing.lost] == [(20, 20, DEAF)]
    assert "late trades could not be looked for" in closing.wire["warnings"][0]


def test_undisturbed_slices_need_no_history_to_be_closed():
    stage = Stage([SimulatedVenue("coinbase", steady(), deaf=[(-10, 1e6)])], PLAN)

    assert closed(stage).state == "closed"


def test_a_window_of_which_nothing_is_known_is_lost_as_a_whole():
    stage = Stage([SimulatedVenue("coinbase", steady(), deaf=[(-10, 1e6)])], PLAN)

    closing = closed(stage, absent=[0, 1])

    assert closing.state == "incomplete"
    assert closing.lost[0].reason == DEAF


def test_a_second_closing_sends_the_same_again():
    stage = Stage([SimulatedVenue("coinbase", steady(unheard=[20]), deaf=[(-10, 49)])], PLAN)

    async def story():
        reports = await stage.run_all()
        await until(50)
        return [await stage.close(reports), await stage.close(reports)]

    first, second = played(story(), begin=-10)

    assert first == second
    assert stage.hub.ids[20] == 2


def test_a_stopped_window_is_closed_up_to_its_stop():
    stage = Stage([SimulatedVenue("coinbase", steady())], PLAN, stop_at=ZERO + timedelta(seconds=27))

    closing = closed(stage)

    assert closing.state == "closed"
    assert sorted(stage.hub.ids) == list(range(7, 34))


def test_a_hub_that_takes_nothing_fails_the_closing():
    stage = Stage([SimulatedVenue("coinbase", steady())], PLAN)
    stage.hub.capacity = 0

    with pytest.raises(SendFailed):
        closed(stage, absent=[0, 1])


def test_an_outage_is_made_up_for_where_ids_do_not_follow_each_other():
    stage = Stage([SimulatedVenue("bitstamp", steady(step=7), outages=[(15, 25)], deaf=[(-10, 49)])], BY_TIME)

    closing = closed(stage)

    assert closing.state == "closed"
    assert stage.hub.ids == {7 * n: 1 for n in range(7, 47)}


def test_a_time_that_no_history_shows_is_lost_where_ids_do_not_follow_each_other():
    stage = Stage([SimulatedVenue("bitstamp", steady(step=7), outages=[(15, 25)], deaf=[(-10, 1e6)])], BY_TIME)

    closing = closed(stage)

    assert closing.state == "incomplete"
    assert {one.market for one in closing.lost} == {"bitstamp:btcusd"}
    assert all(one.since is not None and one.until is not None for one in closing.lost)


def test_two_venues_that_each_lack_something_are_completed_and_counted_alike():
    venues = [SimulatedVenue("coinbase", steady()), SimulatedVenue("bitstamp", steady(step=7))]
    stage = Stage(venues, plan_of(["coinbase:BTC-USD", "bitstamp:btcusd"], length=40))

    closing = closed(stage, absent=[0])

    sent = Counter(record["venue"] for name, record in stage.hub.sent if name.endswith("/close.1"))
    assert sent == {"coinbase": 20, "bitstamp": 20}
    assert closing.added == {"coinbase:BTC-USD": 20, "bitstamp:btcusd": 20}
    assert (closing.state, stage.hub.accepted) == ("closed", len(stage.hub.sent))


def test_a_venue_whose_history_fails_does_not_keep_another_from_being_closed():
    venues = [SimulatedVenue("coinbase", steady(), deaf=[(-10, 1e6)]), SimulatedVenue("bitstamp", steady(step=7))]
    stage = Stage(venues, plan_of(["coinbase:BTC-USD", "bitstamp:btcusd"], length=40))

    closing = closed(stage, absent=[0])

    assert closing.added == {"bitstamp:btcusd": 20}
    assert {one.market for one in closing.lost} == {"coinbase:BTC-USD"}


class Refusing(SimulatedVenue):
    async def page(self, symbol, request=None):
        raise FeedRefused("no such product")


def test_a_market_that_its_history_refuses_is_lost_in_the_venues_words_and_costs_no_other():
    venues = [Refusing("coinbase", steady()), SimulatedVenue("bitstamp", steady(step=7))]
    stage = Stage(venues, plan_of(["coinbase:BTC-USD", "bitstamp:btcusd"], length=40))

    closing = closed(stage, absent=[0, 1])

    assert [(one.market, one.reason) for one in closing.lost] == [("coinbase:BTC-USD", "no such product")]
    assert (closing.state, closing.added) == ("incomplete", {"bitstamp:btcusd": 40})
    assert [venue.closed for venue in venues] == [1, 1]


def test_a_late_trade_is_found_where_ids_do_not_follow_each_other():
    early = [deal for deal in steady(step=7) if deal.done < 38]
    stage = Stage([SimulatedVenue("bitstamp", [*early, Deal(999, 38.5, 44.5, None)])], BY_TIME)

    closing = closed(stage)

    assert (closing.state, closing.added) == ("closed", {"bitstamp:btcusd": 1})


class Counting(SimulatedVenue):
    """Refuses each page once, as `refusal` says, before it gives it."""

    refusal = Unavailable("busy", throttled=True)

    async def page(self, symbol, request=None):
        key = (symbol, request and tuple(request.query.items()))
        self.keys = [*getattr(self, "keys", []), key]
        if self.keys.count(key) % 2:
            await asyncio.sleep(0.05)
            raise self.refusal
        return await super().page(symbol, request)


def test_a_walk_that_is_refused_at_each_page_goes_on_at_that_page():
    venue = Counting("coinbase", steady())
    stage = Stage([venue], PLAN)

    closing = closed(stage, absent=[0, 1])

    assert (closing.state, closing.added) == ("closed", {"coinbase:BTC-USD": 40})
    undisturbed = SimulatedVenue("coinbase", steady())
    closed(Stage([undisturbed], PLAN), absent=[0, 1])
    assert venue.asked <= undisturbed.asked + 3


def test_a_wait_that_the_venue_asks_for_is_no_silence_whatever_its_length():
    venue = Counting("coinbase", steady())
    venue.refusal = Unavailable("banned", throttled=True, retry_after=960.0)
    stage = Stage([venue], PLAN)

    assert closed(stage, absent=[0, 1]).added == {"coinbase:BTC-USD": 40}


class Bulk(SimulatedVenue):
    """Gives pages of 1,000 trades in 0.1 s each, for ids from 1 that were traded 25 a second from -60 s on."""

    last = 25 * 60 * 47

    async def page(self, symbol, request=None):
        self.asked += 1
        await asyncio.sleep(0.1)
        request = request or venue(self.name).newest(symbol)
        before = min(int(request.query.get("after", 1 << 60)), self.last + 1)
        first = max(before - 1000, 1)
        deals = [Deal(n, n / 25 - 60, n / 25 - 60, None) for n in range(first, before)]
        older = venue(self.name).older_than(symbol, first, 0) if first > 1 else None
        return HistoryPage(tuple(of_symbol(self, symbol, one) for one in deals), older)


def of_symbol(market, symbol, deal):
    return msgspec.structs.replace(market.trade(deal, "rest", deal.done), symbol=symbol)


def test_a_window_that_lost_its_hub_for_45_minutes_is_recovered_whole():
    market = Bulk("coinbase", [])
    plan = plan_of(["coinbase:BTC-USD", "coinbase:ETH-USD"], length=45 * 60, part=5 * 60)
    stage = Stage([market], plan)

    async def story():
        await until(46 * 60)
        begun = seconds()
        return await stage.close([]), seconds() - begun

    closing, took = played(story(), begin=-10)

    assert (closing.state, sum(closing.added.values())) == ("closed", 135_000)
    assert market.asked <= 160
    assert took < 60


def test_a_closing_that_must_leave_off_is_gone_on_with_where_it_stopped():
    market = Bulk("coinbase", [])
    plan = plan_of(["coinbase:BTC-USD", "coinbase:ETH-USD"], length=45 * 60, part=5 * 60)
    stage = Stage([market], plan)
    reports, asked = [], []

    async def story():
        await until(46 * 60)
        while not reports or reports[-1]["rest"]:
            earlier = reports[-1] if reports else None
            request = CloseRequest(plan, plan.window, [], None, clock() + timedelta(seconds=3), earlier)
            before = market.asked
            source = closing_source(request, stage.clients, stage.clock)
            reports.append(await send_all(source, f"{plan.window.id}/close.1", stage.hub))
            asked.append(market.asked - before)

    played(story(), begin=-10)

    assert len(reports) >= 4
    assert (reports[-1]["state"], sum(reports[-1]["added"].values())) == ("closed", 135_000)
    sent = Counter((one["symbol"], one["trade_id"]) for _, one in stage.hub.sent)
    assert (len(sent), max(sent.values())) == (135_000, 1)
    assert sum(asked) <= 180


def test_a_past_window_that_is_stopped_while_it_is_closed_sends_nothing_more():
    plan = dataclasses.replace(PLAN, past=True)
    stage = Stage([SimulatedVenue("coinbase", steady())], plan)

    async def story():
        await until(50)
        stopped = SliceClock(clock, asyncio.sleep, lambda: ZERO)
        source = closing_source(CloseRequest(plan, plan.window, [], None), stage.clients, stopped)
        await send_all(source, f"{plan.window.id}/close.1", stage.hub)

    played(story(), begin=-10)

    assert stage.hub.sent == []


def test_unreadable_frames_and_a_history_that_refuses_for_ever_are_no_proof_of_silence():
    class Restricted(SimulatedVenue):
        async def follow(self, symbols, listener):
            listener.take(Connected(1))
            while True:
                await asyncio.sleep(0.7)
                listener.take(Unreadable("{", "not JSON"))

        async def page(self, symbol, request=None):
            await asyncio.sleep(0.05)
            raise Unavailable("fake answered 451: a restricted location")

    stage = Stage([Restricted("coinbase", steady())], PLAN)

    closing = closed(stage)

    (lost,) = closing.lost
    assert closing.state == "incomplete"
    assert (lost.since, lost.until) == (at(0), at(40))
    assert "451" in lost.reason


def test_a_trade_with_a_zero_quantity_leaves_no_gap_and_costs_no_neighbour():
    class Odd(SimulatedVenue):
        async def page(self, symbol, request=None):
            page = await super().page(symbol, request)
            odd = [Rejected("{}", "zero", one.trade_id, one.timestamp) for one in page.trades if one.trade_id == 20]
            return HistoryPage(tuple(one for one in page.trades if one.trade_id != 20), page.older, tuple(odd))

    stage = Stage([Odd("coinbase", steady())], PLAN)

    closing = closed(stage, absent=[0])

    assert (closing.state, closing.added) == ("closed", {"coinbase:BTC-USD": 19})
    assert closing.wire["unreadable"] == 1
    assert closing.wire["samples"] == ["zero: {}"]


@pytest.mark.parametrize("wrong", [-1e9, 1e9])
def test_a_trade_whose_time_is_far_from_its_neighbours_moves_no_boundary(wrong):
    deals = [dataclasses.replace(deal, done=wrong) if deal.trade_id == 30 else deal for deal in steady()]
    stage = Stage([SimulatedVenue("coinbase", deals)], PLAN)

    closing = closed(stage, absent=[0, 1])

    assert sorted(stage.hub.ids) == [n for n in range(7, 47) if n != 30]
    assert closing.state == "closed"


def relisted(*, unheard=(), deaf=()):
    """Ids from 1,001 for 20 s of trades, then anew from 1."""
    times = [n - 6 + 0.5 for n in range(66)]
    ids = [1001 + n if time < 14 else 1 + n - 20 for n, time in enumerate(times)]
    deals = [Deal(one, time, time, None if one in unheard else time) for one, time in zip(ids, times, strict=True)]
    return ByTime("coinbase", deals, deaf=deaf)


class ByTime(SimulatedVenue):
    """Its history has the row of ids that a request names, and the newest one first of all."""

    async def page(self, symbol, request=None):
        before = int((request or venue(self.name).newest(symbol)).query.get("after", 0))
        row = [deal for deal in self.deals if (deal.trade_id > 1000) == (before > 1000)]
        return await SimulatedVenue.page(dataclasses.replace(self, deals=row), symbol, request)


def test_a_hole_after_ids_that_began_anew_is_sought():
    stage = Stage([relisted(unheard=[5])], PLAN)

    closing = closed(stage)

    assert stage.hub.ids[5] == 1
    assert len(stage.hub.ids) == 40
    assert closing.state == "closed"


def test_a_hole_after_ids_that_began_anew_which_no_slice_filled_is_filled_by_closing():
    stage = Stage([relisted(unheard=[5, 30], deaf=[(-10, 49)])], PLAN)

    closing = closed(stage)

    assert (stage.hub.ids[5], stage.hub.ids.get(30, 0)) == (1, 0)
    assert (closing.state, closing.added) == ("closed", {"coinbase:BTC-USD": 1})
