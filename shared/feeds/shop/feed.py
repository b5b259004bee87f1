"""The feed of a web shop: views of its pages, stars, orders and their items, and its users and products."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import numpy as np

from shared.domain.setting import Setting, WholeNumber
from shared.feeds.drawing.blocks import check_position
from shared.feeds.drawing.identifiers import identifiers, seed_of
from shared.feeds.drawing.pool import Pool
from shared.feeds.feed import Drawn, DrawnReference, Feed, Position, SqlTable, Stream
from shared.feeds.records import Records
from shared.feeds.shop import tables
from shared.feeds.shop.building import VERSION, build
from shared.feeds.shop.people import user_lines, vip_lines
from shared.feeds.shop.products import product_lines
from shared.feeds.shop.views import Orders, Views
from shared.feeds.shop.writing import NOTHING, Writer, write_items, write_orders, write_stars
from shared.feeds.slicing import StreamRecords

PAGEVIEWS, STARS = Stream("pageviews/1"), Stream("stars/1")
ITEMS, ORDERS = Stream("items/1", SqlTable()), Stream("orders/1", SqlTable())

_NAME = "shop"
VIPS_PATH: Final = "vip_users/vip_users.json"
USERS = Setting("SHOP_USERS", WholeNumber(1, tables.MOST_USERS), str(tables.USERS), "How many users the web shop has.")
VIPS = Setting(
    "SHOP_VIPS",
    WholeNumber(0, tables.MOST_USERS),
    str(tables.VIPS),
    "How many of the users are VIPs; all of them where there are no more.",
)
PRODUCTS = Setting(
    "SHOP_PRODUCTS", WholeNumber(1, tables.MOST_PRODUCTS), str(tables.PRODUCTS), "How many products the web shop has."
)
ORDERED = Setting(
    "SHOP_ORDERS", WholeNumber(0, 1000), str(tables.ORDERS), "After how many of 1,000 views something is ordered."
)
STARRED = Setting(
    "SHOP_STARS", WholeNumber(0, 1000), str(tables.STARRED), "In how many of 1,000 sessions stars are given."
)
SETTINGS = (USERS, VIPS, PRODUCTS, ORDERED, STARRED)
DEFAULTS = {one.name: one.read(one.default or "") for one in SETTINGS}


class Shop:
    """Draws views, stars, orders and items. Immutable; may be used by any number of threads."""

    def __init__(self, pool: Pool) -> None:
        """Draw from this pool, whose fingerprint belongs to the plan of every window drawn from it."""
        self._writer = Writer(pool)

    def draw(self, at: Position) -> StreamRecords:
        """Give the views at a position, and the stars and orders that follow one of these views.

        Items come before their orders: whoever sees an order finds its items. Raises ValueError as `check_position`
        says.
        """
        check_position(at.first, at.count, at.rate)
        options = {**DEFAULTS, **at.options}
        seed = seed_of(_NAME, at.window_id, at.slice_number)
        views = Views.of(seed, np.arange(at.first, at.first + at.count), at.start, at.rate)
        users = views.users(options[USERS.name])
        return {
            PAGEVIEWS.name: self._writer.views(views, users, _ids("view", seed, views.numbers)),
            STARS.name: _stars(seed, views, users, options[STARRED.name]),
            **_orders(seed, views, users, options),
        }


def _stars(slice_seed: bytes, views: Views, users: np.ndarray, per_thousand: int) -> Records:
    """Draw the stars that are given after some of the views; users: of each view."""
    starred = views.sessions.with_stars(per_thousand)
    if not starred.size:
        return NOTHING
    return write_stars(views, starred, users, _ids("star", slice_seed, views.numbers.take(starred)))


def _orders(slice_seed: bytes, views: Views, users: np.ndarray, options: Mapping[str, Any]) -> StreamRecords:
    """Draw what is ordered after some of the views; users: of each view."""
    after = views.with_order(options[ORDERED.name])
    if not after.size:
        return {ITEMS.name: NOTHING, ORDERS.name: NOTHING}
    orders = Orders.of(slice_seed, views.numbers.take(after), options[PRODUCTS.name])
    times, ids = views.later(after, tables.ORDERING), _ids("order", slice_seed, views.numbers.take(after))
    return {
        ITEMS.name: write_items(orders, times, ids),
        ORDERS.name: write_orders(orders, times, users.take(after), ids),
    }


def _ids(kind: str, slice_seed: bytes, numbers: np.ndarray) -> np.ndarray:
    """Give the ids of what belongs to the views with these numbers, as V36."""
    seed = seed_of(_NAME, kind, slice_seed.hex())
    ids: np.ndarray = identifiers(seed, numbers.astype(np.uint64)).view("V36").reshape(-1)
    return ids


FEED = Feed(
    name=_NAME,
    streams=(PAGEVIEWS, STARS, ITEMS, ORDERS),
    source=Drawn(VERSION, build, draw=lambda pool: Shop(pool).draw),
    every=timedelta(minutes=10),
    length=timedelta(minutes=10),
    rate=20,
    lookups=("users", "vip_users"),
    references=(
        DrawnReference(
            "users",
            "users/users.json",
            (USERS.name,),
            lambda options: options[USERS.name],
            lambda pool, numbers, _: user_lines(pool, numbers),
        ),
        DrawnReference(
            "vip_users",
            VIPS_PATH,
            (USERS.name, VIPS.name),
            lambda options: min(options[VIPS.name], options[USERS.name]),
            lambda _, numbers, options: vip_lines(numbers, options[USERS.name]),
        ),
        DrawnReference(
            "products",
            "products/product_{number}.json",
            (),
            lambda options: options[PRODUCTS.name],
            lambda pool, numbers, _: product_lines(pool, numbers),
        ),
    ),
    settings=SETTINGS,
)
