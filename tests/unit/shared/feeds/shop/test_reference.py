"""The web shop's users, VIPs and products: their contracts, birth numbers, and that each follows from its number."""

import json
from datetime import date
from pathlib import Path

import jsonschema
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.feeds.shop import tables
from shared.feeds.shop.building import build
from shared.feeds.shop.feed import DEFAULTS, FEED
from shared.feeds.shop.people import birth_numbers, user_lines, vips

CONTRACTS = Path(__file__).parents[5] / "contracts" / "lookups"
REFERENCES = {one.name: one for one in FEED.references}


def numbers(first, count):
    return np.arange(first, first + count)


def rows(pool, name, first=1, count=3000, **options):
    lines = REFERENCES[name].lines(pool, numbers(first, count), DEFAULTS | options)
    return [json.loads(line) for line in lines.to_pylist()]


@pytest.mark.parametrize("name", REFERENCES)
def test_every_row_is_of_its_contract(pool, name):
    schema = json.loads((CONTRACTS / f"{name}.v1.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)

    found = rows(pool, name, count=500)

    assert [error.message for row in found for error in validator.iter_errors(row)] == []
    assert {tuple(row) for row in found} == {tuple(schema["properties"])}


@pytest.mark.parametrize("name", REFERENCES)
def test_every_row_is_a_line(pool, name):
    lines = REFERENCES[name].lines(pool, numbers(1, 500), DEFAULTS).to_pylist()

    assert all(line.endswith("\n") and line.count("\n") == 1 for line in lines)


@settings(max_examples=25, deadline=None)
@given(first=st.integers(1, 10_000_000 - 50), cut=st.integers(0, 50))
def test_a_row_is_the_same_in_whatever_part_it_is_drawn(pool, first, cut):
    for reference in FEED.references:
        options = DEFAULTS | {"SHOP_USERS": 10_000_000}
        whole = reference.lines(pool, numbers(first, 50), options)

        parts = [
            reference.lines(pool, numbers(first, cut), options),
            reference.lines(pool, numbers(first + cut, 50 - cut), options),
        ]

        assert pa.concat_arrays(parts).equals(whole)


def test_another_seed_gives_other_users(pool):
    assert user_lines(build(8), numbers(1, 5)) != user_lines(pool, numbers(1, 5))


def born(number):
    year, month, day = (int(number[at : at + 2]) for at in (0, 2, 4))
    return date(1900 + year if year >= 54 else 2000 + year, month - 50 if month > 50 else month, day)


def test_birth_numbers_are_multiples_of_eleven_and_real_days(pool):
    for row in rows(pool, "users"):
        digits = row["birth_number"].replace("/", "")
        assert int(digits) % 11 == 0
        assert tables.BORN[0] <= born(digits) < tables.BORN[1]


def test_women_have_fifty_added_to_the_month(pool):
    women = set(pool.columns["first_female"].to_pylist()) - set(pool.columns["first_male"].to_pylist())
    men = set(pool.columns["first_male"].to_pylist()) - set(pool.columns["first_female"].to_pylist())
    months = {"women": set(), "men": set()}

    for row in rows(pool, "users"):
        first, month = row["name"].split()[0], int(row["birth_number"][2:4])
        if first in women | men:
            months["women" if first in women else "men"].add(month)

    assert months == {"women": set(range(51, 63)), "men": set(range(1, 13))}


def test_a_serial_number_whose_tenth_digit_would_be_ten_is_not_given():
    drawn = np.zeros(2_000, np.dtype([("day", "<u4"), ("serial", "<u4")]))
    drawn["serial"] = np.arange(2_000) * (2**32 // 2_000)

    found = birth_numbers(drawn, np.zeros(2_000, bool)).to_pylist()

    assert all(int(one.replace("/", "")) % 11 == 0 and len(one) == 11 for one in found)
    assert any(int(f"{int(one[:6]):06}{one[7:10]}") % 11 == 0 and one[-1] == "0" for one in found)


def test_user_names_are_plain_and_each_has_one_user(pool):
    names = [row["user_name"] for row in rows(pool, "users")]

    assert len(set(names)) == len(names)
    assert all(name.isascii() and name.isalnum() for name in names)


def test_cities_lie_in_their_region(pool):
    regions = {city: region for region, _, cities in tables.PLACES for city in cities}

    found = rows(pool, "users")

    assert all(regions[row["city"]] == row["administrative_unit"] for row in found)
    assert {row["administrative_unit"] for row in found} == {region for region, _, _ in tables.PLACES}


@pytest.mark.parametrize("users", [1, 2, 3, 7, 12, 100, 9_973, 10_000])
def test_all_users_can_be_vips_and_each_once(users):
    assert sorted(vips(numbers(1, users), users).tolist()) == list(range(1, users + 1))


def test_vips_are_spread_over_all_users():
    found = np.sort(vips(numbers(1, 500), 10_000))

    assert np.diff(found).max() < 100


@pytest.mark.parametrize(
    ("name", "options", "size"),
    [
        ("users", {"SHOP_USERS": 5}, 5),
        ("vip_users", {"SHOP_VIPS": 3}, 3),
        ("vip_users", {"SHOP_USERS": 5, "SHOP_VIPS": 9}, 5),
        ("products", {"SHOP_PRODUCTS": 7}, 7),
    ],
)
def test_there_are_as_many_as_the_settings_say(name, options, size):
    assert REFERENCES[name].size(DEFAULTS | options) == size


def test_all_that_views_and_orders_name_is_there(pool, records):
    users = {row["id"] for row in rows(pool, "users", count=10_000)}
    products = {row["id"] for row in rows(pool, "products", count=1_000)}

    assert {row["user_id"] for stream in ("pageviews", "stars", "orders") for row in records[stream]} <= users
    assert {row["product_id"] for row in records["items"]} <= products
    assert {row["id"] for row in rows(pool, "vip_users", count=500)} <= users
