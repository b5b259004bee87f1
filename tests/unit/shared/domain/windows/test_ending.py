from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.domain.windows.ending import Completion, completed, decide_ending, may_complete, unbegun
from shared.domain.windows.ledger_row import SliceRow, WindowRow
from shared.domain.windows.window import Slice, Window

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
WINDOW = Window("trades", NOON, NOON + timedelta(seconds=20))
PARTS = [Slice(WINDOW.id, number, NOON, NOON) for number in (0, 1)]
NOTHING = Completion()
ROW = WindowRow(WINDOW, "open", "timer", NOON, {"streams": [{"name": "trades"}]})


def tried(number, state="done", attempt=1, read=5, **changes):
    counts = {"trades": {"read": read, "accepted": read, "refused": 0, "unknown": 0, "events": read}}
    return SliceRow(PARTS[number], attempt, state, NOON, NOON, counts, **changes)


def ending(*attempts, row=ROW, completion=NOTHING):
    return decide_ending(row, PARTS, attempts, completion)


def test_a_window_whose_slices_are_all_done_is_closed():
    decided = ending(tried(0), tried(1))

    assert (decided.state, decided.reason) == ("closed", "")
    assert decided.result["counts"]["trades"]["accepted"] == 10


def test_only_the_try_that_completed_a_slice_is_counted():
    decided = ending(tried(0, "failed", read=3), tried(0, attempt=2), tried(1))

    assert decided.result["counts"]["trades"]["read"] == 10
    assert decided.result["attempts"] == 3


def test_what_both_sinks_of_a_stream_did_is_added_up_over_slices_and_closing():
    sinks = {"trades": {"hub": {"read": 5}, "cosmos": {"read": 5, "units": 12.5}}}

    decided = ending(
        tried(0, sinks=sinks),
        tried(1, "failed", sinks=sinks),
        tried(1, attempt=2, sinks=sinks),
        completion=Completion({"added": {}}, sinks=sinks),
    )

    assert decided.result["sinks"] == {"trades": {"hub": {"read": 15}, "cosmos": {"read": 15, "units": 37.5}}}


def test_a_slice_that_never_completed_fails_the_window_with_its_words():
    decided = ending(tried(0), tried(1, "failed", reason="the hub is away"))

    assert decided.state == "failed"
    assert decided.reason == "Slices 1 did not complete. the hub is away"


def test_a_live_window_whose_slice_failed_is_as_good_as_its_closing():
    completion = Completion(
        {"lost": [], "lost_count": 0, "broken": 1, "added": {"coinbase:BTC-USD": 7}},
        {"trades": {"read": 7, "accepted": 7}},
    )

    decided = ending(tried(0), tried(1, "failed"), completion=completion)

    assert decided.state == "closed"
    assert decided.result["counts"]["trades"]["accepted"] == 12
    assert decided.result["gaps"] == {"found": 1, "filled": 7, "lost": 0}


def test_lost_trades_make_it_incomplete():
    completion = Completion({"lost": [{"first": 3, "last": 4}], "lost_count": 1})

    decided = ending(tried(0), tried(1), completion=completion)

    assert decided.state == "incomplete"
    assert decided.result["lost"] == [{"first": 3, "last": 4}]


def test_a_refused_source_fails_the_window_with_the_venues_words():
    decided = ending(tried(0, "refused", reason="X-YZ is not a valid product"), tried(1, "skipped"))

    assert (decided.state, decided.reason) == ("failed", "X-YZ is not a valid product")


def test_a_stopped_window_says_when():
    decided = ending(tried(0), tried(1, "skipped"), row=replace(ROW, stop_at=NOON))

    assert (decided.state, decided.reason) == ("stopped", "Stopped by request at 2026-11-22T12:00:00+00:00.")


def test_gaps_and_skew_of_all_slices_are_put_together():
    market = {"market": "coinbase:BTC-USD", "gap_count": 2, "gaps": [{"filled": 4}, {"filled": 1}], "ahead_ms": 3}
    reports = [{"markets": [market | {"lag_ms": lag}], "unreadable": 1, "warnings": ["late"]} for lag in (90, 40)]

    result = ending(tried(0, report=reports[0]), tried(1, report=reports[1])).result

    assert result["gaps"] == {"found": 4, "filled": 10, "lost": 0}
    assert result["skew_ms"] == {"coinbase:BTC-USD": {"lag": 90, "ahead": 3}}
    assert (result["unreadable"], result["warnings"]) == (2, ["late", "late"])


def test_completed_and_unbegun_slices_are_told_apart():
    attempts = [tried(1, attempt=2), tried(1, "failed")]

    assert [row.attempt for row in completed(attempts)] == [2]
    assert unbegun(PARTS, attempts) == [PARTS[0]]


def test_the_reason_of_a_loss_says_the_first_one():
    lost = [{"market": "coinbase:BTC-USD", "reason": "the venue's history lacks them"}]

    decided = ending(tried(0), tried(1), completion=Completion({"lost": lost, "lost_count": 2}))

    assert decided.reason == (
        "2 intervals are lost; see result.lost. coinbase:BTC-USD: the venue's history lacks them."
    )


def test_a_market_that_was_refused_before_the_window_opened_is_a_warning_of_a_closed_one():
    words = "binance does not list NOPEUSDT among its 8 markets"
    row = replace(ROW, plan=dict(ROW.plan) | {"refused": {"binance:NOPEUSDT": words}})

    decided = ending(tried(0), tried(1), row=row)

    assert (decided.state, decided.result["refused"]) == ("closed", {"binance:NOPEUSDT": words})
    assert decided.result["warnings"] == [f"binance:NOPEUSDT is not ingested: {words}"]


def test_a_market_that_slices_were_refused_is_named_once():
    reports = {"refused": {"kraken:X/Y": "kraken refused X/Y"}}

    decided = ending(tried(0, report=reports), tried(1, report=reports))

    assert decided.result["warnings"] == ["kraken:X/Y is not ingested: kraken refused X/Y"]


def test_nothing_is_sent_any_more_for_a_past_window_that_was_stopped():
    past, live = ({"streams": [], "past": is_past} for is_past in (True, False))

    assert not may_complete(replace(ROW, plan=past, stop_at=NOON), [tried(0)])
    assert may_complete(replace(ROW, plan=past), [tried(0)])
    assert may_complete(replace(ROW, plan=live, stop_at=NOON), [tried(0)])
    assert not may_complete(ROW, [tried(0, "refused")])


def test_the_time_of_gaps_is_added_up_where_it_is_known():
    known, unknown = {"since": 1_000_000, "until": 3_500_000, "filled": 0}, {"since": None, "until": None, "filled": 0}
    market = {"market": "m", "gaps": [known, unknown, known], "gap_count": 3, "lag_ms": 0, "ahead_ms": 0}

    assert ending(tried(0, report={"markets": [market]}), tried(1)).gap_seconds == 5.0


def test_lost_records_are_counted_by_their_ids_and_an_interval_without_any_as_one():
    lost = [{"market": "m", "first": 11, "last": 15}, {"market": "m", "since": 1, "until": 2}]
    completion = Completion({"lost": lost, "lost_count": 4, "markets": []})

    assert ending(tried(0), tried(1), completion=completion).lost_records == 5 + 1 + 2
