"""Microsoft's own client writes, reads and queries."""

import asyncio
import itertools

import pytest
from azure.cosmos import PartitionKey
from azure.cosmos.exceptions import CosmosBatchOperationError, CosmosHttpResponseError

RUNS = itertools.count()


@pytest.fixture
def country():
    """A partition key that no other test has."""
    return f"land-{next(RUNS)}"


def item(name, country, **more):
    return {"id": name, "country": country, **more}


async def status_of(action):
    with pytest.raises(CosmosHttpResponseError) as refused:
        await action
    return refused.value.status_code, refused.value.sub_status or 0


async def ids_of(container, country):
    return [row["id"] async for row in container.query_items("SELECT * FROM c", partition_key=country)]


async def test_an_item_is_made_then_replaced_and_read(container, country):
    made = await container.upsert_item(item("1", country, n=1))
    replaced = await container.upsert_item(item("1", country, n=2))

    read = await container.read_item("1", country)

    assert (made["n"], replaced["n"], read["n"]) == (1, 2, 2)
    assert made["_etag"] != replaced["_etag"] == read["_etag"]
    assert read.get_response_headers()["x-ms-request-charge"] == "1"


async def test_a_write_is_charged_by_its_size(container, country):
    small = await container.upsert_item(item("s", country))
    large = await container.upsert_item(item("l", country, text="x" * 10_000))

    charges = [each.get_response_headers()["x-ms-request-charge"] for each in (small, large)]
    assert charges == ["5", "50"]


async def test_a_batch_is_written_whole_and_charged_as_its_items_are(container, country):
    operations = [("upsert", (item(str(n), country, n=n),)) for n in range(100)]

    written = await container.execute_item_batch(operations, country)

    assert [each["statusCode"] for each in written] == [201] * 100
    assert written.get_response_headers()["x-ms-request-charge"] == "500"
    rows = [row["n"] async for row in container.query_items("SELECT * FROM c", partition_key=country)]
    assert sorted(rows) == list(range(100))


async def test_of_a_batch_with_one_bad_item_nothing_is_written(container, country):
    operations = [("upsert", (item(name, country),)) for name in ("1", "2/3", "4")]

    with pytest.raises(CosmosBatchOperationError) as refused:
        await container.execute_item_batch(operations, country)

    assert (refused.value.error_index, refused.value.status_code) == (1, 400)
    assert [each["statusCode"] for each in refused.value.operation_responses] == [424, 400, 424]
    assert [row async for row in container.query_items("SELECT * FROM c", partition_key=country)] == []


async def test_batches_that_are_too_long_or_of_something_else_are_refused(container, country):
    long = [("upsert", (item(str(n), country),)) for n in range(101)]

    assert await status_of(container.execute_item_batch(long, country)) == (400, 0)
    assert await status_of(container.execute_item_batch([("create", (item("1", country),))], country)) == (501, 0)


async def test_an_item_is_refused_by_another_partition_key_than_its_own(container, country):
    refused = container.execute_item_batch([("upsert", (item("1", "elsewhere"),))], country)

    with pytest.raises(CosmosBatchOperationError) as caught:
        await refused
    assert caught.value.status_code == 400


async def test_queries_see_all_partitions_or_one(container, country):
    for n in range(5):
        await container.upsert_item(item(str(n), f"{country}-{n}", run=country, n=n))
    query, mine = "SELECT * FROM c WHERE c.run = @run", [{"name": "@run", "value": country}]

    everywhere = [row["n"] async for row in container.query_items(query, parameters=mine, max_item_count=2)]
    one = [row["n"] async for row in container.query_items(query, parameters=mine, partition_key=f"{country}-3")]
    count = "SELECT VALUE COUNT(1) FROM c WHERE c.run = @run"
    counted = [row async for row in container.query_items(count, parameters=mine)]

    assert (sorted(everywhere), one, counted) == ([0, 1, 2, 3, 4], [3], [5])


async def test_what_is_not_there_is_not_found(stage, container, country):
    assert await status_of(container.read_item("none", country)) == (404, 0)
    reader = stage.token("Receiver")
    nowhere = stage.ask("GET", "/dbs/shop/colls/none/docs", reader, headers={"A-IM": "Incremental feed"})
    assert (nowhere.status_code, nowhere.headers["x-ms-substatus"]) == (404, "1003")


async def test_an_item_whose_time_is_over_is_in_no_answer(container, country):
    await container.upsert_item(item("short", country, ttl=1))
    await container.upsert_item(item("long", country, ttl=1_000))

    async with asyncio.timeout(20):
        while len(rows := await ids_of(container, country)) > 1:  # noqa: ASYNC110 (the service can only be asked)
            await asyncio.sleep(0.2)

    assert rows == ["long"]
    assert await status_of(container.read_item("short", country)) == (404, 0)


async def test_the_key_makes_databases_and_containers_that_others_use(stage, country):
    async with stage.client() as client:
        database = await client.create_database(country)
        made = await database.create_container("c", PartitionKey("/k", version=2), offer_throughput=400, default_ttl=60)
        await made.upsert_item({"id": "1", "k": "a"})

        assert (await made.read())["defaultTtl"] == 60
        assert await status_of(client.create_database(country)) == (409, 0)


async def test_over_the_throughput_of_a_partition_a_request_is_told_when_to_come_back(stage, container, country):
    stage.order("throughput", units=30)  # 10 for each partition
    await container.upsert_item(item("1", country, text="x" * 10_000))

    with pytest.raises(CosmosHttpResponseError) as refused:
        await container.upsert_item(item("2", country))

    assert (refused.value.status_code, refused.value.sub_status) == (429, 3200)
    assert 3_000 < int(refused.value.headers["x-ms-retry-after-ms"]) <= 4_001


async def test_one_partition_that_is_busy_leaves_the_others_alone(stage, container, country):
    stage.order("throughput", units=30)
    await container.upsert_item(item("1", "BR", text="x" * 10_000))

    assert await status_of(container.upsert_item(item("2", "BR"))) == (429, 3200)
    await container.upsert_item(item("2", "US"))  # which lies in another partition
