"""Which promotions a point near a store may get at its time."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.promotions import Candidate
from shared.domain.windows.window import microseconds
from shared.promotions.matching import Points, candidates, near
from tests.unit.shared.promotions.towns import NOON, places, points, promotion, store

HERE = (51.5, -0.1)
SECOND = timedelta(seconds=1)


def candidates_at(index, *at):
    """Give the candidates of points that are at the store at some times."""
    asked = points(*[HERE] * len(at))
    asked = Points(
        asked.latitude, asked.longitude, asked.accuracy, np.array([microseconds(one) for one in at]), asked.appid
    )
    return candidates(asked, index, near(asked, index))


def test_a_candidate_says_who_may_get_what_and_until_when():
    ends = NOON + timedelta(hours=1)
    index = places([store("here", *HERE)], [promotion("half", "here", 50, valid_to=ends)])
    asked = points((51.501, -0.1, 5.0))

    (found,) = candidates(asked, index, near(asked, index))

    assert found == Candidate("user-0", "here", "half", 50, pytest.approx(111.2, abs=0.1), NOON, ends)


def test_a_promotion_is_valid_from_its_first_moment_to_just_before_its_last():
    begins, ends = NOON, NOON + timedelta(hours=2)
    index = places([store("here", *HERE)], [promotion("p", "here", valid_from=begins, valid_to=ends)])

    found = candidates_at(index, begins - SECOND, begins, ends - SECOND, ends)

    assert [one.appid for one in found] == ["user-1", "user-2"]


@pytest.mark.parametrize(
    ("opens", "closes", "zone", "at", "is_open"),
    [
        (540, 1020, "Europe/London", "2026-11-27T08:59:59Z", False),
        (540, 1020, "Europe/London", "2026-11-27T09:00:00Z", True),
        (540, 1020, "Europe/London", "2026-11-27T16:59:59Z", True),
        (540, 1020, "Europe/London", "2026-11-27T17:00:00Z", False),
        (540, 1020, "Europe/London", "2026-07-27T08:00:00Z", True),
        (540, 1020, "Europe/London", "2026-07-27T16:00:00Z", False),
        (540, 1020, "Asia/Kolkata", "2026-11-27T03:29:59Z", False),
        (540, 1020, "Asia/Kolkata", "2026-11-27T03:30:00Z", True),
        (1080, 120, "Europe/London", "2026-11-27T23:30:00Z", True),
        (1080, 120, "Europe/London", "2026-11-27T01:59:59Z", True),
        (1080, 120, "Europe/London", "2026-11-27T02:00:00Z", False),
        (0, 1440, "America/New_York", "2026-11-27T04:59:59Z", True),
        (60, 120, "Europe/London", "2026-10-25T00:30:00Z", True),
        (60, 120, "Europe/London", "2026-10-25T01:30:00Z", True),
        (60, 120, "Europe/London", "2026-03-29T01:00:00Z", False),
    ],
)
def test_a_store_is_open_by_the_clock_of_its_own_zone(opens, closes, zone, at, is_open):
    index = places([store("here", *HERE)], [promotion("p", "here", opens=opens, closes=closes, zone=zone)])

    found = candidates_at(index, datetime.fromisoformat(at))

    assert len(found) == is_open


def test_the_best_discount_comes_first_and_of_equal_ones_that_of_the_nearest_store():
    stores = [store("near", *HERE), store("far", 51.501, -0.1)]
    offers = [
        promotion("a", "near", 10),
        promotion("b", "far", 30),
        promotion("c", "near", 30),
        promotion("d", "far", 40),
    ]
    index = places(stores, offers)
    asked = points(HERE, (51.501, -0.1))

    found = candidates(asked, index, near(asked, index))

    assert [(one.appid, one.promotion_id) for one in found] == [
        *(("user-0", name) for name in "dcba"),
        *(("user-1", name) for name in "dbca"),
    ]


def test_promotions_that_can_never_be_had_are_left_out_by_name():
    offers = [promotion("a", "elsewhere"), promotion("b", "here", zone="Mars/Olympus"), promotion("c", "here")]
    index = places([store("here", *HERE)], offers)

    found = candidates_at(index, NOON)

    assert [one.promotion_id for one in found] == ["c"]
    assert index.left_out == {"a": "its store is not in the lookup", "b": "there is no such time zone"}


@pytest.mark.parametrize("offers", [[], [promotion("p", "elsewhere")]])
def test_a_store_without_promotions_gives_none(offers):
    assert candidates_at(places([store("here", *HERE)], offers), NOON) == []


def test_a_store_is_given_by_its_name():
    place = places([store("here", *HERE, 100.0)]).place("here")

    assert (place.store_id, place.location, place.merchant) == ("here", "Here", "Whose")
    assert (place.latitude, place.longitude, place.radius) == (*HERE, 100.0)


@given(
    valid=st.tuples(st.integers(-48, 48), st.integers(1, 72)),
    hours=st.tuples(st.integers(0, 1439), st.integers(1, 1440)),
    minute=st.integers(-4_000, 4_000),
)
def test_what_may_be_had_follows_from_validity_and_hours_alone(valid, hours, minute):
    begins, at = NOON + timedelta(hours=valid[0]), NOON + timedelta(minutes=minute)
    ends, (opens, closes) = begins + timedelta(hours=valid[1]), hours
    offer = promotion("p", "here", valid_from=begins, valid_to=ends, opens=opens, closes=closes, zone="UTC")

    found = candidates_at(places([store("here", *HERE)], [offer]), at)

    local = at.astimezone(UTC).hour * 60 + at.minute
    opened = {(opens + one) % 1440 for one in range((closes - opens) % 1440 or 1440)}
    assert len(found) == (begins <= at < ends and local in opened)
