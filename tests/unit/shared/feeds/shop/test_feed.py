import hashlib
import threading
from datetime import timedelta
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.feeds.drawing.blocks import BLOCK
from shared.feeds.feed import Position
from shared.feeds.shop.feed import FEED, Shop
from tests.unit.shared.feeds.shop.conftest import START, STREAMS, WINDOW, read

RATE = 100.0


@pytest.fixture(scope="module")
def whole(shop):
    return shop.draw(Position(WINDOW, 3, 0, 3 * BLOCK, START, RATE))


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 2 * BLOCK), max_size=4), rate=st.sampled_from([0.16, 7.3, 100.0, 20_000.0]))
def test_a_position_has_the_same_records_in_whatever_parts_it_is_drawn(shop, cuts, rate):
    ends = [0, *sorted(cuts), 2 * BLOCK]
    whole = shop.draw(Position(WINDOW, 3, 0, 2 * BLOCK, START, rate))

    parts = [shop.draw(Position(WINDOW, 3, first, last - first, START, rate)) for first, last in pairwise(ends)]

    for stream in STREAMS:
        assert pa.concat_arrays([part[stream].lines for part in parts]).equals(whole[stream].lines)
        keys = [key for part in parts for key in part[stream].keys.to_pylist()]
        assert keys == whole[stream].keys.to_pylist()


def test_small_consecutive_draws_are_the_stream(shop, whole):
    pieces = [shop.draw(Position(WINDOW, 3, first, 3, START, RATE)) for first in range(0, 1500, 3)]

    for stream in STREAMS:
        lines = pa.concat_arrays([piece[stream].lines for piece in pieces])
        assert lines.equals(whole[stream].lines.slice(0, len(lines)))
    assert sum(len(piece["orders"]) for piece in pieces) > 15


def test_another_feed_of_the_same_pool_draws_the_same_records(pool, whole):
    again = Shop(pool).draw(Position(WINDOW, 3, 0, 3 * BLOCK, START, RATE))

    assert all(again[stream].lines.equals(whole[stream].lines) for stream in STREAMS)


def test_slices_and_windows_have_records_of_their_own(shop):
    places = [(WINDOW, 0), (WINDOW, 1), ("shop-20261127T131000Z", 0)]

    batches = [shop.draw(Position(window, number, 0, 1000, START, RATE)) for window, number in places]

    ids = {record["view_id"] for batch in batches for record in read(batch["pageviews"])}
    users = {tuple(record["user_id"] for record in read(batch["pageviews"])) for batch in batches}
    assert len(ids) == 3000
    assert len(users) == 3


def test_records_are_frozen_for_this_version_of_the_feed(whole):
    """A retry after a deployment must draw the same records; a change raises VERSION in `building`."""
    digest = hashlib.sha256()
    for stream in STREAMS:
        digest.update(b"".join(whole[stream].lines.to_pylist()))
        digest.update("|".join(whole[stream].keys.to_pylist()).encode())

    assert digest.hexdigest() == "c04792e5268874e6fa910893dccca909573f8a3cdb798f1ad5edb14b7f8b9449"


def test_nothing_is_drawn_when_nothing_is_asked(shop):
    batch = shop.draw(Position(WINDOW, 0, 5, 0, START, RATE))

    assert {stream: len(records) for stream, records in batch.items()} == dict.fromkeys(STREAMS, 0)


def test_a_window_without_orders_draws_none_and_the_same_views(shop, whole):
    batch = shop.draw(Position(WINDOW, 3, 0, 3 * BLOCK, START, RATE, {"SHOP_ORDERS": 0}))

    assert len(batch["orders"]) == len(batch["items"]) == 0
    assert batch["pageviews"].lines.equals(whole["pageviews"].lines)


def test_something_may_be_ordered_after_each_view(shop):
    batch = shop.draw(Position(WINDOW, 3, 0, 500, START, RATE, {"SHOP_ORDERS": 1000}))

    assert len(batch["orders"]) == 500


@pytest.mark.parametrize(("per_thousand", "least", "most"), [(0, 0, 0), (500, 0.4, 0.6), (1000, 1, 1)])
def test_stars_are_given_in_as_many_sessions_as_the_setting_says(shop, whole, per_thousand, least, most):
    batch = shop.draw(Position(WINDOW, 3, 0, 3 * BLOCK, START, RATE, {"SHOP_STARS": per_thousand}))

    every = shop.draw(Position(WINDOW, 3, 0, 3 * BLOCK, START, RATE, {"SHOP_STARS": 1000}))["stars"]
    assert least * len(every) <= len(batch["stars"]) <= most * len(every)
    assert batch["pageviews"].lines.equals(whole["pageviews"].lines)


@pytest.mark.parametrize("users", [1, 37, 5_000_000])
def test_users_and_products_are_as_many_as_the_settings_say(shop, users):
    options = {"SHOP_USERS": users, "SHOP_PRODUCTS": 3}

    batch = {
        stream: read(each) for stream, each in shop.draw(Position(WINDOW, 3, 0, 20_000, START, RATE, options)).items()
    }

    found = {record["user_id"] for stream in ("pageviews", "stars", "orders") for record in batch[stream]}
    assert 1 <= min(found) <= max(found) <= users
    assert len(found) > 0.95 * min(users, 1_700)
    assert {record["product_id"] for record in batch["items"]} == {1, 2, 3}


@pytest.mark.parametrize(("first", "count", "rate"), [(-1, 1, 1.0), (0, -1, 1.0), (0, 2**20 + 1, 1.0), (0, 1, 0.0)])
def test_impossible_draws_are_refused(shop, first, count, rate):
    with pytest.raises(ValueError, match=r"can't draw|a rate is"):
        shop.draw(Position(WINDOW, 0, first, count, START, rate))


def test_threads_draw_what_one_would(shop, whole):
    found: dict[int, bool] = {}

    def draw(number: int) -> None:
        piece = shop.draw(Position(WINDOW, 3, number * 1000, 1000, START, RATE))
        found[number] = piece["pageviews"].lines.equals(whole["pageviews"].lines.slice(number * 1000, 1000))

    threads = [threading.Thread(target=draw, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == dict.fromkeys(range(10), True)


def test_its_windows_are_those_of_the_shop():
    assert [stream.name for stream in FEED.streams] == list(STREAMS)
    assert [stream.destination.kind for stream in FEED.streams] == ["hub", "hub", "sql", "sql"]
    assert (FEED.every, FEED.length, FEED.rate) == (timedelta(minutes=10), timedelta(minutes=10), 20)
    assert [one.name for one in FEED.references] == ["users", "vip_users", "products"]
