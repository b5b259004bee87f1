"""How rows are pushed within the service's limits."""

import json
from decimal import Decimal

import pytest

from lakehouse.sinks.power_bi import POSTS_A_MINUTE, ROWS_A_POST, PowerBi, PushRefused, RateLimit


class Minute:
    def __init__(self):
        self.time = 0.0

    def clock(self):
        return self.time

    def sleep(self, seconds):
        self.time += seconds


class Row(dict):
    def asDict(self):  # noqa: N802 - Spark's own name
        return dict(self)


class Rows:
    def __init__(self, size):
        self.size = size

    def toLocalIterator(self, *, prefetchPartitions):  # noqa: N802, N803 - Spark's own names
        return (Row(id=number, price=Decimal("1.5")) for number in range(self.size))


def power_bi(minute, post):
    return PowerBi("https://example.org/push", RateLimit(minute.clock, minute.sleep), post)


def test_rows_travel_in_as_few_posts_as_the_limit_allows():
    sizes = []

    posts = power_bi(Minute(), lambda _url, body: (sizes.append(len(json.loads(body))), (200, 0.0))[1]).push(
        Rows(25_000)
    )

    assert (posts, sizes) == (3, [ROWS_A_POST, ROWS_A_POST, 5_000])


def test_nothing_is_posted_for_no_rows():
    assert power_bi(Minute(), lambda _url, _body: (200, 0.0)).push(Rows(0)) == 0


def test_no_minute_sees_more_posts_than_the_limit():
    minute, times = Minute(), []
    rate_limit = RateLimit(minute.clock, minute.sleep)

    for _ in range(3 * POSTS_A_MINUTE):
        rate_limit.wait()
        times.append(minute.time)
        minute.time += 0.125

    assert all(later - earlier >= 60.0 for earlier, later in zip(times, times[POSTS_A_MINUTE:], strict=False))


def test_a_busy_service_is_asked_again_after_the_time_it_names():
    minute, answers = Minute(), [(429, 7.0), (200, 0.0)]

    posts = power_bi(minute, lambda _url, _body: answers.pop(0)).push(Rows(1))

    assert (posts, minute.time) == (2, 7.0)


def test_a_service_that_refuses_for_good_is_named_without_its_url():
    with pytest.raises(PushRefused, match="answered 403") as refused:
        power_bi(Minute(), lambda _url, _body: (403, 1.0)).push(Rows(1))

    assert "example.org" not in str(refused.value)
