"""Points promoted and promotions pushed batch by batch, in processes that may be killed at any moment.

A folder stands for a partition of a hub: batches by number, and the checkpoint, which moves on as the host's does: when
a batch is through.
"""

import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from azure.data.tables import TableServiceClient

from shared.clients.checked_posts import CheckedPosts
from shared.clients.event_hubs.hubs import AzureEventHubs, HubConnection
from shared.clients.event_hubs.kept_sender import KeptSender
from shared.clients.identity.credentials import ServicePrincipal, make_identity
from shared.clients.identity.fake import FakeIdentity
from shared.clients.kept_connections import KeptConnections
from shared.clients.notification_hubs.hub import NotificationHub, PushAccess
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.clients.storage.account import Account
from shared.clients.storage.dead_promotions import blob_dead_promotions
from shared.clients.storage.promotion_users import TablePromotionUsers
from shared.clients.storage.remembered_users import RememberedUsers
from shared.clients.storage.tables import Tables
from shared.domain.delivery import Event
from shared.domain.promotions import Candidate, Given, Rules, by_user, decide, event_id
from shared.domain.volumes.alert_address import alert_url
from shared.flows.promote import PromotionTools, promote
from shared.flows.push_promotions import PushTools, push_promotions
from shared.promotions.points import GpsPoint, MatchedPoints, PromotedStore
from tests.faults.killing import halt

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
FOREVER = datetime(2099, 1, 1, tzinfo=UTC)
HUB, DELIVERIES_HUB = "promotions", "deliveries"
RULES = Rules()
SLICE = "gps-20261122T120000Z/0.1"
USERS, STORES = 12, 6
QUICK = Timeouts(total=3.0, attempt=1.0, ordinary=Backoff(0.02, 0.2), throttled=Backoff(0.02, 0.2))


class Town:
    """Places where a point's latitude says, in binary, which stores it is near."""

    def match(self, points: Sequence[GpsPoint]) -> MatchedPoints:
        found = [
            Candidate(point.appid, f"s{store}", f"p{store}", store, 10.0, point.at, FOREVER)
            for point in points
            for store in range(STORES)
            if int(point.latitude) >> store & 1
        ]
        return MatchedPoints(found)

    def store(self, store_id: str) -> PromotedStore:
        return PromotedStore("Brno", f"Merchant of {store_id}", 49.2, 16.6)


@dataclass(frozen=True)
class Partition:
    """Batches in a folder, and how far they are through."""

    folder: Path

    def write(self, batches: Iterable[Sequence[Event]]) -> None:
        self.folder.mkdir(parents=True)
        for number, batch in enumerate(batches):
            listed = [[one.body.decode(), dict(one.properties)] for one in batch]
            (self.folder / f"{number:04d}.json").write_text(json.dumps(listed))

    def work_off(self, work: Callable[[Sequence[Event]], object], telling: Connection | None = None) -> None:
        """Do the work from the checkpoint on; where somebody is told, stand still before the first one moves on."""
        checkpoint = self.folder / "checkpoint"
        done = checkpoint.read_text() if checkpoint.exists() else ""
        for path in sorted(self.folder.glob("*.json")):
            if path.name > done:
                work([Event(body.encode(), 1, properties) for body, properties in json.loads(path.read_text())])
                if telling:
                    halt(telling)
                checkpoint.with_suffix(".new").write_text(path.name)
                checkpoint.with_suffix(".new").rename(checkpoint)


@dataclass(frozen=True)
class PromotingPlace:
    """Where promoting and pushing find their world."""

    storage: str
    connection: HubConnection
    login: ServicePrincipal
    push: str
    bundle: str
    key: str = field(repr=False)

    def sender(self, hub: str) -> KeptSender:
        return KeptSender(AzureEventHubs(self.connection, make_identity(self.login)), hub)

    def push_tools(self, service: TableServiceClient, kept: KeptConnections, timeouts: Timeouts = QUICK) -> PushTools:
        access = PushAccess(alert_url(self.push, hosts=["localhost"], loopback=True), "send", self.key)
        posts = CheckedPosts(self.bundle, resolve=lambda *_: ["127.0.0.1"], kept=kept)
        account = Account(self.storage, "", FakeIdentity())
        return PushTools(
            NotificationHub(access, lambda: datetime.now(UTC), posts, RetryPolicy(timeouts)),
            TablePromotionUsers(Tables(lambda: service), timedelta(hours=25)),
            blob_dead_promotions(account),
            self.sender(DELIVERIES_HUB).send,
            lambda: datetime.now(UTC),
        )


def promote_all(place: PromotingPlace, partition: Partition, telling: Connection | None = None) -> None:
    """Promote batch by batch, as the function does."""
    sender = place.sender(HUB)
    with TableServiceClient.from_connection_string(place.storage) as service:
        users, town = TablePromotionUsers(Tables(lambda: service), timedelta(hours=25)), Town()
        tools = PromotionTools(
            lambda: town, RememberedUsers(users), sender.send, sender.connect, RULES, timedelta(hours=1), lambda: NOON
        )
        partition.work_off(lambda events: promote(tools, events), telling)


def push_all(place: PromotingPlace, partition: Partition, telling: Connection | None = None) -> None:
    """Push batch by batch, as the function does."""
    with TableServiceClient.from_connection_string(place.storage) as service:
        tools = place.push_tools(service, KeptConnections())
        partition.work_off(lambda events: push_promotions(tools, events), telling)


def points_of(stretch: int, batches: int, size: int) -> list[list[Event]]:
    """Draw users who walk past stores, of a stretch its own ones."""
    draw = random.Random(stretch)
    numbers = iter(range(batches * size))
    return [[_point(stretch, next(numbers), draw) for _ in range(size)] for _ in range(batches)]


def expected_of(batches: Iterable[Sequence[Event]]) -> set[str]:
    """Say which promotions there must be, decided at once and apart from any state."""
    records = [json.loads(event.body) for batch in batches for event in batch]
    points = [
        GpsPoint(one["appid"], one["latitude"], 16.6, None, datetime.fromisoformat(one["time"]), SLICE)
        for one in records
    ]
    grouped = by_user(Town().match(points).candidates)
    promoted = [one for some in grouped.values() for one in decide(some, Given(), RULES).promoted]
    return {event_id(one.appid, one.store_id, one.at) for one in promoted}


def promotion(device: str, number: int) -> Event:
    """Make an event of a promotion."""
    record = {
        "id": f"{device}/s{number}/20261122",
        "appid": device,
        "store_id": f"s{number}",
        "point_time": NOON.isoformat(),
        "discount_percent": 10,
        "location": "Brno",
        "merchant": "Bakery",
        "valid_until": FOREVER.isoformat(),
    }
    return Event(json.dumps(record).encode(), 1, {"contract": "promotions/1", "slice": SLICE})


def with_body(event: Event, **changes: object) -> Event:
    """Change fields of an event's record."""
    return replace(event, body=json.dumps(json.loads(event.body) | changes).encode())


def _point(stretch: int, number: int, draw: random.Random) -> Event:
    at = NOON + timedelta(seconds=number)
    near = draw.choice([0, 1, 3, 6, 12, 33])
    record = {"appid": f"u{stretch}-{draw.randrange(USERS)}", "latitude": near, "longitude": 16.6}
    return Event(json.dumps(record | {"time": at.isoformat()}).encode(), 1, {"contract": "gps/1", "slice": SLICE})
