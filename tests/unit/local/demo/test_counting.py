"""What is read back of a window's streams, by where they go."""

import sqlite3
from contextlib import closing

import pytest

from emulators.entra.identities import make_identities
from local.demo.counting import Destinations
from local.demo.verification import Record
from local.platform.running import Running
from local.platform.state import State

WINDOW = {"id": "shop-20261122T120000Z"}
PAGEVIEWS = {"name": "pageviews", "contract": "pageviews/1", "destination": "hub", "hub": "views"}


@pytest.fixture
def destinations(tmp_path):
    state = State(tmp_path)
    with closing(sqlite3.connect(state.sql)) as connection, connection:
        connection.execute("CREATE TABLE orders (order_id TEXT)")
        connection.execute("INSERT INTO orders VALUES ('a'), ('b')")
    return Destinations(Running(state, make_identities(), {}, {}))


async def test_a_stream_that_goes_to_sql_has_the_rows_of_its_table(destinations):
    found = await destinations.records(
        WINDOW, {"name": "orders", "contract": "orders/1", "destination": "sql", "hub": ""}
    )

    assert [record.key for record in found] == [("a",), ("b",)]


async def test_a_stream_that_goes_to_a_hub_has_what_this_window_brought_there(destinations):
    ours, others = (Record(f"shop-20261122T12{minute}00Z/0.1", (minute,)) for minute in ("00", "10"))
    destinations.read["views"] = [ours, others]

    assert await destinations.records(WINDOW, PAGEVIEWS) == [ours]


async def test_a_stream_that_goes_to_the_lake_can_not_be_read_back(destinations):
    assert await destinations.records(WINDOW, PAGEVIEWS | {"destination": "lake_ndjson", "hub": ""}) is None
