"""What closing decides to seek, given what slices of [0, 10) s and [10, 20) s saw."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.domain.windows.window import Slice, Window, microseconds
from shared.trades.completeness.reports import MarketReport, Recheck, SliceReport
from shared.trades.completeness.seams import joins_of, rechecks_of, search_of, sights_of

ZERO = datetime(2026, 11, 22, 10, tzinfo=UTC)
WINDOW = Window("trades", ZERO, ZERO + timedelta(seconds=20))
MARKET = "coinbase:BTC-USD"


def market(**facts) -> MarketReport:
    return MarketReport(MARKET, **{"contiguous": True, **facts})


def sights(*markets):
    parts = [(ZERO + timedelta(seconds=10 * n), ZERO + timedelta(seconds=10 * n + 10)) for n in range(len(markets))]
    slices = [Slice("w", n, *part) for n, part in enumerate(parts)]
    return sights_of(MARKET, [SliceReport(part, 1, (one,)) for part, one in zip(slices, markets, strict=True)])


FIRST = market(before=((8, 9),), ours=((10, 20),), after=((21, 22),), floor=8, top=22)
SECOND = market(before=((18, 20),), ours=((21, 30),), after=((31, 33),), floor=18, ceiling=32, top=33)


def test_slices_that_join_leave_nothing_to_seek():
    search = search_of(WINDOW, sights(FIRST, SECOND), None)

    assert search.runs == ()
    assert not search.open_below
    assert not search.open_above
    assert joins_of(sights(FIRST, SECOND), None, search) == (1, 0)


def test_ids_between_two_slices_are_sought():
    second = replace(SECOND, before=(), ours=((26, 30),), floor=None)

    search = search_of(WINDOW, sights(replace(FIRST, after=(), top=20), second), None)

    assert search.runs == ((21, 25),)
    assert joins_of(sights(replace(FIRST, after=(), top=20), second), None, search) == (1, 1)


def test_a_trade_that_its_slice_never_met_is_sought_though_its_neighbour_saw_it():
    search = search_of(WINDOW, sights(FIRST, replace(SECOND, before=(), ours=((23, 30),))), None)

    assert search.runs == ((21, 22),)


def test_a_late_trade_that_only_the_next_slice_saw_is_sought():
    first = replace(FIRST, ours=((10, 18),), after=(), top=18)

    assert search_of(WINDOW, sights(first, SECOND), None).runs == ((19, 20),)


def test_what_slices_could_not_fill_is_sought():
    first = replace(FIRST, ours=((10, 12), (15, 20)))

    assert search_of(WINDOW, sights(first, SECOND), None).runs == ((13, 14),)


def test_a_slice_without_trades_between_two_is_no_gap():
    quiet = market(quiet=True)
    third = replace(SECOND, before=((22, 22),), ours=((23, 30),), floor=22)
    window = replace(WINDOW, end=WINDOW.end + timedelta(seconds=10))
    first = replace(FIRST, ours=((10, 22),), after=())

    assert search_of(window, sights(first, quiet, third), None).runs == ()


def test_a_window_joins_the_one_before_it():
    previous = market(ours=((1, 5),), floor=0, top=5)

    search = search_of(WINDOW, sights(FIRST, SECOND), previous)

    assert search.runs == ((6, 7),)
    assert joins_of(sights(FIRST, SECOND), previous, search) == (2, 1)


def test_the_window_before_proves_the_beginning_of_a_slice_that_began_late():
    previous = market(ours=((1, 9),), floor=0, top=9)
    late = replace(FIRST, before=(), ours=((15, 20),), floor=None)

    search = search_of(WINDOW, sights(late, SECOND), previous)

    assert search.runs == ((10, 14),)
    assert not search.open_below


def test_a_beginning_that_nothing_proves_is_open():
    search = search_of(WINDOW, sights(replace(FIRST, before=(), floor=None), SECOND), None)

    assert search.open_below
    assert search.sought[0] == (0, 9)


def test_an_end_that_nothing_proves_is_open_but_settled_where_the_slice_listened_to_its_end():
    search = search_of(WINDOW, sights(FIRST, replace(SECOND, ceiling=None)), None)

    assert search.open_above
    assert search.settled


def test_a_window_whose_slices_never_were_is_sought_whole():
    search = search_of(WINDOW, [], None)

    assert search.open_below
    assert search.open_above
    assert not search.settled
    assert search.sought[-1][0] == 0


def test_times_without_a_slice_are_looked_at_where_ids_say_nothing():
    tail = Recheck(microseconds(ZERO) + 9_000_000, microseconds(ZERO) + 10_000_000, "late trades", (4,), needed=False)

    found = rechecks_of(WINDOW, sights(MarketReport(MARKET, contiguous=False, rechecks=(tail,))))

    assert found == [
        Recheck(microseconds(ZERO) + 10_000_000, microseconds(ZERO) + 20_000_000, "no slice was there"),
        tail,
    ]
