"""The web shop's users and VIPs as lookups: what the lake has of them, without what is personal."""

import json
from datetime import UTC, datetime, timedelta
from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest

from shared.clients.storage.fake import FakeReference
from shared.domain.windows.window import Window
from shared.errors import FeedUnusable
from shared.feeds.shop.building import build
from shared.feeds.shop.feed import DEFAULTS, FEED
from shared.flows.lookups import LookupTools, provide, reference_makers

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
WINDOWS = [Window("shop", at, at + timedelta(minutes=10)) for at in (NOON, NOON + timedelta(minutes=10))]
OPTIONS = DEFAULTS | {"SHOP_USERS": 5_000, "SHOP_VIPS": 3}


@pytest.fixture(scope="module")
def pool():
    return build(7)


@pytest.fixture
def reference():
    return FakeReference(lambda: NOON)


def given(reference, pool, name, window=WINDOWS[0], **options):
    makers = reference_makers(FEED, OPTIONS | options, lambda name, source: SimpleNamespace(pool=pool))
    path, note = provide(LookupTools(reference, makers), name, window)
    assert note == ""
    return path, pq.read_table(BytesIO(reference.read(path)))


def test_the_lookups_of_the_shop_are_those_that_its_tables_take(pool):
    assert FEED.lookups == tuple(reference_makers(FEED, OPTIONS, lambda name, source: None)) == ("users", "vip_users")


def test_users_are_those_of_the_lake_without_what_is_personal(reference, pool):
    (of_lake,) = [one for one in FEED.references if one.name == "users"]

    _, rows = given(reference, pool, "users")

    lines = [json.loads(line) for line in of_lake.lines(pool, np.arange(1, 5_001), OPTIONS).to_pylist()]
    columns = ["id", "city", "user_name", "administrative_unit", "jobs"]
    assert rows.to_pylist() == [{name: line[name] for name in columns} for line in lines]


def test_all_windows_have_one_file_till_it_would_be_drawn_from_something_else(reference, pool):
    first, second = (given(reference, pool, "users", window)[0] for window in WINDOWS)
    other, rows = given(reference, pool, "users", SHOP_USERS=10)

    assert first == second != other
    assert len(rows) == 10


def test_where_nothing_can_be_drawn_the_newest_file_is_given_and_why(reference):
    def fails(name, source):
        raise FeedUnusable("no pool")

    reference.add("users/former.parquet", b"PAR1")

    path, note = provide(LookupTools(reference, reference_makers(FEED, OPTIONS, fails)), "users", WINDOWS[0])

    assert path == "users/former.parquet"
    assert "no pool" in note


@pytest.mark.parametrize(("vips", "found"), [(3, 3), (0, 0)])
def test_a_shop_without_vips_has_a_lookup_without_rows(reference, pool, vips, found):
    _, rows = given(reference, pool, "vip_users", SHOP_VIPS=vips)

    assert (len(rows), str(rows.schema.field("id").type)) == (found, "int64")
