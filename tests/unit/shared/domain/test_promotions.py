"""Which promotions a user gets."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.promotions import Candidate, Given, Rules, Sent, by_user, decide, event_id

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOTHING = Given()
RULES = Rules(cap=3, cool_down=timedelta(hours=4))


def near(store, minutes=0.0, discount=10, metres=50.0, promotion=None):
    at = NOON + timedelta(minutes=minutes)
    return Candidate("app", store, promotion or f"of-{store}", discount, metres, at, at + timedelta(hours=1))


def stores(candidates):
    return [one.store_id for one in candidates]


def test_the_best_discount_of_a_point_comes_first_and_the_nearest_of_equals():
    candidates = [near("a", discount=5), near("b", discount=20, metres=90), near("c", discount=20, metres=80)]

    decision = decide(candidates, Given(), RULES)

    assert stores(decision.promoted) == ["c", "b", "a"]


def test_points_stay_in_their_order_whatever_their_discounts():
    decision = decide([near("a", discount=5), near("b", minutes=1, discount=50)], Given(), Rules(cap=1))

    assert (stores(decision.promoted), stores(decision.suppressed_by_cap)) == (["a"], ["b"])


def test_no_more_than_the_cap_is_promoted_a_day_and_the_next_day_begins_anew():
    today = [near(store, minutes=number) for number, store in enumerate("abcd")]
    tomorrow = near("e", minutes=12 * 60)

    decision = decide([*today, tomorrow], Given(), RULES)

    assert stores(decision.promoted) == ["a", "b", "c", "e"]
    assert stores(decision.suppressed_by_cap) == ["d"]


def test_a_store_is_not_promoted_again_within_the_cool_down_though_a_new_day_has_begun():
    evening = NOON + timedelta(hours=11)
    before = Given((Sent("a", "of-a", evening),))

    soon = decide([near("a", minutes=14 * 60 - 1)], before, RULES)
    later = decide([near("a", minutes=15 * 60)], before, RULES)

    assert (stores(soon.promoted), stores(soon.suppressed_by_cool_down)) == ([], ["a"])
    assert stores(later.promoted) == ["a"]


def test_a_store_is_promoted_once_a_day_since_its_event_has_one_id_a_day():
    decision = decide([near("a"), near("a", minutes=5 * 60)], Given(), RULES)

    assert len(decision.promoted) == 1
    assert stores(decision.suppressed_by_cool_down) == ["a"]


def test_two_promotions_of_a_store_at_one_point_are_one():
    decision = decide([near("a", promotion="p"), near("a", promotion="q", discount=30)], Given(), RULES)

    assert [one.promotion_id for one in decision.promoted] == ["q"]
    assert [one.promotion_id for one in decision.suppressed_by_cool_down] == ["p"]


def test_an_event_is_named_by_user_store_and_day_in_utc():
    assert event_id("app", "7", datetime.fromisoformat("2026-11-23T00:30:00+01:00")) == "app/7/20261122"


def test_what_was_given_long_ago_is_forgotten():
    given_before = Given((Sent("a", "p", NOON - timedelta(hours=2)), Sent("b", "q", NOON)))

    assert given_before.since(NOON - timedelta(hours=1)) == Given((Sent("b", "q", NOON),))


FOUND = st.tuples(st.sampled_from("abcdef"), st.integers(1, 50), st.floats(0, 250))
POINTS = st.lists(
    st.builds(
        lambda minutes, found: [near(store, minutes, discount, metres) for store, discount, metres in found],
        st.integers(-3_000, 3_000),
        st.lists(FOUND, max_size=4, unique_by=lambda found: found[0]),
    ),
    max_size=30,
    unique_by=lambda point: point[0].at if point else object(),
)


def decided(batches, before=NOTHING):
    """Decide batch by batch; gives all that was promoted, and what was given in the end."""
    promoted = []
    for points in batches:
        decision = decide([one for point in points for one in point], before, RULES)
        promoted += decision.promoted
        before = decision.given
    return promoted, before


@given(POINTS, st.data())
def test_any_split_of_the_points_into_batches_gives_the_same_promotions(points, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(points)), max_size=6)))
    batches = [points[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(points)], strict=True)]

    assert decided(batches) == decided([points])


@given(POINTS, st.integers(0, 30))
def test_points_that_come_again_are_given_the_same_promotions_again_and_nothing_else(points, start):
    first, given_then = decided([points])
    again, given_now = decided([points[start:]], given_then)

    repeated = {one.at for point in points[start:] for one in point}
    assert again == [one for one in first if one.at in repeated]
    assert given_now == given_then


@given(POINTS)
def test_neither_cap_nor_cool_down_is_ever_exceeded_and_each_candidate_is_in_one_place(points):
    candidates = [one for point in points for one in point]

    decision = decide(candidates, Given(), RULES)

    a_day = Counter(one.at.date() for one in decision.promoted)
    of_stores = Counter(event_id(one.appid, one.store_id, one.at) for one in decision.promoted)
    everything = [*decision.promoted, *decision.suppressed_by_cap, *decision.suppressed_by_cool_down]
    assert max(a_day.values(), default=0) <= RULES.cap
    assert max(of_stores.values(), default=0) <= 1
    assert Counter(everything) == Counter(candidates)
    for one in decision.promoted:
        for other in decision.promoted:
            assert one is other or one.store_id != other.store_id or abs(one.at - other.at) >= RULES.cool_down


def test_candidates_are_grouped_by_user_in_their_order():
    other = Candidate("other", "a", "p", 1, 1.0, NOON, NOON)

    assert by_user([near("a"), other, near("b")]) == {"app": [near("a"), near("b")], "other": [other]}
