import json
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts import load_lookup_columns
from shared.feeds.gps import tables
from shared.feeds.gps.building import build
from shared.feeds.gps.places import PROMOTIONS, STORES, lookup
from shared.feeds.lookup_files import broken_columns
from shared.promotions.places import Places
from tests.architecture.tree import text

DAY = date(2026, 11, 27)
KNOWN = ["London", "Piccadilly", "Amersham", "Borough", "Greenwich", "Paddington", "Rochester", "Rainham"]


@pytest.fixture(scope="module")
def stores(pool):
    return lookup(STORES, pool, DAY).to_pylist()


@pytest.fixture(scope="module")
def promotions(pool):
    return lookup(PROMOTIONS, pool, DAY).to_pylist()


@pytest.mark.parametrize("name", [STORES, PROMOTIONS])
def test_columns_and_types_are_those_of_the_contract(pool, name):
    assert list(broken_columns(lookup(name, pool, DAY), load_lookup_columns(name))) == []


@pytest.mark.parametrize("name", [STORES, PROMOTIONS])
def test_every_row_is_of_the_contract(pool, name):
    contract = json.loads(text(f"contracts/lookups/{name}.v1.schema.json"))
    validator = jsonschema.Draft202012Validator(contract)
    table = lookup(name, pool, DAY)

    breaches = [
        error.message
        for row in json.loads(json.dumps(table.to_pylist(), default=str))
        for error in validator.iter_errors(row)
    ]

    assert breaches == []
    assert len(set(table[contract["x-key"][0]].to_pylist())) == len(table)


def test_there_are_the_eight_known_stores_and_a_thousand_drawn_ones(stores):
    assert [store["location"] for store in stores[:8]] == KNOWN
    assert len(stores) == 8 + tables.DRAWN_STORES


def test_the_known_stores_lie_in_their_own_towns(stores):
    places = {(store["latitude"], store["longitude"]) for store in stores[:8]}

    assert len(places) == 8
    assert all(51.3 < latitude < 51.7 and -0.7 < longitude < 0.6 for latitude, longitude in places)


def test_the_known_stores_keep_their_percents_and_are_never_without_a_promotion(pool):
    for day in range(0, 90, 3):
        rows = lookup(PROMOTIONS, pool, DAY + timedelta(days=day)).to_pylist()
        noon = datetime.combine(DAY + timedelta(days=day), time(12), UTC)
        valid = {
            row["store_id"]: row["discount_percent"] for row in rows if row["valid_from"] <= noon < row["valid_to"]
        }
        assert [valid[f"store-{number:04d}"] for number in range(1, 9)] == [30, 20, 40, 20, 50, 50, 60, 25]


def test_drawn_stores_lie_around_their_high_street(stores):
    middles = {name: (latitude, longitude) for name, latitude, longitude in tables.STREETS}
    for store in stores[8:]:
        latitude, longitude = middles[store["location"]]
        if store["latitude"] is not None:
            assert abs(store["latitude"] - latitude) * 111_195 <= 601
            assert abs(store["longitude"] - longitude) * 111_195 * tables.EAST_SHARE <= 601


def test_a_store_without_a_position_is_in_the_file_and_left_out_of_the_index_by_name(pool, stores):
    unplaced = [store["store_id"] for store in stores if store["latitude"] is None]

    places = Places(lookup(STORES, pool, DAY), lookup(PROMOTIONS, pool, DAY))

    assert len(unplaced) == 5
    assert places.left_out == dict.fromkeys(unplaced, "it has no position on the globe")


@settings(max_examples=30, deadline=None)
@given(day=st.dates(date(2018, 1, 1), date(2060, 1, 1)))
def test_a_days_file_has_every_promotion_that_is_valid_in_that_local_day(pool, day):
    around = [lookup(PROMOTIONS, pool, day + timedelta(days=by)).to_pylist() for by in (-1, 0, 1)]
    begins, ends = (datetime.combine(one, time(), ZoneInfo(tables.ZONE)) for one in (day, day + timedelta(days=1)))

    rows = {row["promotion_id"]: row for row in around[1]}

    for row in (row for rows in around for row in rows):
        if row["valid_from"] < ends and row["valid_to"] > begins:
            assert rows[row["promotion_id"]] == row


def test_the_promotions_of_a_store_follow_one_another(pool):
    seen = {row["promotion_id"]: row for by in range(60) for row in rows_on(pool, by)}
    of_one = sorted((row["valid_from"], row["valid_to"]) for row in seen.values() if row["store_id"] == "store-0009")

    assert len(of_one) >= 2
    assert all(one[1] <= after[0] for one, after in pairwise(of_one))


def rows_on(pool, by):
    return lookup(PROMOTIONS, pool, DAY + timedelta(days=by)).to_pylist()


def test_hours_and_percents_are_those_of_the_tables(promotions):
    assert {(row["opens"], row["closes"]) for row in promotions} == {hours[:2] for hours in tables.HOURS}
    assert {row["discount_percent"] for row in promotions} >= set(tables.PERCENTS)
    assert {row["promotion_type"] for row in promotions} == set(tables.KINDS)


@pytest.mark.parametrize("name", [STORES, PROMOTIONS])
def test_a_day_always_has_the_same_rows(pool, name):
    assert lookup(name, pool, DAY).equals(lookup(name, build(7), DAY))


def test_another_seed_has_other_stores(pool, stores):
    other = lookup(STORES, build(8), DAY).to_pylist()

    assert other[:8] == stores[:8]
    assert sum(one == another for one, another in zip(other[8:], stores[8:], strict=True)) < 10
