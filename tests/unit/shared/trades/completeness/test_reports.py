"""Reports survive the ledger, and fit in it whatever happened."""

import json
from datetime import UTC, datetime, timedelta

from shared.domain.windows.window import Slice
from shared.trades.completeness.reports import MOST_GAPS, MOST_RANGES, GapReport, MarketReport, Recheck, SliceReport

PART = Slice(
    "trades-20261122T100000Z", 3, datetime(2026, 11, 22, 10, tzinfo=UTC), datetime(2026, 11, 22, 11, tzinfo=UTC)
)


def restored(report: SliceReport) -> SliceReport:
    return SliceReport.from_wire(json.loads(json.dumps(report.as_wire())))


def test_a_report_survives_the_ledger():
    market = MarketReport(
        "coinbase:BTC-USD",
        contiguous=True,
        before=((1, 2),),
        ours=((3, 9),),
        after=((10, 10),),
        floor=1,
        top=10,
        rechecks=(Recheck(1, 2, "late trades", (7,)),),
        gaps=(GapReport("hole", "lost", 4, 5, 1, ((5, 5),)),),
        sent={"live": 6, "rest": 1},
    )
    report = SliceReport(PART, 2, (market,), 2, 1, 1, ("odd: x",), ("slow",))

    assert restored(report) == report
    assert report.of("coinbase:BTC-USD") == market
    assert report.of("coinbase:ETH-USD") is None


STORED = """
{"slice": {"window_id": "trades-20261122T100000Z", "number": 3, "start": "2026-11-22T10:00:00+00:00",
           "end": "2026-11-22T11:00:00+00:00"},
 "attempt": 2, "connections": 2, "interruptions": 1, "unreadable": 1, "samples": ["odd: x"], "warnings": ["slow"],
 "markets": [{
   "market": "coinbase:BTC-USD", "contiguous": true, "floor": 1, "ceiling": null, "top": 10, "settled": false,
   "quiet": false, "duplicates": 3, "lag_ms": 12, "ahead_ms": 1, "sent": {"live": 6, "rest": 1},
   "before": [[1, 2]], "ours": [[3, 9]], "after": [[10, 10]],
   "ids": {"before": 2, "first": 3, "last": 9, "after": 10}, "gap_count": 1,
   "gaps": [{"reason": "hole", "state": "lost", "first": 4, "last": 5, "filled": 1, "missing": [[5, 5]],
             "since": null, "until": null, "detail": "the venue's history lacks them"}],
   "rechecks": [{"since": 1, "until": 2, "reason": "late trades", "needed": true, "known": [7]}]}]}
"""
"""A report as rows of the ledger hold it since the first release; what is stored there stays readable."""


def test_a_stored_report_is_read_whatever_its_fields_are_called_here():
    report = SliceReport.from_wire(json.loads(STORED))

    (market,) = report.markets
    assert (market.complete_above, market.top, market.ours) == (False, 10, ((3, 9),))
    assert (market.gaps[0].missing, market.rechecks[0].known) == (((5, 5),), (7,))


def test_a_report_is_stored_as_ever():
    stored = json.loads(STORED)

    assert SliceReport.from_wire(stored).as_wire() == stored


def test_a_chaotic_slice_still_fits_in_a_row():
    ranges = tuple((10**12 + 10 * n, 10**12 + 10 * n + n % 7) for n in range(5_000))
    gaps = tuple(GapReport("hole", "lost", 10 * n, 10 * n + 5, 0, ranges[:500], detail="x" * 900) for n in range(500))
    market = MarketReport("coinbase:BTC-USD", contiguous=True, before=ranges, ours=ranges, after=ranges, gaps=gaps)

    wire = SliceReport(PART, 1, (market,)).as_wire()["markets"][0]

    assert [len(wire["ours"]), len(wire["gaps"]), wire["gap_count"]] == [MOST_RANGES, MOST_GAPS, 500]
    assert len(json.dumps(wire)) < 32_000


def test_unfilled_gaps_are_kept_before_filled_ones():
    filled = tuple(GapReport("hole", "filled", n, n, 1) for n in range(MOST_GAPS))
    market = MarketReport("m", contiguous=True, gaps=(*filled, GapReport("hole", "open", 99, 99, 0, ((99, 99),))))

    assert MarketReport.from_wire(market.as_wire()).gaps[0].state == "open"


def test_the_slice_tells_its_end_that_a_stop_brought_forward():
    stopped = SliceReport(Slice(PART.window_id, 3, PART.start, PART.start + timedelta(seconds=7)), 1, ())

    assert restored(stopped).slice.end == PART.start + timedelta(seconds=7)
