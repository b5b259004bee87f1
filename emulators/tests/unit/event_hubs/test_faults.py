import pytest

from emulators.event_hubs.faults import FaultError, Faults, Kind
from emulators.event_hubs.throttle import Throttle

HUBS = {"trades": [], "gps": []}


def faults_of(**order):
    faults = Faults()
    faults.order(order, HUBS)
    return faults


def test_the_next_two_sends_are_hit_and_no_more():
    faults = faults_of(kind="stall", next=2)

    assert [bool(faults.strike_send("trades")) for _ in range(4)] == [True, True, False, False]


def test_a_fault_of_one_hub_spares_the_others():
    faults = faults_of(kind="drop", next=1, hub="gps")

    assert faults.strike_send("trades") is None
    assert faults.strike_send("gps").kind is Kind.DROP


def test_a_share_hits_about_that_many_and_the_same_ones_for_a_seed():
    hits = [[bool(faults.strike_send("gps")) for _ in range(1000)] for faults in _two_of_a_seed()]

    assert hits[0] == hits[1]
    assert 30 <= sum(hits[0]) <= 75


def _two_of_a_seed():
    return [faults_of(kind="drop", share=0.05, seed=7) for _ in range(2)]


def test_tokens_and_sends_meet_their_own_faults():
    faults = faults_of(kind="refuse_token", next=1)

    assert faults.strike_send("trades") is None
    assert faults.strike_token("trades").kind is Kind.REFUSE_TOKEN


def test_a_spent_fault_makes_way_for_the_one_ordered_after_it():
    faults = faults_of(kind="stall", next=1)
    faults.order({"kind": "drop", "next": 1}, HUBS)

    assert [faults.strike_send("trades").kind for _ in range(2)] == [Kind.STALL, Kind.DROP]


def test_the_report_counts_what_was_injected():
    faults = faults_of(kind="reject_busy", next=1)
    for _ in range(3):
        faults.strike_send("trades")

    assert [(one["kind"], one["injected"], one["met"]) for one in faults.report()] == [("reject_busy", 1, 3)]


def test_cleared_faults_strike_no_more():
    faults = faults_of(kind="stall", next=1)

    faults.clear()

    assert faults.strike_send("trades") is None


@pytest.mark.parametrize(
    ("order", "named"),
    [
        ({"kind": "fire", "next": 1}, "fire"),
        ({"kind": "drop"}, "next"),
        ({"kind": "drop", "next": 1, "share": 0.5}, "share"),
        ({"kind": "drop", "next": 0}, "next"),
        ({"kind": "drop", "share": 1.5}, "share"),
        ({"kind": "drop", "next": 1, "hub": "none"}, "none"),
        ({"kind": "drop", "next": 1, "stored": True}, "stored"),
        ({"kind": "drop", "next": 1, "colour": "red"}, "colour"),
        ([], "object"),
    ],
)
def test_an_order_that_cannot_be_carried_out_is_refused_by_name(order, named):
    with pytest.raises(FaultError, match=named):
        Faults().order(order, HUBS)


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def throttle_of(units):
    clock = Clock()
    throttle = Throttle(clock)
    throttle.limit(units)
    return throttle, clock


def test_without_units_everything_is_let_in():
    assert all(Throttle(Clock()).admit(10**9, 10**6) for _ in range(5))


def test_over_a_thousand_events_a_second_the_hub_is_busy():
    throttle, _ = throttle_of(1)

    assert [throttle.admit(1, 500) for _ in range(3)] == [True, True, False]
    assert throttle.refused == 1


def test_over_a_megabyte_a_second_the_hub_is_busy():
    throttle, _ = throttle_of(2)

    assert [throttle.admit(1_000_000, 1) for _ in range(3)] == [True, True, False]


def test_a_batch_larger_than_a_seconds_worth_is_let_in_and_paid_off():
    throttle, clock = throttle_of(1)

    assert throttle.admit(1_000_000, 5_000)
    clock.now += 4.0
    assert not throttle.admit(1, 1)
    clock.now += 0.1
    assert throttle.admit(1, 1)


def test_the_long_run_rate_is_exactly_the_units():
    throttle, clock = throttle_of(1)
    let_in = 0
    for _ in range(60_000):
        clock.now += 0.0005
        let_in += throttle.admit(10, 1)

    assert 30_000 <= let_in <= 31_001


@pytest.mark.parametrize("units", [0, -1])
def test_units_below_or_at_zero_are_refused(units):
    with pytest.raises(ValueError, match="units"):
        Throttle(Clock()).limit(units)
