"""The rows that lakehouse, alerting function and Stream Analytics are compared with, by examples made by hand."""

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest

from shared.feeds.shop.truth import (
    ShopRecords,
    engagements,
    first_pageviews,
    orders_that_do_not_add_up,
    pageviews_after_low_stars,
    pageviews_by_method,
    pageviews_high_latency,
    pageviews_vip,
)

ROOT = Path(__file__).parents[5]
EXAMPLE = json.loads(
    (ROOT / "tests" / "shop_analytics" / "example.json").read_text(encoding="utf-8"), parse_float=Decimal
)
CONTRACTS = {
    **{name: f"{name}.v1.schema.json" for name in ("pageviews", "stars", "orders", "items")},
    **{name: f"lookups/{name}.v1.schema.json" for name in ("users", "vip_users")},
}


def view(number=1, at="12:00:00", user=1, latency=200, method="GET"):
    viewed_at = f"2026-11-27T{at}Z"
    return {
        "view_id": f"v{number}", "viewed_at": viewed_at, "user_id": user, "http_method": method, "latency": latency
    }  # fmt: skip


def star(number=1, at="12:00:00", user=1, stars=1):
    return {"star_id": f"s{number}", "starred_at": f"2026-11-27T{at}Z", "user_id": user, "stars": stars}


def order(number, user, value):
    return {"order_id": f"o{number}", "user_id": user, "order_value": value}


def item(number, row, value=1):
    return {"order_id": f"o{number}", "row_id": row, "item_value": value}


def written(rows):
    """Write rows as the example's file has them."""
    return [{name: _written(value) for name, value in row.items()} for row in rows]


def _written(value):
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value) if isinstance(value, Decimal) else value


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_example_keeps_its_contracts(name):
    schema = json.loads((ROOT / "contracts" / CONTRACTS[name]).read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)

    assert [error.message for record in EXAMPLE[name] for error in validator.iter_errors(record)] == []


def test_the_examples_answers_are_those_that_were_worked_out_by_hand():
    views, stars, orders, items = (EXAMPLE[name] for name in ("pageviews", "stars", "orders", "items"))
    users, vips = EXAMPLE["users"], EXAMPLE["vip_users"]

    answers = {
        "pageviews_by_method": pageviews_by_method(views),
        "pageviews_high_latency": pageviews_high_latency(views, users),
        "pageviews_vip": pageviews_vip(views, vips),
        "pageviews_after_low_stars": pageviews_after_low_stars(views, stars),
        "first_pageviews": first_pageviews(views),
        "engagements": engagements(ShopRecords(views, stars, orders, items, users, vips)),
        "orders_that_do_not_add_up": orders_that_do_not_add_up(orders, items),
    }

    assert answers.keys() == EXAMPLE["expected"].keys()
    for name, rows in answers.items():
        assert written(rows) == EXAMPLE["expected"][name], name


def test_nothing_else_of_a_user_is_told_than_name_and_city():
    added = {
        frozenset(row) - frozenset(EXAMPLE["pageviews"][0]) for row in EXAMPLE["expected"]["pageviews_high_latency"]
    }

    assert added == {frozenset({"user_name", "city"})}


def test_the_order_in_which_records_come_changes_nothing():
    views, stars = EXAMPLE["pageviews"], EXAMPLE["stars"]

    assert pageviews_by_method(views[::-1]) == pageviews_by_method(views)
    assert first_pageviews(views[::-1]) == first_pageviews(views)
    assert pageviews_after_low_stars(views[::-1], stars[::-1]) == pageviews_after_low_stars(views, stars)


def test_a_bucket_has_its_beginning_and_not_its_end():
    rows = pageviews_by_method([view(1, "12:04:59.999"), view(2, "12:05:00"), view(3, "12:09:59.999")])

    assert [(row["window_start"].minute, row["pageviews"]) for row in rows] == [(0, 1), (5, 2)]


