from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate, repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.steps import (
    CRASHED,
    MOST_CRASHES,
    DurableStep,
    crash,
    poll_after,
    readable,
    retry_after,
    turn_after,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
STEP = DurableStep("ingest_slice", {"slice": 3}, NOON + timedelta(hours=1))
AWAY = {"failure": {"kind": "UNAVAILABLE", "reason": "away", "retry_after": 0.0}}
REFUSED = {"failure": {"kind": "UNAUTHORIZED", "reason": "denied", "retry_after": 0.0}}
seconds = st.floats(0, 200_000)


def waits(first, answer, times):
    """Give how long a step waits after each of so many same answers."""
    found, step, now = [], first, NOON
    for _ in range(times):
        wait = step.wait(answer, now, "seed")
        if wait is None:
            break
        found.append(wait.total_seconds())
        step, now = step.waiting(answer, wait), now + wait
    return found


def test_the_wait_after_a_failure_grows_to_a_quarter_minute_and_with_an_outage_that_lasts():
    failing = list(accumulate(repeat(None, 12), lambda passed, _: passed + retry_after(passed), initial=0.0))

    grown = [round(retry_after(passed)) for passed in failing]

    assert grown[:6] == [2, 4, 8, 15, 15, 15]
    assert grown == sorted(grown)
    assert retry_after(86_400) == 300


def test_an_answer_without_a_failure_is_the_last_one():
    assert STEP.wait({"state": "done"}, NOON, "seed") is None


def test_failures_that_may_pass_are_borne_until_the_step_s_time_is_over():
    found = waits(STEP, AWAY, 500)

    assert 3300 < sum(found) <= 3600


def test_a_wait_that_would_end_after_the_step_s_time_is_not_begun():
    busy = {"failure": {"kind": "THROTTLED", "reason": "busy", "retry_after": 3601.0}}

    assert STEP.wait(busy, NOON, "seed") is None
    assert STEP.wait(busy, NOON - timedelta(seconds=1), "seed") == timedelta(seconds=3601)


def test_where_silence_is_tolerated_it_is_so_as_long_as_it_lasts_though_the_time_is_over():
    late = replace(STEP, until=NOON, tolerance=600.0)

    found = waits(late, AWAY, 500)

    assert 400 < sum(found) <= 600


def test_an_answer_in_between_ends_the_silence():
    step = STEP.waiting(AWAY, timedelta(seconds=40)).waiting({"pending": True}, timedelta(seconds=4))

    assert (step.failing, step.waited, step.crashes) == (0.0, 44.0, 0)


def test_what_raises_is_tried_a_few_times_only():
    assert len(waits(STEP, crash(RuntimeError("unforeseen")), 50)) == MOST_CRASHES - 1


def test_a_run_is_followed_though_a_login_is_refused_and_nothing_else_is():
    assert STEP.wait(REFUSED, NOON, "seed") is None
    assert replace(STEP, kind="follow").wait(REFUSED, NOON, "seed") is not None


@pytest.mark.parametrize("kind", ["retry", "turn", "follow"])
def test_work_that_goes_on_is_asked_about_without_an_end(kind):
    late = replace(STEP, kind=kind, waited=90_000.0)

    assert late.wait({"pending": True}, NOON + timedelta(days=9), "seed") <= timedelta(minutes=5)


@given(st.text(), st.text())
def test_the_wait_of_one_orchestration_is_always_the_same_and_near_that_of_any_other(one, other):
    first, again, second = (STEP.wait(AWAY, NOON, seed).total_seconds() for seed in (one, one, other))

    assert first == again
    assert all(1.6 <= wait <= 2.4 for wait in (first, second))


@given(seconds)
def test_polls_grow_apart_within_bounds(waited):
    assert 4 <= poll_after(waited) <= 300
    assert poll_after(waited) <= poll_after(waited * 2)


@given(seconds)
def test_what_waits_for_its_turn_begins_hardly_later_than_it_could(waited):
    assert 4 <= turn_after(waited) <= max(30, waited / 60)
    assert turn_after(waited) <= turn_after(waited * 2)


def test_a_step_is_the_same_after_its_journey_between_orchestrations():
    step = replace(STEP, kind="turn", tolerance=3.0, waited=1.5, failing=0.5, crashes=1)

    assert DurableStep.from_wire(step.as_wire()) == step


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('Activity function \'x\' failed:  RuntimeError: away \n {"$type":"System.Exception"}', "away"),
        ("Activity function 'x' failed: Result: Failure\nException: ValueError: no\nStack:   File a", "no"),
        ("Orchestrator function 'leg' failed: Non-Deterministic", "Non-Deterministic"),
        ("azure.core.exceptions.ServiceRequestError: name not known", "name not known"),
        ("The hub trades: it said no", "The hub trades: it said no"),
        ("two\nlines", "two lines"),
    ],
)
def test_a_person_reads_what_failed_and_no_exception_as_json(text, said):
    assert readable(text) == said


@given(st.text())
def test_what_a_person_reads_is_one_short_line(text):
    said = readable(text)

    assert len(said) <= 300
    assert len(said.splitlines()) <= 1


def test_a_crash_says_that_nothing_answered():
    assert crash(RuntimeError("gone"))["failure"] == {"kind": CRASHED, "reason": "gone", "retry_after": 0.0}
