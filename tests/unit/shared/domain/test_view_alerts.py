"""Which views raise an alert."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.view_alerts import KINDS, Star, View, after_low_stars, low_of, of_slow_views, of_vips
from shared.feeds.shop.truth import pageviews_after_low_stars, pageviews_high_latency

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def view(number=1, user=1, latency=200, **after):
    return View(f"v{number}", user, NOON + timedelta(**after), latency)


def star(number=1, user=1, stars=1, **after):
    return Star(f"s{number}", user, NOON + timedelta(**after), stars)


def test_kinds_are_the_names_of_gold_tables():
    assert KINDS == ("pageviews_high_latency", "pageviews_vip", "pageviews_after_low_stars")


@pytest.mark.parametrize("latency", [0, 1999, 2000, 2001, 5000])
def test_a_view_is_slow_where_the_truth_says_so(latency):
    record = {"view_id": "v1", "user_id": 1, "latency": latency}

    found = [one.id for one in of_slow_views([view(latency=latency)])]

    assert found == [row["view_id"] for row in pageviews_high_latency([record], [])]


def test_a_view_of_a_vip_raises_an_alert_and_that_of_another_does_not():
    assert [one.id for one in of_vips([view(1, user=1), view(2, user=2)], {2, 3})] == ["v2"]


@pytest.mark.parametrize("user", [1, 2])
@pytest.mark.parametrize("stars", [1, 2, 3, 5])
@pytest.mark.parametrize("milliseconds", [-1, 0, 1, 599_999, 600_000, 600_001])
def test_a_view_follows_low_stars_where_the_truth_says_so(milliseconds, stars, user):
    one, given = view(milliseconds=milliseconds), star(user=user, stars=stars)
    viewed = {"view_id": "v1", "user_id": 1, "viewed_at": one.viewed_at.isoformat()}
    starred = {"star_id": "s1", "user_id": user, "starred_at": given.starred_at.isoformat(), "stars": stars}

    found = [alert.id for alert in after_low_stars([one], [given])]

    assert found == [f"{row['view_id']}|{row['star_id']}" for row in pageviews_after_low_stars([viewed], [starred])]


def test_a_view_after_low_stars_twice_raises_two_alerts():
    found = after_low_stars([view(minutes=5)], [star(1), star(2, minutes=1), star(3, stars=5)])

    assert [one.id for one in found] == ["v1|s1", "v1|s2"]


def test_low_stars_are_fewer_than_three():
    assert [one.stars for one in low_of(star(number, stars=number) for number in range(1, 6))] == [1, 2]
