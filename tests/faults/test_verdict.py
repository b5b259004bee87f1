"""The fault tests' own judgement: a verdict that can't find a fault is worth nothing."""

from hypothesis import given
from hypothesis import strategies as st

from tests.faults.verdict import Arrival, Event, Told, judge, numbered

LEDGER = numbered("a", 3)
A0, A1, A2 = LEDGER


def arrivals(*events):
    """Let events arrive, each under a key of its own."""
    return [Arrival(event, f"{event.source}:{event.number}") for event in events]


def test_what_arrives_once_and_in_order_is_whole():
    verdict = judge(LEDGER, arrivals(A0, A1, A2))

    assert (verdict.lost, verdict.phantom, verdict.unknown) == (frozenset(), frozenset(), frozenset())
    assert (verdict.doubled_raw, verdict.doubled, verdict.disordered) == (0, 0, 0)


def test_the_first_and_the_last_event_are_lost_like_any_other():
    assert judge(LEDGER, arrivals(A1)).lost == {A0, A2}


def test_what_nobody_produced_is_phantom():
    assert judge(LEDGER, arrivals(A0, A1, A2, Event("b", 0))).phantom == {("b", 0)}


def test_a_second_delivery_is_doubled_raw_and_one_row_after_dedupe():
    verdict = judge(LEDGER, arrivals(A0, A1, A0, A0, A2))

    assert (verdict.doubled_raw, verdict.doubled) == (2, 0)


def test_an_event_that_comes_again_under_another_key_is_doubled_after_dedupe():
    assert judge(LEDGER, [*arrivals(A0, A1, A2), Arrival(A0, "another")]).doubled == 1


def test_an_event_that_comes_under_the_key_of_an_earlier_one_is_lost():
    assert judge(LEDGER, [*arrivals(A0, A1), Arrival(A2, "a:0")]).lost == {A2}


def test_what_failed_is_not_lost_and_may_have_arrived():
    verdict = judge({**LEDGER, A1: Told.FAILED, A2: Told.FAILED}, arrivals(A0, A1))

    assert (verdict.lost, verdict.phantom, verdict.unknown) == (frozenset(), frozenset(), frozenset())


def test_what_nobody_knows_of_is_unknown_until_it_arrived():
    verdict = judge({**LEDGER, A1: Told.UNKNOWN, A2: Told.UNKNOWN}, arrivals(A0, A1))

    assert (verdict.lost, verdict.unknown) == (frozenset(), {A2})


def test_order_is_that_of_first_deliveries_within_a_source():
    both = {**LEDGER, **numbered("b", 2)}
    b0, b1 = Event("b", 0), Event("b", 1)

    assert judge(both, arrivals(A0, b0, A1, A0, b1, A2)).disordered == 0
    assert judge(both, arrivals(A2, b1, A0, b0, A1)).disordered == 3


@given(st.permutations(list(numbered("a", 8))), st.sets(st.integers(0, 7)), st.integers(0, 5))
def test_however_events_come_each_is_lost_or_kept(order, missing, again):
    arrived = [event for event in order if event.number not in missing]

    verdict = judge(numbered("a", 8), arrivals(*arrived, *arrived[:again]))

    assert {event.number for event in verdict.lost} == missing
    assert verdict.doubled_raw == len(arrived[:again])
    assert (verdict.disordered == 0) == (arrived == sorted(arrived))
