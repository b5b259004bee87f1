import msgspec
import pytest

from emulators.event_hubs.faults import Fault, Faults, Kind
from emulators.event_hubs.throttle import Throttle

HUBS = {"trades": [], "gps": []}


def faults_of(**fields):
    faults = Faults(HUBS)
    faults.add(msgspec.convert(fields, Fault))
    return faults


def test_the_next_two_sends_are_hit_and_no_more():
    faults = faults_of(kind="stall", next=2)

    assert [bool(faults.of_send("trades", b"")) for _ in range(4)] == [True, True, False, False]


def test_a_fault_of_one_hub_spares_the_others():
    faults = faults_of(kind="drop", next=1, hub="gps")

    assert faults.of_send("trades", b"") is None
    assert faults.of_send("gps", b"").kind is Kind.DROP


def test_a_share_hits_about_that_many():
    faults = faults_of(kind="drop", share=0.05, seed=7)

    assert 30 <= sum(bool(faults.of_send("gps", b"")) for _ in range(1000)) <= 75


def test_a_fault_of_what_holds_some_text_spares_the_rest():
    faults = faults_of(kind="refuse", share=1.0, holding="spoilt")

    assert faults.of_send("trades", b"a good one") is None
    assert faults.of_send("trades", b"one that is spoilt").kind is Kind.REFUSE


def test_tokens_and_sends_meet_their_own_faults():
    faults = faults_of(kind="refuse_token", next=1)

    assert faults.of_send("trades", b"") is None
    assert faults.of_token("trades").kind is Kind.REFUSE_TOKEN


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"kind": "fire", "next": 1}, "fire"),
        ({"kind": "drop"}, "next"),
        ({"kind": "drop", "next": 1, "share": 0.5}, "share"),
        ({"kind": "drop", "next": 0}, "next"),
        ({"kind": "drop", "share": 1.5}, "share"),
        ({"kind": "drop", "next": 1, "stored": True}, "stored"),
        ({"kind": "refuse_token", "next": 1, "holding": "x"}, "holding"),
        ({"kind": "drop", "next": 1, "colour": "red"}, "colour"),
        ([], "object"),
    ],
)
def test_a_fault_that_cannot_be_injected_is_refused_by_name(fields, named):
    with pytest.raises(msgspec.ValidationError, match=named):
        msgspec.convert(fields, Fault)


def test_a_fault_of_a_hub_that_is_not_there_is_refused_by_name():
    with pytest.raises(ValueError, match="'none'; there are trades, gps"):
        faults_of(kind="drop", next=1, hub="none")


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


def test_without_units_everything_is_admitted():
    assert all(Throttle(Clock()).admit(10**9, 10**6) for _ in range(5))


def test_over_a_thousand_events_a_second_the_hub_is_busy():
    throttle, _ = throttle_of(1)

    assert [throttle.admit(1, 500) for _ in range(3)] == [True, True, False]
    assert throttle.refused == 1


def test_over_a_megabyte_a_second_the_hub_is_busy():
    throttle, _ = throttle_of(2)

    assert [throttle.admit(1_000_000, 1) for _ in range(3)] == [True, True, False]


def test_a_batch_larger_than_a_seconds_worth_is_admitted_and_paid_off():
    throttle, clock = throttle_of(1)

    assert throttle.admit(1_000_000, 5_000)
    clock.now += 4.0
    assert not throttle.admit(1, 1)
    clock.now += 0.1
    assert throttle.admit(1, 1)


def test_the_long_run_rate_is_exactly_the_units():
    throttle, clock = throttle_of(1)
    admitted = 0
    for _ in range(60_000):
        clock.now += 0.0005
        admitted += throttle.admit(10, 1)

    assert 30_000 <= admitted <= 31_001


@pytest.mark.parametrize("units", [0, -1])
def test_units_below_or_at_zero_are_refused(units):
    with pytest.raises(ValueError, match="units"):
        Throttle(Clock()).limit(units)
