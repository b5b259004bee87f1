"""Events that once stopped a stream for good: each is set aside with its reason, and its neighbours go on."""

import pytest

from job_house import START, WINDOW, trade
from lakehouse.streams.events import MOST_RECORDS, UNKNOWN, records_of_event
from silver_house import EVENTS, event, pack, with_properties

HUGE = str(2**63 - 1)
LONG = "x" * 1_000_000


def sliced(text):
    return with_properties(event(trade(1)), slice=text)


NO_SLICE = "slice: expected <window of trades>/<number>.<try>, found "
NO_ROWS = f"rows: expected a whole number from 1 to {MOST_RECORDS}, found "
NO_CONTRACT = "contract: expected trades/1, found "
UNNAMED = {
    "a window of another feed": (sliced("payments-20261122T100000Z/0.1"), f"{NO_SLICE}payments-20261122T100000Z/0.1"),
    "a glob": (sliced("{/0.1"), f"{NO_SLICE}{{/0.1"),
    "another glob": (sliced("[/0.1"), NO_SLICE + "[/0.1"),
    "no instant": (sliced("trades-20261399T990000Z/0.1"), NO_SLICE),
    "the 30th of February": (sliced("trades-20260230T000000Z/0.1"), NO_SLICE),
    "the year 0": (sliced("trades-00000101T000000Z/0.1"), NO_SLICE),
    "a window alone": (sliced(WINDOW), NO_SLICE),
    "a newline": (sliced(f"{WINDOW}/0.1\n"), NO_SLICE),
    "other digits": (sliced("trades-٢٠٢٦1122T100000Z/0.1"), NO_SLICE),
    "a long slice": (sliced(LONG), f"{NO_SLICE}{'x' * 100}…"),
    "a long number": (sliced(f"{WINDOW}/{'9' * 99}.1"), NO_SLICE),
    "a try beyond integers": (sliced(f"{WINDOW}/0.99999999999"), NO_SLICE),
    "a path upwards": (sliced("../trades-20261122T100000Z/0.1"), NO_SLICE),
}
NAMED = {
    "rows beyond sums": (with_properties(event(b"{}\n"), rows=HUGE), NO_ROWS + HUGE),
    "rows beyond integers": (with_properties(event(b"{}\n"), rows="9" * 200), f"{NO_ROWS}{'9' * 100}…"),
    "no rows": (with_properties(event(b""), rows="0"), f"{NO_ROWS}0"),
    "negative rows": (with_properties(event(trade(1)), rows="-1"), f"{NO_ROWS}-1"),
    "rows in other digits": (with_properties(event(trade(1)), rows="٣"), f"{NO_ROWS}٣"),
    "rows with a fraction": (with_properties(event(trade(1)), rows="1.0"), f"{NO_ROWS}1.0"),
    "no body": (event(None), "the event has no body"),
    "no body of a pack": (with_properties(event(None), rows="1"), "the event has no body"),
    "an unknown version": (with_properties(event(trade(1)), contract="trades/2"), f"{NO_CONTRACT}trades/2"),
    "another stream's": (with_properties(event(trade(1)), contract="gps/1"), f"{NO_CONTRACT}gps/1"),
    "a long contract": (with_properties(event(trade(1)), contract=LONG), f"{NO_CONTRACT}{'x' * 100}…"),
    "a long encoding": (with_properties(pack([trade(1)]), encoding=LONG), f"encoding: '{'x' * 100}' is neither"),
}
HOSTILE = {**UNNAMED, **NAMED}
GOOD = [
    event(trade(100)),
    event(trade(101), properties=None),
    with_properties(event(trade(102)), slice=None, contract=None),
    with_properties(event(trade(103)), slice=""),
    with_properties(event(trade(104)), slice=f"{WINDOW}/close.1"),
]


@pytest.fixture(scope="module")
def found(spark):
    """What silver made of all of them in one pass: (quarantine by place, ids of the good ones, by window)."""
    from silver_house import SilverHouse

    house = SilverHouse(spark)
    house.drop()
    house.send(*[hostile for hostile, _ in HOSTILE.values()], *GOOD)
    house.started().run_pass()
    quarantine = house.lake.read("silver.trades_quarantine").collect()
    good = house.rows("silver.trades", "trade_id", "window_id", "slice", "attempt")
    house.drop()
    return {row["sequence_number"]: row for row in quarantine}, good


@pytest.mark.parametrize(("place", "name"), list(enumerate(HOSTILE)), ids=str)
def test_a_hostile_event_is_set_aside_with_its_reason(found, place, name):
    quarantine, _ = found

    assert quarantine[place]["reason"].startswith(HOSTILE[name][1])
    assert len(quarantine[place]["reason"]) < 300


@pytest.mark.parametrize(("place", "name"), list(enumerate(HOSTILE)), ids=str)
def test_an_event_that_names_no_window_of_its_feed_is_of_none(found, place, name):
    quarantine, _ = found

    assert quarantine[place]["window_id"] == (UNKNOWN if name in UNNAMED else WINDOW)


def test_the_good_ones_beside_them_are_kept(found):
    _, good = found

    assert good == [
        (100, WINDOW, "0", 1),
        (101, UNKNOWN, "", 0),
        (102, UNKNOWN, "", 0),
        (103, UNKNOWN, "", 0),
        (104, WINDOW, "close", 1),
    ]


def test_what_senders_say_of_rows_never_overflows_a_sum(spark):
    rows = [HUGE, HUGE, "9" * 99, "-5", "x", "7", None]
    events = [
        (b"", "0", "0", n, START, None, {"rows": one} if one else {}, START, None, "") for n, one in enumerate(rows)
    ]

    counted = spark.createDataFrame(events, EVENTS).coalesce(1).select(records_of_event()).collect()

    assert [row[0] for row in counted] == [MOST_RECORDS] * 3 + [1, 1, 7, 1]


def test_a_window_near_the_first_year_can_be_looked_up(house):
    first = "trades-00010101T000000Z"
    house.send(event(trade(1), window=first))
    silver = house.started()

    assert silver.rerun(first) == {first}
