"""From views and stars to rows of alerts: as the truth has them, whatever comes first, twice, late or at once."""

import json
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clients.storage.fake import FakeTables
from shared.clients.storage.recent_views import TableRecentViews
from shared.clients.storage.tables import Query
from shared.domain.delivery import Event
from shared.domain.windows.window import microseconds
from shared.errors import Unavailable
from shared.feeds.feed import Position
from shared.feeds.shop.building import build
from shared.feeds.shop.feed import VIPS_PATH, Shop
from shared.flows.alert_of_views import alert_of_views
from tests.unit.shared.flows.shop_alerts import NOON, World, events, star, truth, view

ROOT = Path(__file__).parents[4]
EXAMPLE = json.loads((ROOT / "tests" / "shop_analytics" / "example.json").read_text(encoding="utf-8"))
PAIR = "pageviews_after_low_stars"


@pytest.fixture
def world():
    return World()


def pairs(world):
    return [(one["view_id"][:8], one["star_id"][:8]) for one in world.rows[PAIR]]


def test_the_rows_of_the_example_are_those_that_were_worked_out_by_hand():
    vips = [one["id"] for one in EXAMPLE["vip_users"]]
    world = World(vips=vips)
    world.now = datetime(2026, 11, 27, 11, 30, tzinfo=UTC)

    world.views(*EXAMPLE["pageviews"])
    world.stars(*EXAMPLE["stars"])

    expected = {kind: EXAMPLE["expected"][kind] for kind in world.rows}
    assert world.rows == truth(EXAMPLE["pageviews"], EXAMPLE["stars"], vips)
    assert {kind: [one["view_id"] for one in rows] for kind, rows in world.rows.items()} == {
        kind: [one["view_id"] for one in rows] for kind, rows in expected.items()
    }


def test_a_drawn_hour_shuffled_repeated_and_late_gives_the_rows_of_the_truth():
    start = NOON - timedelta(hours=2)
    position = Position("shop-20261127T100000Z", 0, 0, 12_000, microseconds(start), 10.0, {"SHOP_USERS": 300})
    drawn = Shop(build(7)).draw(position)
    views, stars = (
        [json.loads(line, parse_float=Decimal) for line in drawn[name].lines.to_pylist()]
        for name in ("pageviews", "stars")
    )
    vips = range(1, 300, 50)
    world, order = World(vips=vips), random.Random(7)
    batches = [(world.views, views[first : first + 200]) for first in range(0, len(views), 200)]
    batches += [(world.stars, stars[first : first + 5]) for first in range(0, len(stars), 5)]
    batches += order.sample(batches, 20)
    order.shuffle(batches)

    for take, records in batches:
        take(*order.sample(records, len(records)))

    assert world.rows == truth(views, stars, vips)
    assert all(len(rows) > 10 for rows in world.rows.values())


@st.composite
def shops(draw):
    """Draw views and stars of few users in half an hour, and batches in which each comes at least once."""
    minutes = st.sampled_from([0, 0.5, 5, 9.99, 10, 10.001, 19, 20, 29])
    users = st.integers(1, 3)
    views = [
        view(number, draw(users), draw(st.sampled_from([200, 2000, 2001])), minutes=draw(minutes))
        for number in range(draw(st.integers(1, 6)))
    ]
    stars = [
        star(number, draw(users), draw(st.integers(1, 5)), minutes=draw(minutes))
        for number in range(draw(st.integers(0, 4)))
    ]
    records = [("views", one) for one in views] + [("stars", one) for one in stars]
    again = draw(st.lists(st.sampled_from(records), max_size=4))
    return views, stars, draw(st.permutations(records + again)), draw(st.integers(1, 4))


@settings(max_examples=60, deadline=None)
@given(shops())
def test_any_order_any_repeats_and_any_batches_give_the_rows_of_the_truth(shop):
    views, stars, order, size = shop
    world = World(vips=[2])

    for first in range(0, len(order), size):
        for name in ("views", "stars"):
            getattr(world, name)(*(one for of, one in order[first : first + size] if of == name))

    assert world.rows == truth(views, stars, [2])


def test_stars_find_the_views_that_came_before_them(world):
    world.views(view(1, minutes=5), view(2, minutes=11), view(3, user=2, minutes=5))

    world.stars(star(1))

    assert pairs(world) == [("00000001", "00000001")]


def test_views_find_the_stars_that_came_before_them(world):
    world.stars(star(1))

    world.views(view(1, minutes=5), view(2, minutes=11), view(3, user=2, minutes=5))

    assert pairs(world) == [("00000001", "00000001")]


class Overtaken(TableRecentViews):
    """Lets another instance do its work between this one's writing and looking."""

    def __init__(self, tables, other):
        super().__init__(tables)
        self.other = other

    def stars_before(self, views):
        self.other()
        return super().stars_before(views)

    def views_after(self, stars):
        self.other()
        return super().views_after(stars)


@pytest.mark.parametrize("overtaken", ["views", "stars"])
def test_of_two_instances_at_once_one_at_least_finds_the_pair_and_there_is_one_row(world, overtaken):
    own, others = (view(1, minutes=5), star(1)) if overtaken == "views" else (star(1), view(1, minutes=5))
    other = world.stars if overtaken == "views" else world.views
    slow = world.instance(Overtaken(world.tables, lambda: other(others, tools=world.instance())))

    getattr(world, overtaken)(own, tools=slow)

    assert pairs(world) == [("00000001", "00000001")]


