"""What the lakehouse must hold of the web shop's records: worked out record by record, without Spark.

It is written for its reader, not for speed: the rows that Spark makes, and the alerts that a function raises, are
compared with these, one by one. Records are given as the contracts have them, in any order; those that were sent twice
count once. A bucket of time has its beginning and not its end. All rows are given in the order of their key.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from shared.domain.view_alerts import AFTER_LOW_STARS, LOW_STARS, SLOW

type Facts = Mapping[str, Any]
"""A record of a stream, or a row of reference data."""

type TruthRow = dict[str, Any]

BY_METHOD: Final = timedelta(minutes=5)
FIRST_IN: Final = timedelta(minutes=60)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACES = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class ShopRecords:
    """The records of some windows, and the reference data beside them."""

    pageviews: Sequence[Facts]
    stars: Sequence[Facts] = ()
    orders: Sequence[Facts] = ()
    items: Sequence[Facts] = ()
    users: Sequence[Facts] = ()
    vip_users: Sequence[Facts] = ()


def pageviews_by_method(pageviews: Iterable[Facts]) -> list[TruthRow]:
    """Count views by method in buckets of five minutes; key: window_start, http_method."""
    counts = Counter((_bucket(one["viewed_at"], BY_METHOD), one["http_method"]) for one in _unique(pageviews))
    return [
        {"window_start": start, "http_method": method, "pageviews": count}
        for (start, method), count in sorted(counts.items())
    ]


def pageviews_high_latency(pageviews: Iterable[Facts], users: Iterable[Facts]) -> list[TruthRow]:
    """Give the slow views with the user's name and city, null where the user is unknown; key: view_id."""
    known = {one["id"]: one for one in users}
    return [
        dict(one) | {name: known.get(one["user_id"], {}).get(name) for name in ("user_name", "city")}
        for one in _unique(pageviews)
        if one["latency"] > SLOW
    ]


def pageviews_vip(pageviews: Iterable[Facts], vip_users: Iterable[Facts]) -> list[TruthRow]:
    """Give the views of VIPs; key: view_id."""
    vips = {one["id"] for one in vip_users}
    return [dict(one) for one in _unique(pageviews) if one["user_id"] in vips]


def pageviews_after_low_stars(pageviews: Iterable[Facts], stars: Iterable[Facts]) -> list[TruthRow]:
    """Give each view with each time its user gave low stars in the ten minutes up to it; key: view_id, star_id.

    Stars that were given at the very moment of the view, or ten minutes before to the millisecond, are in.
    """
    low: defaultdict[int, list[Facts]] = defaultdict(list)
    for one in {one["star_id"]: one for one in stars}.values():
        if one["stars"] < LOW_STARS:
            low[one["user_id"]].append(one)
    return [
        dict(view) | {name: star[name] for name in ("star_id", "starred_at", "stars")}
        for view in _unique(pageviews)
        for star in sorted(low[view["user_id"]], key=lambda star: str(star["star_id"]))
        if timedelta() <= _instant(view["viewed_at"]) - _instant(star["starred_at"]) <= AFTER_LOW_STARS
    ]


def first_pageviews(pageviews: Iterable[Facts]) -> list[TruthRow]:
    """Give each user's first view of each hour; of two at one time that of the lesser view_id.

    Key: window_start, user_id. Hours begin at full hours, as those of Stream Analytics' ISFIRST do.
    """
    first: dict[tuple[datetime, int], Facts] = {}
    for one in sorted(_unique(pageviews), key=lambda one: (_instant(one["viewed_at"]), one["view_id"])):
        first.setdefault((_bucket(one["viewed_at"], FIRST_IN), one["user_id"]), one)
    return [{"window_start": start} | dict(one) for (start, _), one in sorted(first.items())]


def engagements(records: ShopRecords) -> list[TruthRow]:
    """Give what each user did who viewed, starred or ordered anything; key: user_id.

    Each kind of record is counted by itself before the counts meet, so that nothing multiplies. Items count for the
    user of their order; those of an order that is not there count for nobody. Means have four places, a half away from
    zero, and are null of nothing; so are name and city of a user who is unknown.
    """
    known = {one["id"]: one for one in records.users}
    vips = {one["id"] for one in records.vip_users}
    orders = {one["order_id"]: one for one in records.orders}
    items = {(one["order_id"], one["row_id"]) for one in records.items}
    views = Counter(one["user_id"] for one in _unique(records.pageviews))
    items_of = Counter(orders[order]["user_id"] for order, _ in items if order in orders)
    values, stars = _values_by_user(orders.values()), _stars_by_user(records.stars)
    return [
        {
            "user_id": user,
            "user_name": known.get(user, {}).get("user_name"),
            "city": known.get(user, {}).get("city"),
            "pageviews": views[user],
            "orders": len(values[user]),
            "total_orders_value": sum(values[user], Decimal("0.00")),
            "avg_order_value": _mean(values[user]),
            "total_items": items_of[user],
            "avg_stars": _mean(stars[user]),
            "is_vip": user in vips,
        }
        for user in sorted(views.keys() | values.keys() | stars.keys())
    ]


def orders_that_do_not_add_up(orders: Iterable[Facts], items: Iterable[Facts]) -> list[TruthRow]:
    """Give the orders whose items are worth something else, or that have none; key: order_id.

    No contract can refuse them, for each record is right by itself.
    """
    sums: defaultdict[str, Decimal] = defaultdict(lambda: Decimal("0.00"))
    for one in {(one["order_id"], one["row_id"]): one for one in items}.values():
        sums[one["order_id"]] += _money(one["item_value"])
    unique = {one["order_id"]: one for one in orders}
    return [
        {"order_id": name, "order_value": _money(one["order_value"]), "items_value": sums[name]}
        for name, one in sorted(unique.items())
        if sums[name] != _money(one["order_value"])
    ]


def _unique(pageviews: Iterable[Facts]) -> list[Facts]:
    """Give each view once, in the order of view_id."""
    return [one for _, one in sorted({one["view_id"]: one for one in pageviews}.items())]


def _values_by_user(orders: Iterable[Facts]) -> defaultdict[int, list[Decimal]]:
    values: defaultdict[int, list[Decimal]] = defaultdict(list)
    for one in orders:
        values[one["user_id"]].append(_money(one["order_value"]))
    return values


def _stars_by_user(stars: Iterable[Facts]) -> defaultdict[int, list[Decimal]]:
    given: defaultdict[int, list[Decimal]] = defaultdict(list)
    for one in {one["star_id"]: one for one in stars}.values():
        given[one["user_id"]].append(Decimal(one["stars"]))
    return given


def _money(value: Decimal | float | str) -> Decimal:
    """Read an amount exactly; JSON's own reader would have made a float of it, whose text still has its digits."""
    return Decimal(str(value)).quantize(Decimal("0.01"))


def _mean(values: Sequence[Decimal]) -> Decimal | None:
    return (sum(values, Decimal()) / len(values)).quantize(_PLACES, ROUND_HALF_UP) if values else None


def _bucket(text: str, length: timedelta) -> datetime:
    instant = _instant(text)
    return instant - (instant - _EPOCH) % length


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
