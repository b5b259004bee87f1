"""Whatever happens to the slices of two windows in a row, every trade is sent once, or named as lost."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.trades.completeness.reports import SliceReport
from tests.unit.shared.trades.simulated_venue import (
    SYMBOLS,
    Closed,
    Deal,
    SimulatedHub,
    SimulatedVenue,
    Stage,
    plan_of,
    played,
    until,
)

GRACE = 4.0
EXAMPLES = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def streams(draw: Any, *, faults: bool = True, step: int = 1) -> list[Deal]:
    gaps = draw(st.lists(st.floats(0.0, 9.0).map(lambda one: round(one * one / 6, 3)), min_size=0, max_size=60))
    deals, moment = [], draw(st.sampled_from([-30.0, -6.0, 3.0]))
    for number, gap in enumerate(gaps, start=1):
        moment += gap
        age = draw(st.sampled_from([0.0, 0.0, 0.01, 0.7, 3.9]))
        unheard = faults and draw(st.integers(0, 9)) == 0
        slow = draw(st.sampled_from([0.0, 0.0, 0.0, 2.5])) if faults else 0.0
        kept = not (faults and draw(st.integers(0, 14)) == 0)
        told = round(moment + 0.001 * number, 3)
        deals.append(Deal(number * step, round(told - age, 3), told, None if unheard else told + slow, kept))
    return deals


def spans(longest: float) -> st.SearchStrategy[list[tuple[float, float]]]:
    one = st.tuples(st.floats(-8, 90), st.floats(0.1, longest)).map(lambda pair: (pair[0], pair[0] + pair[1]))
    return st.lists(one, max_size=4)


DELAYS = st.lists(st.sampled_from([0.0, 0.0, 0.0, 3.0, 6.0, 17.0, 25.0, 40.0]), min_size=5, max_size=5)


async def two_windows(market: SimulatedVenue, delays: list[float]) -> tuple[SimulatedHub, list[Any], list[Closed]]:
    hub = SimulatedHub()
    first = Stage([market], plan_of([source(market)], length=50), hub, delays=delays[:3])
    second = Stage([market], plan_of([source(market)], start=50, length=30), hub, delays=delays[3:])
    earlier, later = await asyncio.gather(first.run_all(), second.run_all())
    closings = [await first.close(earlier), await second.close(later, earlier[-1])]
    return hub, [*earlier, *later], closings


def owed_by(deals: list[Deal]) -> set[int]:
    """Give the ids due from 0 to 80 s; one that the history lacks, and any later one too, can't be known of."""
    newest = max((deal.trade_id for deal in deals if deal.kept and deal.told <= 80), default=0)
    return {deal.trade_id for deal in deals if 0 <= deal.done < 80 and (deal.kept or deal.trade_id < newest)}


def source(market: SimulatedVenue) -> str:
    return f"{market.name}:{SYMBOLS[market.name]}"


def lost_ids(closings: list[Closed], deals: list[Deal]) -> set[int]:
    lost = [one for closing in closings for one in closing.lost]
    return {
        deal.trade_id
        for deal in deals
        for one in lost
        if (one.first or 0) <= deal.trade_id and (one.last is None or deal.trade_id <= one.last)
    }


@given(
    deals=streams(),
    outages=spans(30.0),
    deaf=spans(20.0),
    delays=DELAYS,
    manners=st.tuples(st.booleans(), st.booleans(), st.integers(0, 3)),
)
@EXAMPLES
def test_each_trade_is_sent_once_or_named_as_lost(deals, outages, deaf, delays, manners):
    anchors, heartbeats, replays = manners
    market = SimulatedVenue("coinbase", deals, outages, deaf, anchors, heartbeats, replays)
    hub, _, closings = played(two_windows(market, delays), begin=-10)

    owed = owed_by(deals)
    lost = lost_ids(closings, deals)
    assert set(hub.ids) <= {deal.trade_id for deal in deals if 0 <= deal.done < 80}
    assert max(hub.ids.values(), default=1) == 1
    assert owed - set(hub.ids) <= lost
    assert lost <= {deal.trade_id for deal in deals if not deal.kept}
    for closing, window in zip(closings, ("trades-20261122T100000Z", "trades-20261122T100050Z"), strict=True):
        assert not lost_ids([closing], deals) & {one["trade_id"] for name, one in hub.sent if name.startswith(window)}
    assert [closing.state for closing in closings].count("closed") == sum(not closing.lost for closing in closings)


@given(deals=streams(faults=False), anchors=st.booleans(), heartbeats=st.booleans())
@EXAMPLES
def test_an_undisturbed_feed_has_no_gaps_and_closing_adds_nothing(deals, anchors, heartbeats):
    market = SimulatedVenue("coinbase", deals, anchors=anchors, heartbeats=heartbeats)
    hub, reports, closings = played(two_windows(market, []), begin=-10)

    assert set(hub.ids) == {deal.trade_id for deal in deals if 0 <= deal.done < 80}
    assert [gap for report in reports for one in report.markets for gap in one.gaps] == []
    assert [closing.added for closing in closings] == [{}, {}]
    assert [(closing.state, closing.wire["broken"]) for closing in closings] == [("closed", 0)] * 2


@given(deals=streams(faults=False, step=3), outages=spans(30.0), delays=DELAYS, deaf=spans(20.0))
@EXAMPLES
def test_each_trade_is_sent_once_where_ids_do_not_follow_each_other(deals, outages, delays, deaf):
    market = SimulatedVenue("bitstamp", deals, outages, deaf)
    hub, _, closings = played(two_windows(market, delays), begin=-10)

    assert hub.ids == {deal.trade_id: 1 for deal in deals if 0 <= deal.done < 80}
    assert [closing.state for closing in closings] == ["closed", "closed"]


@given(deals=streams(), outages=spans(30.0), delays=DELAYS, absent=st.sets(st.integers(0, 4)))
@EXAMPLES
def test_closing_makes_up_for_slices_that_never_were(deals, outages, delays, absent):
    market = SimulatedVenue("coinbase", deals, outages)
    hub = SimulatedHub()
    stage = Stage([market], plan_of([source(market)], length=80, part=16), hub, delays=delays)

    async def story() -> Closed:
        runs = [stage.run(number) for number in range(5) if number not in absent]
        reports: list[SliceReport] = list(await asyncio.gather(*runs))
        await until(90)
        return await stage.close(reports)

    closing = played(story(), begin=-10)

    lost = lost_ids([closing], deals)
    assert hub.ids == dict.fromkeys(set(hub.ids), 1)
    assert set(hub.ids) <= {deal.trade_id for deal in deals if 0 <= deal.done < 80}
    assert owed_by(deals) <= set(hub.ids) | lost
    assert lost <= {deal.trade_id for deal in deals if not deal.kept}