def test_the_same_batch_in_two_instances_at_once_gives_each_row_once(world):
    batch = [view(1, latency=3000, minutes=5), view(2, minutes=6)]
    world.stars(star(1))
    slow = world.instance(Overtaken(world.tables, lambda: world.views(*batch, tools=world.instance())))

    world.views(*batch, tools=slow)

    assert pairs(world) == [("00000001", "00000001"), ("00000002", "00000001")]
    assert len(world.rows["pageviews_high_latency"]) == 1


class DyingTables(FakeTables):
    """Dies at one call after others, before it has its effect or after it; then it lives."""

    def __init__(self, calls, *, after):
        super().__init__()
        self.calls, self.after, self.died = calls, after, False

    def insert_together(self, table, entities):
        self.calls -= 1
        if self.calls >= 0 or self.died:
            return super().insert_together(table, entities)
        self.died = True
        if self.after:
            super().insert_together(table, entities)
        raise Unavailable("killed")


@pytest.mark.parametrize("after", [False, True])
def test_wherever_a_worker_dies_the_batch_that_comes_again_completes_the_rows_and_repeats_none(after):
    views, stars = [view(1, latency=3000, minutes=5), view(2, user=2)], [star(1), star(2, minutes=1)]
    deaths = 0
    for calls in range(20):
        world = World(DyingTables(calls, after=after), vips=[2])
        for take, records in ((world.views, views), (world.stars, stars)):
            try:
                take(*records)
            except Unavailable:
                deaths += 1
                take(*records)

        assert world.rows == truth(views, stars, [2])
    assert deaths == 6


def test_a_view_of_an_unknown_user_raises_alerts_as_any_other(world):
    world.stars(star(1, user=99_999_999))

    counts = world.views(view(1, user=99_999_999, latency=2001))

    assert counts == {"views": 1, "pageviews_high_latency": 1, PAIR: 1}


@pytest.mark.parametrize("hours", [-2, 2])
def test_views_and_stars_of_a_clock_that_is_hours_off_find_each_other(world, hours):
    world.views(view(1, hours=hours, minutes=5))
    world.stars(star(1, hours=hours))

    assert pairs(world) == [("00000001", "00000001")]


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (Event(b"{}", 1, {"contract": "stars/1"}), "contract"),
        (Event(b"{}", 1, {"contract": "pageviews/1"}), "record"),
        (Event(b"no zstd", 1, {"contract": "pageviews/1", "encoding": "zstd", "rows": 1}), "body"),
        (events("pageviews/1", [view(5, hours=-4)])[0], "time"),
        (events("pageviews/1", [view(5, hours=4)])[0], "time"),
    ],
)
def test_what_is_no_view_of_now_is_passed_over_by_reason_and_costs_no_other(world, event, reason):
    counts = alert_of_views(world.tools, [event, *events("pageviews/1", [view(1, latency=3000)])])

    assert counts == {"views": 1, "pageviews_high_latency": 1, f"passed_over_{reason}": 1}


@pytest.mark.parametrize("stars", [0, 6])
def test_stars_that_can_not_be_are_passed_over(world, stars):
    world.views(view(1, minutes=5))

    assert world.stars(star(1, stars=stars)) == {"stars": 0, "passed_over_record": 1}
    assert pairs(world) == []


def test_a_newer_list_of_vips_counts_from_the_next_minute_on(world):
    world.list_vips(1)
    world.views(view(1, user=1), view(2, user=2))
    world.list_vips(2, edition="b")
    world.views(view(3, user=1), view(4, user=2))
    world.now += timedelta(minutes=1)

    world.views(view(5, user=1), view(6, user=2))

    assert [one["view_id"][7] for one in world.rows["pageviews_vip"]] == ["1", "3", "6"]


def test_while_there_is_no_list_nobody_is_a_vip_and_other_alerts_are_raised(world):
    world.files.files.clear()

    counts = world.views(view(1, latency=3000))
    world.list_vips(1)
    world.now += timedelta(minutes=1)

    assert counts == {"views": 1, "pageviews_high_latency": 1}
    assert world.views(view(2))["pageviews_vip"] == 1


def test_where_the_list_can_not_be_read_the_batch_comes_again_and_other_alerts_are_there(world):
    world.files.write(VIPS_PATH, "b", b"no list")

    with pytest.raises(Unavailable, match="VIPs of the web shop can't be read"):
        world.views(view(1, latency=3000))

    assert len(world.rows["pageviews_high_latency"]) == 1


def test_a_newer_list_that_can_not_be_read_leaves_the_one_before_in_use(world):
    world.list_vips(1)
    world.views(view(1))
    world.files.write(VIPS_PATH, "b", b"no list")
    world.now += timedelta(minutes=1)

    assert world.views(view(2))["pageviews_vip"] == 1


def test_no_alert_holds_personal_data_but_the_id_of_the_user(world):
    world.stars(star(1))
    world.views(view(1, latency=3000, minutes=5))

    stored = json.dumps([dict(one) for one in world.tables.query("viewalerts", Query())])
    assert not any(word in stored for word in ("192.0.2.7", "Mozilla", "/p"))