@pytest.mark.parametrize(("latency", "slow"), [(2000, 0), (2001, 1)])
def test_a_view_is_slow_above_two_seconds(latency, slow):
    assert len(pageviews_high_latency([view(latency=latency)], [])) == slow


@pytest.mark.parametrize(
    ("starred", "stars", "found"),
    [
        ("11:50:00.000", 1, 1),
        ("11:49:59.999", 1, 0),
        ("12:00:00.000", 1, 1),
        ("12:00:00.001", 1, 0),
        ("11:55:00.000", 2, 1),
        ("11:55:00.000", 3, 0),
    ],
)
def test_low_stars_count_for_ten_minutes(starred, stars, found):
    assert len(pageviews_after_low_stars([view()], [star(at=starred, stars=stars)])) == found


def test_low_stars_of_another_user_do_not_count():
    assert pageviews_after_low_stars([view()], [star(user=2)]) == []


def test_a_view_after_low_stars_twice_is_two_rows():
    rows = pageviews_after_low_stars([view()], [star(2, "11:59:00"), star(1, "11:58:00")])

    assert [(row["view_id"], row["star_id"]) for row in rows] == [("v1", "s1"), ("v1", "s2")]


def test_the_first_view_of_each_full_hour_is_found_though_it_comes_late():
    rows = first_pageviews([view(1, "12:30:00"), view(2, "12:00:00"), view(3, "11:59:59"), view(4, "12:10:00", user=2)])

    assert [(row["window_start"].hour, row["view_id"]) for row in rows] == [(11, "v3"), (12, "v2"), (12, "v4")]


def test_of_two_views_at_one_time_that_of_the_lesser_id_is_first():
    assert [row["view_id"] for row in first_pageviews([view(2), view(1)])] == ["v1"]


def test_counts_do_not_multiply():
    records = ShopRecords(
        [view(1), view(2), view(3)], [star(1, stars=1), star(2, stars=5)], [order(1, 1, "1.10"), order(2, 1, "2.20")],
        [item(1, 1), item(1, 2), item(2, 1)],
    )  # fmt: skip

    (row,) = engagements(records)

    assert (row["pageviews"], row["orders"], row["total_items"]) == (3, 2, 3)
    assert (row["total_orders_value"], row["avg_order_value"], row["avg_stars"]) == (
        Decimal("3.30"), Decimal("1.6500"), Decimal("3.0000")
    )  # fmt: skip


def test_a_mean_is_rounded_half_away_from_zero():
    orders = [order(number, 1, value) for number, value in enumerate(["0.01"] * 7999 + ["0.01"])]
    orders[0]["order_value"] = "0.41"

    (row,) = engagements(ShopRecords([], orders=orders))

    assert row["avg_order_value"] == Decimal("0.0101")


def test_a_user_who_ordered_and_never_viewed_is_there_and_items_without_their_order_count_for_nobody():
    (row,) = engagements(ShopRecords([], orders=[order(1, 5, 1.5)], items=[item(2, 1)]))

    assert (row["user_id"], row["pageviews"], row["orders"], row["total_items"]) == (5, 0, 1, 0)
    assert row["avg_stars"] is None


def test_amounts_that_json_made_floats_of_add_up_exactly():
    orders, items = [order(1, 1, 0.3)], [item(1, 1, 0.1), item(1, 2, 0.2)]

    assert orders_that_do_not_add_up(orders, items) == []


def test_drawn_records_add_up(records):
    views, stars, orders, items = (records[name] for name in ("pageviews", "stars", "orders", "items"))

    rows = engagements(ShopRecords(views, stars, orders, items))

    assert (
        sum(row["pageviews"] for row in rows) == len(views) == sum(r["pageviews"] for r in pageviews_by_method(views))
    )
    assert sum(row["orders"] for row in rows) == len(orders)
    assert sum(row["total_items"] for row in rows) == len(items)
    assert sum(row["total_orders_value"] for row in rows) == sum(one["order_value"] for one in orders)
    assert orders_that_do_not_add_up(orders, items) == []
    assert pageviews_after_low_stars(views, stars)
