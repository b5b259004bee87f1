"""Microsoft's own client follows what changes, as the pull model does."""

import itertools

import pytest
from azure.cosmos.exceptions import CosmosHttpResponseError

RUNS = itertools.count()


@pytest.fixture
def run():
    return f"run-{next(RUNS)}"


async def read(container, run, **where):
    """Read the feed to its end; gives this run's changes by their partition key, and where to go on."""
    found, token = [], None
    pages = container.query_items_change_feed(max_item_count=3, **where).by_page()
    async for page in pages:
        found += [row async for row in page]
    token = container.client_connection.last_response_headers["etag"]
    return [row for row in found if row["run"] == run], token


async def test_the_latest_versions_come_in_the_order_of_writing_of_each_partition(container, run):
    for n in range(12):
        await container.upsert_item({"id": str(n % 8), "country": f"{run}-{n % 3}", "run": run, "n": n})

    found, _ = await read(container, run, start_time="Beginning")

    latest = {(f"{run}-{n % 3}", str(n % 8)): n for n in range(12)}
    assert {(row["country"], row["id"]): row["n"] for row in found} == latest
    for country in {row["country"] for row in found}:
        numbers = [row["n"] for row in found if row["country"] == country]
        assert numbers == sorted(numbers)
    assert all(row["_lsn"] > 0 for row in found)


async def test_a_reader_that_was_restarted_goes_on_where_it_was(stage, container, run):
    for n in range(7):
        await container.upsert_item({"id": str(n), "country": f"{run}-{n}", "run": run, "n": 0})
    first, token = await read(container, run, start_time="Beginning")
    await container.upsert_item({"id": "3", "country": f"{run}-3", "run": run, "n": 1})
    await container.upsert_item({"id": "new", "country": f"{run}-1", "run": run, "n": 2})

    async with stage.client() as another:
        later, token = await read(stage.container(another), run, continuation=token)
        nothing, _ = await read(stage.container(another), run, continuation=token)

    assert len(first) == 7
    assert {(row["id"], row["n"]) for row in later} == {("3", 1), ("new", 2)}
    assert nothing == []


async def test_each_physical_partition_has_a_feed_of_its_own(container, run):
    for n in range(20):
        await container.upsert_item({"id": str(n), "country": f"{run}-{n}", "run": run})

    ranges = [each async for each in container.read_feed_ranges()]
    parts = [await read(container, run, start_time="Beginning", feed_range=each) for each in ranges]

    assert len(ranges) == 3
    assert sorted(row["id"] for found, _ in parts for row in found) == sorted(map(str, range(20)))
    assert all(found for found, _ in parts)


async def test_a_partition_key_has_a_feed_of_its_own(container, run):
    for n in range(6):
        await container.upsert_item({"id": str(n), "country": f"{run}-{n % 2}", "run": run})

    found, _ = await read(container, run, start_time="Beginning", partition_key=f"{run}-1")

    assert [row["id"] for row in found] == ["1", "3", "5"]


async def test_a_feed_from_now_on_holds_nothing_of_before(container, run):
    await container.upsert_item({"id": "old", "country": run, "run": run})
    before, token = await read(container, run, start_time="Now")
    await container.upsert_item({"id": "new", "country": run, "run": run})

    after, _ = await read(container, run, continuation=token)

    assert (before, [row["id"] for row in after]) == ([], ["new"])


async def test_all_versions_are_refused_by_name(container):
    with pytest.raises(CosmosHttpResponseError, match="no feed but") as refused:
        await read(container, "", mode="AllVersionsAndDeletes")

    assert refused.value.status_code == 501


def test_a_continuation_of_an_earlier_start_is_refused_by_name(stage):
    headers = {"A-IM": "Incremental feed", "x-ms-documentdb-partitionkeyrangeid": "0", "If-None-Match": '"17"'}

    got = stage.ask("GET", "/dbs/shop/colls/orders/docs", stage.token("Receiver"), headers=headers)

    assert got.status_code == 400
    assert "earlier start" in got.json()["message"]
