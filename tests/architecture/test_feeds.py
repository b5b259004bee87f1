"""A feed is a value: a new one needs its module, its line in the catalogue and its contracts, and nothing else."""

import ast
import json

import numpy as np
import pyarrow as pa
import pytest

from shared import contracts
from shared.contracts import load_contract
from shared.feeds.catalogue import FEEDS
from shared.feeds.drawing.identifiers import identifiers, seed_of
from shared.feeds.drawing.lines import ndjson, text_column
from shared.feeds.drawing.pool import Pool
from shared.feeds.drawing.timestamps import grid
from shared.feeds.feed import Drawn, Feed, Stream
from tests.architecture.app_on_fakes import App
from tests.architecture.tree import modules, syntax, text

# Where a feed's own name belongs: its module or package, and the line of the catalogue.
ROOMS = {
    "trades": ("shared/trades/", "shared/feeds/trades.py", "shared/feeds/catalogue.py"),
    "call_centre": ("shared/feeds/call_centre/", "shared/feeds/catalogue.py"),
    "gps": ("shared/feeds/gps/", "shared/feeds/catalogue.py"),
    "payments": ("shared/feeds/payments/", "shared/feeds/catalogue.py"),
    "shop": ("shared/feeds/shop/", "shared/feeds/catalogue.py"),
}
PAGEVIEWS = {
    "x-key": ["view"],
    "x-partition-key": "user",
    "required": ["view", "user", "seen"],
    "properties": {
        "view": {"type": "string"},
        "user": {"type": "string"},
        "seen": {"type": "string", "format": "date-time"},
    },
}
STARS = {
    "x-key": ["view"],
    "x-partition-key": "user",
    "required": ["view", "user", "stars"],
    "properties": {"view": {"type": "string"}, "user": {"type": "string"}, "stars": {"type": "integer"}},
}


def build(seed, progress):
    return Pool(1, {"users": pa.array([f"user-{number}" for number in range(20)])})


def draw(pool):
    """Draw page views, and a star for each fifth of them: both from the same positions."""

    def at(position):
        numbers = np.arange(position.first, position.first + position.count)
        ids = identifiers(seed_of("shop", position.window_id, position.slice_number), numbers.astype(np.uint64))
        views = {
            "view": text_column(ids),
            "user": pool.columns["users"].take(pa.array(numbers % 20)),
            "seen": pa.array(grid(position.start, position.rate, position.first, position.count), pa.timestamp("us")),
        }
        starred = pa.array(numbers % 5 == 0)
        stars = {name: views[name].filter(starred) for name in ("view", "user")}
        stars["stars"] = pa.array(numbers % 6, pa.int64()).filter(starred)
        return {
            "pageviews": ndjson(pa.record_batch(views), load_contract("pageviews/1")),
            "stars": ndjson(pa.record_batch(stars), load_contract("stars/1")),
        }

    return at


SHOP = Feed(
    name="shop",
    streams=(Stream("pageviews/1"), Stream("stars/1")),
    source=Drawn(1, build, draw),
    rate=100,
    lookups=("products",),
)


@pytest.fixture
def shop(tmp_path, monkeypatch):
    folder = tmp_path / "contracts"
    folder.mkdir()
    for stream, contract in (("pageviews", PAGEVIEWS), ("stars", STARS)):
        (folder / f"{stream}.v1.schema.json").write_text(json.dumps(contract))
    monkeypatch.setattr(contracts, "FOLDER", folder)
    load_contract.cache_clear()
    yield App(SHOP, tmp_path / "pools", STARS_HUB="shop-stars")
    load_contract.cache_clear()


async def test_every_stream_of_a_drawn_feed_arrives_and_is_counted(shop):
    plan = shop.claim()

    state = await shop.run(plan)

    assert state == "closed"
    assert {hub: len(events) for hub, events in shop.hubs.received.items()} == {"pageviews": 1000, "shop-stars": 200}
    assert shop.counts(plan) == {"pageviews": (1000, 1000), "stars": (200, 200)}


async def test_records_of_different_streams_that_belong_together_share_their_keys(shop):
    await shop.run(shop.claim())

    views, stars = (
        {record["view"]: record["user"] for record in shop.records(hub)} for hub in ("pageviews", "shop-stars")
    )
    assert stars.items() <= views.items()


async def test_a_second_try_draws_the_same_records(shop, tmp_path):
    other = App(SHOP, tmp_path / "elsewhere", STARS_HUB="shop-stars")

    await shop.run(shop.claim())
    await other.run(other.claim())

    for hub in ("pageviews", "shop-stars"):
        assert other.records(hub) == shop.records(hub)


def test_the_catalogue_names_the_feeds_that_this_test_knows():
    assert {feed.name for feed in FEEDS} == set(ROOMS)


@pytest.mark.parametrize("feed", sorted(ROOMS))
def test_a_feeds_name_stands_in_its_own_rooms_alone(feed):
    found = [
        f"{name}:{node.lineno}"
        for name in modules("shared", "blueprints", "function_app.py")
        if not name.startswith(ROOMS[feed])
        for node in ast.walk(syntax(name))
        if isinstance(node, ast.Constant) and node.value == feed
    ]

    assert found == []


def test_nobody_takes_a_plans_first_stream_for_all_of_them():
    taken = [name for name in modules("shared", "blueprints") if "streams[0]" in text(name)]

    assert taken == []
