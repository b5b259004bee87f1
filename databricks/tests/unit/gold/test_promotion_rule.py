"""Which promotions a user gets, from the points and what was given before them alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.gold.promotion_rule import DAY, Candidate, Given, decided

MINUTE = 60_000_000
COOL_DOWN = 4 * 60 * MINUTE
NOON = 20_000 * DAY + DAY // 2


def candidate(minute=0, store="s", percent=10, metres=1.0, **changes):
    plain = {"promotion_id": f"p-{store}", "valid_until": 0, "location": "", "merchant": ""}
    return Candidate(NOON + minute * MINUTE, store, discount_percent=percent, metres=metres, **plain | changes)


def outcomes(*candidates, before=(), cap=3):
    found = decided(candidates, before, cap, COOL_DOWN)
    return [(one.store_id, (one.at - NOON) // MINUTE, outcome) for one, outcome in found]


def test_the_best_discount_comes_first_then_the_nearest_store():
    given = candidate(0, "far", 20, 9.0), candidate(0, "less", 10), candidate(0, "near", 20), candidate(-1, "first", 1)

    assert outcomes(*given) == [
        ("first", -1, "promoted"),
        ("near", 0, "promoted"),
        ("far", 0, "promoted"),
        ("less", 0, "suppressed_by_cap"),
    ]


@pytest.mark.parametrize(
    ("minute", "outcome"),
    [
        (1, "suppressed_by_cool_down"),
        (11 * 60, "suppressed_by_cool_down"),
        (12 * 60, "suppressed_by_cool_down"),
        (15 * 60 - 1, "suppressed_by_cool_down"),
        (15 * 60, "promoted"),
    ],
)
def test_a_store_has_one_a_day_and_none_within_the_cool_down_of_the_next(minute, outcome):
    assert outcomes(candidate(minute), before=[Given("s", NOON), Given("s", NOON + 11 * 60 * MINUTE)])[0][2] == outcome


def test_what_was_given_that_day_counts_towards_the_cap():
    assert outcomes(candidate(5), before=[Given("a", NOON), Given("b", NOON)], cap=2)[0][2] == "suppressed_by_cap"
    assert outcomes(candidate(5), before=[Given("a", NOON - DAY), Given("b", NOON)], cap=2)[0][2] == "promoted"


minutes = st.integers(0, 3 * 24 * 60)
candidates = st.lists(st.builds(candidate, minutes, st.sampled_from("abcde"), st.integers(1, 3)), max_size=30)


@given(candidates, minutes)
def test_days_decided_onward_are_those_of_one_decision_over_all(some, border):
    border = (NOON + border * MINUTE) // DAY * DAY
    whole = list(decided(some, (), 2, COOL_DOWN))
    before = [(one, outcome) for one, outcome in whole if one.at < border]
    got = [Given(one.store_id, one.at) for one, outcome in before if outcome == "promoted"]

    assert [*before, *decided([one for one in some if one.at >= border], got, 2, COOL_DOWN)] == whole
