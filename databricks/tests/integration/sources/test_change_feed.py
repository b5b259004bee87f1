"""One contract for the fake change feed and Microsoft's own client over the local Cosmos DB."""

import base64
import secrets
from dataclasses import replace
from uuid import uuid4

import pytest

from hub_stage import service
from lakehouse.request import Container
from lakehouse.sources.cosmos.client import ContainerFeed
from lakehouse.sources.cosmos.fake import FakeChangeFeed
from lakehouse.sources.cosmos.feed import ChangeFeedFailed, ContinuationRefused, CosmosLogin


class LocalContainer:
    """A container of the local Cosmos DB, written to by its key."""

    def __init__(self, addresses, key, platform):
        self.login = CosmosLogin(addresses["account"], key, ca_bundle=platform.tls["authority"])
        self.container = Container("shop", "orders")
        self.feed = ContainerFeed(self.login, self.container)

    def upsert(self, partition_key, item):
        with self.feed._open() as client:
            made = client.get_database_client("shop").get_container_client("orders")
            made.upsert_item({**item, "country": partition_key})

    def pages(self, continuation):
        return self.feed.pages(continuation)


@pytest.fixture(scope="module")
def cosmos(hubs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cosmos")
    key = base64.b64encode(secrets.token_bytes(64)).decode()
    (folder / "key").write_text(key)
    (folder / "key").chmod(0o600)
    made = ["--container", "shop/orders:/country", "--throughput", "300000", "--partitions", "3"]
    trust = ["--issuer", hubs.issuer, "--ca", hubs.tls["authority"], "--certificate", hubs.tls["server"]]
    who = ["--identities", hubs.folder / "identities.json", "--key-file", folder / "key"]
    with service("cosmos", folder, "--port", "0", "--admin-port", "0", *made, *trust, *who) as addresses:
        yield LocalContainer(addresses, key, hubs)


@pytest.fixture(params=["fake", "client"])
def container(request):
    return FakeChangeFeed(page=4) if request.param == "fake" else request.getfixturevalue("cosmos")


def read(container, continuation, run):
    """Read up to now; gives (id, n) of this run's items and where to go on."""
    pages = list(container.pages(continuation))
    items = [item for page in pages for item in page.items if item.get("run") == run]
    return [(item["id"], item["n"]) for item in items], pages[-1].continuation if pages else continuation


@pytest.fixture
def run():
    return str(uuid4())


def test_a_feed_is_read_from_its_beginning_and_goes_on_where_it_was(container, run):
    for number in range(9):
        container.upsert(f"c{number % 5}", {"id": f"{run}-{number}", "run": run, "n": 0})
    first, goes_on = read(container, "", run)
    container.upsert("c1", {"id": f"{run}-1", "run": run, "n": 1})
    container.upsert("c9", {"id": f"{run}-new", "run": run, "n": 2})

    later, after = read(container, goes_on, run)
    nothing, _ = read(container, after, run)

    assert sorted(first) == sorted((f"{run}-{number}", 0) for number in range(9))
    assert sorted(later) == sorted([(f"{run}-1", 1), (f"{run}-new", 2)])
    assert nothing == []


def test_each_page_says_where_the_feed_goes_on_after_it(container, run):
    for number in range(9):
        container.upsert(f"c{number % 5}", {"id": f"{run}-{number}", "run": run, "n": 0})

    pages = list(container.pages(""))
    rests = [[item["id"] for after in container.pages(page.continuation) for item in after.items] for page in pages]

    assert len(pages) > 1
    assert rests == [[item["id"] for after in pages[at:] for item in after.items] for at in range(1, len(pages) + 1)]


def test_the_latest_version_of_an_item_comes_once_it_was_read_up_to_now(container, run):
    for number in range(3):
        container.upsert("c", {"id": f"{run}-1", "run": run, "n": number})

    found, _ = read(container, "", run)

    assert found[-1] == (f"{run}-1", 2)


def test_a_place_that_is_none_of_the_container_is_refused_as_such(container):
    with pytest.raises(ContinuationRefused, match="could not be read"):
        list(container.pages("999999999"))


def test_a_service_principal_reads_it_too(cosmos, hubs, run):
    reader = hubs.hub("any", "Receiver")
    login = CosmosLogin(
        cosmos.login.endpoint,
        tenant_id=reader.tenant_id,
        client_id=reader.client_id,
        client_secret=reader.client_secret,
        authority_host=reader.authority_host,
        ca_bundle=reader.ca_bundle,
    )
    cosmos.upsert("c", {"id": run, "run": run, "n": 7})

    found, _ = read(ContainerFeed(login, cosmos.container), "", run)

    assert found == [(run, 7)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": base64.b64encode(b"another key").decode()},
        {"endpoint": "https://127.0.0.1:9"},
        {"ca_bundle": ""},
    ],
)
def test_what_the_client_raises_is_told_without_the_key(cosmos, wrong):
    login = replace(cosmos.login, **wrong)

    with pytest.raises(ChangeFeedFailed, match="the change feed of shop/orders at") as failed:
        list(ContainerFeed(login, cosmos.container).pages(""))

    assert login.key not in str(failed.value)
    assert failed.value.__cause__ is failed.value.__context__ is None


def test_a_container_that_is_not_there_is_told_by_name(cosmos):
    with pytest.raises(ChangeFeedFailed, match="shop/none"):
        list(ContainerFeed(cosmos.login, Container("shop", "none")).pages(""))
