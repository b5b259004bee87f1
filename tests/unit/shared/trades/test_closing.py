"""Closed the window [0, 40) s of two slices, against a venue whose truth is known."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from shared.errors import FeedRefused, SendFailed
from tests.unit.shared.trades.simulated_venue import ZERO, Deal, SimulatedVenue, Stage, plan_of, played, until

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
