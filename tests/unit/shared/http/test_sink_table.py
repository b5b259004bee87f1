from datetime import UTC, datetime, timedelta

from shared.domain.costs import Prices
from shared.domain.windows.ledger_row import SliceRow, WindowRow
from shared.domain.windows.window import Slice, Window
from shared.http.sink_table import sink_table

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WINDOW = Window("payments", NOON, NOON + 10 * MINUTE)
PRICES = Prices(hundred_units_hour=0.008, throughput_unit_hour=0.03, million_events=0.028, provisioned_units=4_000)
COUNTS = {"read": 600, "accepted": 600, "refused": 0, "unknown": 0, "spilled": 0, "events": 600}
HUB = {**COUNTS, "bytes": 400_000, "billed_events": 600, "milliseconds": 300.0}
HUB |= {"units": 0.0, "requests": 0, "throttled": 0}
COSMOS = {**COUNTS, "accepted": 500, "refused": 10, "spilled": 60, "bytes": 0, "billed_events": 0}
COSMOS |= {"milliseconds": 1_000.0, "units": 3_000.0, "requests": 9, "throttled": 2}
SINKS = {"transactions": {"hub": HUB, "cosmos": COSMOS}}


def row(state="closed", **changes):
    return WindowRow(WINDOW, state, "timer", NOON, **changes)


def tried(state, attempt=1, minutes=1, sinks=SINKS):
    part = Slice(WINDOW.id, 0, NOON, NOON + MINUTE)
    return SliceRow(part, 1, state, NOON, NOON + minutes * MINUTE, window_attempt=attempt, sinks=sinks)


def test_each_sink_has_a_row_with_what_it_took_how_fast_and_at_what_price():
    hub, cosmos = sink_table(row(result={"sinks": SINKS}), [], PRICES)

    assert hub == {
        "stream": "transactions", "sink": "hub", "read": 600, "accepted": 600, "refused": 0, "unknown": 0, "spilled": 0,
        "pending": 0, "events": 600, "records_s": 2_000.0, "milliseconds_per_1000": 500.0, "units": None,
        "units_s": None, "throttled": None, "provisioned_units_s": None, "needed_units_s": None,
        "throughput_units": 1, "billed_events": 600, "month_price": 21.97,
    }  # fmt: skip
    assert cosmos == {
        "stream": "transactions", "sink": "cosmos", "read": 600, "accepted": 500, "refused": 10, "unknown": 0,
        "spilled": 60, "pending": 30, "events": 600, "records_s": 500.0, "milliseconds_per_1000": 2_000.0,
        "units": 3_000.0, "units_s": 3_000.0, "throttled": 2, "provisioned_units_s": 4_000, "needed_units_s": 5.0,
        "throughput_units": None, "billed_events": None, "month_price": 233.6,
    }  # fmt: skip


def test_a_window_without_cosmos_has_no_table():
    assert sink_table(row(result={"counts": {}}), [tried("done", sinks={})], PRICES) == []


def test_a_window_that_goes_on_is_shown_as_far_as_it_is_without_tries_that_failed_or_were_of_another_attempt():
    going_on = row("open", attempt=2)
    tries = [tried("done", 1), tried("failed", 2), tried("done", 2), tried("running", 2, minutes=2)]

    hub, cosmos = sink_table(going_on, tries, PRICES)

    assert (hub["accepted"], hub["records_s"]) == (1_200, 2_000.0)
    assert cosmos["needed_units_s"] == 50.0  # 6,000 RU in two minutes


def test_a_window_of_which_nothing_was_sent_divides_by_nothing():
    nothing = dict.fromkeys(HUB, 0)

    (hub,) = sink_table(row("open"), [tried("running", minutes=0, sinks={"transactions": {"hub": nothing}})], PRICES)

    assert (hub["records_s"], hub["milliseconds_per_1000"], hub["throughput_units"]) == (None, None, 1)
