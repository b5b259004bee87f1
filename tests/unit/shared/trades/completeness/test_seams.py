"""What closing decides to seek, given what slices of [0, 10) s and [10, 20) s saw."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.domain.windows.window import Slice, Window, microseconds
from shared.trades.completeness.reports import MarketReport, Recheck, SliceReport
from shared.trades.completeness.seams import missing_ids_of, observations_of, rechecks_of, seams_of

ZERO = datetime(2026, 11, 22, 10, tzinfo=UTC)
WINDOW = Window("trades", ZERO, ZERO + timedelta(seconds=20))
MARKET = "coinbase:BTC-USD"


def market(**facts) -> MarketReport:
    return MarketReport(MARKET, **{"contiguous": True, **facts})


def observed(*markets):
    parts = [(ZERO + timedelta(seconds=10 * n), ZERO + timedelta(seconds=10 * n + 10)) for n in range(len(markets))]
    slices = [Slice("w", n, *part) for n, part in enumerate(parts)]
    return observations_of(MARKET, [SliceReport(part, 1, (one,)) for part, one in zip(slices, markets, strict=True)])


FIRST = market(before=((8, 9),), ours=((10, 20),), after=((21, 22),), floor=8, top=22)
SECOND = market(before=((18, 20),), ours=((21, 30),), after=((31, 33),), floor=18, ceiling=32, top=33)


def test_slices_that_join_leave_nothing_to_seek():
    missing = missing_ids_of(WINDOW, observed(FIRST, SECOND), None)

    assert missing.ranges == ()
    assert not missing.open_below
    assert not missing.open_above
    assert seams_of(observed(FIRST, SECOND), None, missing) == (1, 0)


def test_ids_between_two_slices_are_sought():
    second = replace(SECOND, before=(), ours=((26, 30),), floor=None)

    missing = missing_ids_of(WINDOW, observed(replace(FIRST, after=(), top=20), second), None)

    assert missing.ranges == ((21, 25),)
    assert seams_of(observed(replace(FIRST, after=(), top=20), second), None, missing) == (1, 1)


def test_a_trade_that_its_slice_never_met_is_sought_though_its_neighbour_saw_it():
    missing = missing_ids_of(WINDOW, observed(FIRST, replace(SECOND, before=(), ours=((23, 30),))), None)

    assert missing.ranges == ((21, 22),)


def test_a_late_trade_that_only_the_next_slice_saw_is_sought():
    first = replace(FIRST, ours=((10, 18),), after=(), top=18)

    assert missing_ids_of(WINDOW, observed(first, SECOND), None).ranges == ((19, 20),)


def test_what_slices_could_not_fill_is_sought():
    first = replace(FIRST, ours=((10, 12), (15, 20)))

    assert missing_ids_of(WINDOW, observed(first, SECOND), None).ranges == ((13, 14),)


def test_a_slice_without_trades_between_two_is_no_gap():
    quiet = market(quiet=True)
    third = replace(SECOND, before=((22, 22),), ours=((23, 30),), floor=22)
    window = replace(WINDOW, end=WINDOW.end + timedelta(seconds=10))
    first = replace(FIRST, ours=((10, 22),), after=())

    assert missing_ids_of(window, observed(first, quiet, third), None).ranges == ()


def test_a_window_joins_the_one_before_it():
    previous = market(ours=((1, 5),), floor=0, top=5)

    missing = missing_ids_of(WINDOW, observed(FIRST, SECOND), previous)

    assert missing.ranges == ((6, 7),)
    assert seams_of(observed(FIRST, SECOND), previous, missing) == (2, 1)


def test_the_window_before_proves_the_beginning_of_a_slice_that_began_late():
    previous = market(ours=((1, 9),), floor=0, top=9)
    late = replace(FIRST, before=(), ours=((15, 20),), floor=None)

    missing = missing_ids_of(WINDOW, observed(late, SECOND), previous)

    assert missing.ranges == ((10, 14),)
    assert not missing.open_below


def test_a_beginning_that_nothing_proves_is_open():
    missing = missing_ids_of(WINDOW, observed(replace(FIRST, before=(), floor=None), SECOND), None)

    assert missing.open_below
    assert missing.sought[0] == (0, 9)


def test_an_end_that_nothing_proves_is_open_but_complete_where_the_slice_listened_to_its_end():
    missing = missing_ids_of(WINDOW, observed(FIRST, replace(SECOND, ceiling=None)), None)

    assert missing.open_above
    assert missing.complete_above


def test_a_window_whose_slices_never_were_is_sought_whole():
    missing = missing_ids_of(WINDOW, [], None)

    assert missing.open_below
    assert missing.open_above
    assert not missing.complete_above
    assert missing.sought[-1][0] == 0


def test_times_without_a_slice_are_looked_at_where_ids_say_nothing():
    tail = Recheck(microseconds(ZERO) + 9_000_000, microseconds(ZERO) + 10_000_000, "late trades", (4,), needed=False)

    found = rechecks_of(WINDOW, observed(MarketReport(MARKET, contiguous=False, rechecks=(tail,))))

    assert found == [
        Recheck(microseconds(ZERO) + 10_000_000, microseconds(ZERO) + 20_000_000, "no slice was there"),
        tail,
    ]
