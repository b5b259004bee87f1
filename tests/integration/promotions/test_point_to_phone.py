"""From a point on its hub to the phone: both functions in their host, between the hubs, tables and pushes."""

import json
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
import requests
from azure.storage.blob import ContainerClient

from emulators.key_files import make_key, write_key
from emulators.testing import running_service
from shared.clients.event_hubs.kept_sender import KeptSender
from shared.domain.delivery import Event
from shared.feeds.lookup_files import parquet
from tests.e2e.waiting import eventually
from tests.faults.figures import percentile
from tests.integration.listening import running_surroundings
from tests.integration.sending.conftest import CLIENTS_OWN
from tests.integration.sending.stage import Platform, read_back

USERS, STORES, CAP = 60, 5, 3
SETTINGS = {
    "AzureWebJobs.promote_points.Disabled": "false",
    "AzureWebJobs.push_promotions.Disabled": "false",
    "FEEDS": "gps",
    "PROMOTIONS_CAP": str(CAP),
    "PUSH_HOSTS": "localhost",
    "PUSH_KEY_NAME": "send",
}
pytestmark = [pytest.mark.timeout(300), *(pytest.mark.filterwarnings(warning) for warning in CLIENTS_OWN)]


@dataclass
class Town:
    """The hubs of the town, its phones, and a sender of points."""

    platform: Platform
    phones: str
    points: KeptSender

    def walk(self, number):
        """Let a user stand in the middle of all stores now."""
        record = {"appid": f"user-{number}", "latitude": 51.5, "longitude": -0.1, "accuracy": 5.0}
        body = json.dumps(record | {"time": datetime.now(UTC).isoformat()}).encode()
        properties = {"contract": "gps/1", "slice": "gps-20261122T120000Z/0.1"}
        self.points.send([Event(body, 1, properties, f"user-{number}")])

    def shown(self):
        """Tell what each phone shows."""
        return requests.get(f"{self.phones}/inboxes", timeout=5).json()["inboxes"]


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    folder = tmp_path_factory.mktemp("town")
    with ExitStack() as stack:
        hubs = {"gps": 2, "promotions": 2, "deliveries": 2}
        around = stack.enter_context(running_surroundings(folder, hubs, "promotions", "push"))
        platform = around.platform
        write_lookups(around.storage)
        write_key(key := make_key(), folder / "push.key")
        served = ("--port", 0, "--admin-port", 0, "--certificate", platform.tls.server)
        push = stack.enter_context(running_service("notification_hubs", *served, "--key-file", folder / "push.key"))
        stack.enter_context(around.running_app(folder, SETTINGS | {"PUSH_URL": push["hub"], "PUSH_KEY": key}))
        points = KeptSender(platform.hubs(), "gps")
        stack.callback(points.close)
        yield Town(platform, push["admin"], points)


def write_lookups(storage):
    """Write the lookups of stores around one place, each with a promotion that is valid all day."""
    now, numbers = datetime.now(UTC), range(STORES)
    stores = {
        "store_id": [f"s{one}" for one in numbers],
        "location": ["Covent Garden"] * STORES,
        "merchant": [f"Merchant {one}" for one in numbers],
        "service_type": ["Coffee"] * STORES,
        "latitude": [51.5 + one / 10_000 for one in numbers],
        "longitude": [-0.1] * STORES,
        "radius": [250.0] * STORES,
    }
    promotions = {
        "promotion_id": [f"p{one}" for one in numbers],
        "store_id": [f"s{one}" for one in numbers],
        "discount_percent": pa.array([10 + one for one in numbers], pa.int32()),
        "promotion_type": ["Promotion"] * STORES,
        "valid_from": pa.array([now - timedelta(days=2)] * STORES, pa.timestamp("us", tz="UTC")),
        "valid_to": pa.array([now + timedelta(days=2)] * STORES, pa.timestamp("us", tz="UTC")),
        "opens": pa.array([0] * STORES, pa.int32()),
        "closes": pa.array([0] * STORES, pa.int32()),
        "zone": ["Europe/London"] * STORES,
    }
    with ContainerClient.from_connection_string(storage, "reference") as reference:
        reference.create_container()
        for name, columns in (("stores", stores), ("promotions_of_stores", promotions)):
            reference.upload_blob(f"{name}/{now:%Y%m%d}.parquet", parquet(pa.table(columns)))


def record_of(event):
    return json.loads(event.body_as_str())


def stored_since(town, before):
    """Count the events that the hub of deliveries got since these descriptions of its partitions."""
    return town.platform.stored_events("deliveries") - sum(one["events"] for one in before)


async def test_users_near_stores_get_the_best_promotions_up_to_the_cap_on_hub_and_phone_within_seconds(town):
    before, untold = town.platform.stored("promotions"), town.platform.stored("deliveries")
    town.walk("first")
    eventually(lambda: len(town.shown().get("user-first", ())) == CAP, "the first user got promotions", within=120)

    for number in range(USERS):
        town.walk(number)
        town.walk(number)
    eventually(lambda: len(town.shown()) == USERS + 1, "all phones got promotions", within=120)
    eventually(lambda: {len(one) for one in town.shown().values()} == {CAP}, "each got as many as the cap", within=60)

    found = [one for some in (await read_back(town.platform, "promotions", before)).values() for one in some]
    records = {record_of(one)["id"]: (record_of(one), one) for one in found}
    per_user = Counter(record["appid"] for record, _ in records.values())
    assert set(per_user.values()) == {CAP}
    assert {record["store_id"] for record, _ in records.values()} == {"s4", "s3", "s2"}
    assert set(records) == {one["id"] for some in town.shown().values() for one in some}
    eventually(lambda: stored_since(town, untold) >= len(records), "what became of all is told", within=60)
    told = [one for some in (await read_back(town.platform, "deliveries", untold)).values() for one in some]
    assert {(one["id"], one["outcome"]) for one in map(record_of, told)} == {(id_, "delivered") for id_ in records}
    late = [
        (one.enqueued_time - datetime.fromisoformat(record["point_time"])).total_seconds()
        for record, one in records.values()
        if record["appid"] != "user-first"
    ]
    print(f"\npoint to promotion: p50 {percentile(late, 50):.2f} s, p95 {percentile(late, 95):.2f} s")
