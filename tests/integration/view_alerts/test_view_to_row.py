"""From a view on its hub to the rows of its alerts: both functions in their host, between hubs and tables."""

import asyncio
import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.blob import ContainerClient

from shared.clients.event_hubs.kept_sender import KeptSender
from shared.domain.delivery import Event
from shared.feeds.shop.feed import VIPS_PATH
from tests.e2e.waiting import eventually
from tests.faults.figures import percentile
from tests.integration.listening import Surroundings, running_surroundings
from tests.integration.sending.conftest import CLIENTS_OWN
from tests.unit.shared.flows.shop_alerts import identifier, truth

RATE, SECONDS, TICK = 100, 8, 0.1
USERS, VIPS = 200, [1, 2, 3, 4]
SETTINGS = {
    "AzureWebJobs.alert_of_pageviews.Disabled": "false",
    "AzureWebJobs.alert_of_stars.Disabled": "false",
    "FEEDS": "shop",
}
pytestmark = [pytest.mark.timeout(300), *(pytest.mark.filterwarnings(warning) for warning in CLIENTS_OWN)]


@dataclass
class Web:
    """The hubs of a shop, and what was sent to them."""

    around: Surroundings
    senders: dict[str, KeptSender]
    sent: dict[str, list[dict]] = field(default_factory=lambda: {"pageviews": [], "stars": []})

    def send(self, stream, records):
        events = [
            Event(json.dumps(one).encode(), 1, {"contract": f"{stream}/1"}, str(one["user_id"])) for one in records
        ]
        self.senders[stream].send(events)
        self.sent[stream] += records

    def rows(self):
        """Give the rows of alerts by kind and key, each with the instant at which the tables took it."""
        with TableServiceClient.from_connection_string(self.around.storage) as service:
            listed = service.create_table_if_not_exists("viewalerts").query_entities("RowKey lt 'b'")
            return {(one["PartitionKey"], one["RowKey"].split("|", 2)[2]): one for one in listed}

    def expected(self):
        return {
            (kind, f"{one['view_id']}|{one['star_id']}" if "star_id" in one else one["view_id"])
            for kind, rows in truth(self.sent["pageviews"], self.sent["stars"], VIPS).items()
            for one in rows
        }


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    folder = tmp_path_factory.mktemp("web")
    with ExitStack() as stack:
        around = stack.enter_context(running_surroundings(folder, {"pageviews": 4, "stars": 4}, "alerts"))
        with ContainerClient.from_connection_string(around.storage, "lake") as lake:
            lake.create_container()
            content = b"".join(b'{"id": %d}\n' % one for one in VIPS)
            lake.upload_blob(VIPS_PATH, content, metadata={"edition": "a"})
        stack.enter_context(around.running_app(folder, SETTINGS))
        senders = {name: KeptSender(around.platform.hubs(), name) for name in ("pageviews", "stars")}
        for sender in senders.values():
            stack.callback(sender.close)
        yield Web(around, senders)


def view(number, **changes):
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return {
        "view_id": identifier(number, "a"), "viewed_at": now, "user_id": 1 + number % USERS, "http_method": "GET",
        "uri": "/p", "client_ip": "", "user_agent": "Mozilla", "latency": 2500 if number % 100 == 0 else 200,
    } | changes  # fmt: skip


def star(number, user, ago):
    at = datetime.now(UTC) - ago
    stars = {"star_id": identifier(number, "b"), "starred_at": at.isoformat(timespec="milliseconds")}
    return stars | {"user_id": user, "stars": 1 + number % 4}


async def test_views_and_stars_on_their_hubs_become_the_rows_of_the_truth_within_seconds(web):
    web.send("pageviews", [view(1_000_000, latency=3000)])
    eventually(lambda: len(web.rows()) == 2, "the first view raised its alerts", within=120)
    loop, numbers = asyncio.get_running_loop(), iter(range(RATE * SECONDS))
    begun = loop.time()

    for tick in range(round(SECONDS / TICK)):
        await asyncio.sleep(max(0.0, begun + tick * TICK - loop.time()))
        await asyncio.to_thread(web.send, "pageviews", [view(next(numbers)) for _ in range(round(RATE * TICK))])
        if tick % 10 == 0:
            await asyncio.to_thread(web.send, "stars", [star(tick, 10 + tick % USERS, timedelta(seconds=5))])
    spent, alerts = loop.time() - begun, web.expected()
    eventually(lambda: len(web.rows()) >= len(alerts), "all rows are there", within=60)

    rows = web.rows()
    assert set(rows) == alerts
    assert {kind for kind, _ in rows} == {"pageviews_high_latency", "pageviews_vip", "pageviews_after_low_stars"}
    late = sorted(
        (one.metadata["timestamp"] - datetime.fromisoformat(one["viewed_at"])).total_seconds()
        for one in rows.values()
        if one["view_id"] != identifier(1_000_000, "a") and "star_id" not in one
    )
    print(
        f"\nview to row, {len(web.sent['pageviews']) / spent:.0f} views/s, {len(rows):,} rows: "
        f"p50 {percentile(late, 50):.2f} s, p95 {percentile(late, 95):.2f} s"
    )
