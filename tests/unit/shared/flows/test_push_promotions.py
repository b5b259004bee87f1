"""From promotions to phones."""

import json
from datetime import UTC, datetime, timedelta

import jsonschema
import pytest

from shared.clients.event_hubs.fake import FakeEventHubs
from shared.clients.notification_hubs.fake import FakePushService
from shared.clients.storage.dead_promotions import DeadPromotions
from shared.clients.storage.fake import FakeReference, FakeTables
from shared.clients.storage.promotion_users import TablePromotionUsers
from shared.domain.delivery import Event
from shared.domain.failures import FailureKind
from shared.errors import Denied, ServiceRefused, Unavailable
from shared.flows.push_promotions import PushTools, push_promotions
from tests.architecture.tree import text

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class World:
    """Pushes with fakes."""

    def __init__(self):
        self.service, self.blobs = FakePushService(), FakeReference(lambda: NOON)
        self.users = TablePromotionUsers(FakeTables(), timedelta(hours=25))
        self.hubs, self.away = FakeEventHubs({"deliveries": 4}), False
        self.tools = PushTools(self.service, self.users, DeadPromotions(self.blobs), self.send, lambda: NOON)

    def send(self, events):
        if self.away:
            raise Unavailable("the hub is away")
        return self.hubs.take("deliveries", events)

    def push(self, *events):
        return push_promotions(self.tools, events)

    @property
    def told(self):
        return [json.loads(event.body) for event in self.hubs.received["deliveries"]]

    @property
    def dead(self):
        return [json.loads(content) for _, content in self.blobs.blobs.values()]

    @property
    def shown(self):
        return sorted(name for inbox in self.service.inboxes.values() for name in inbox)


@pytest.fixture
def world():
    return World()


def event(app="app", **changes):
    record = {
        "id": f"{app}/s/20261122",
        "appid": app,
        "store_id": "s",
        "point_time": (NOON - timedelta(seconds=1)).isoformat(),
        "discount_percent": 20,
        "location": "Brno",
        "merchant": "Bakery",
        "valid_until": (NOON + timedelta(hours=1)).isoformat(),
    }
    return Event(json.dumps(record | changes).encode(), 1, {"contract": "promotions/1", "slice": "s"})


def test_each_promotion_is_pushed_to_its_users_device(world):
    counts = world.push(event("a"), event("b"))

    told = world.service.inboxes["a"]["a/s/20261122"]
    assert counts == {"delivered": 2, "pending": 0}
    assert (told.title, told.text) == ("20 % at Bakery", "Brno")
    assert world.dead == []


def test_the_lakehouse_is_told_what_became_of_each_promotion_in_records_of_the_contract(world):
    world.service.gone.add("c")

    world.push(event("a"), event("b", valid_until=NOON.isoformat()), event("c"))

    told = {one["appid"]: one for one in world.told}
    contract = jsonschema.Draft202012Validator(json.loads(text("contracts/deliveries.v1.schema.json")))
    assert {app: one["outcome"] for app, one in told.items()} == {"a": "delivered", "b": "ended", "c": "gone"}
    assert [problem.message for one in told.values() for problem in contract.iter_errors(one)] == []
    assert told["a"] == {
        "id": "a/s/20261122",
        "appid": "a",
        "store_id": "s",
        "point_time": "2026-11-22T11:59:59Z",
        "outcome": "delivered",
        "settled_at": "2026-11-22T12:00:00Z",
    }
    events = world.hubs.received["deliveries"]
    assert {(one.properties["slice"], one.partition_key) for one in events} == {("s", "a"), ("s", "b"), ("s", "c")}


def test_what_is_settled_is_told_though_another_promotion_waits(world):
    world.service.failures = [Unavailable("503")]

    with pytest.raises(Unavailable):
        world.push(event("a"), event("b"))

    assert [one["outcome"] for one in world.told] == ["delivered"]


def test_a_batch_of_which_nothing_can_be_told_comes_again_and_no_phone_shows_it_twice(world):
    world.away = True
    with pytest.raises(Unavailable):
        world.push(event())
    world.away = False
    world.push(event())

    assert (world.shown, len(world.told)) == (["app/s/20261122"], 1)


@pytest.mark.parametrize(
    ("poison", "reason"),
    [
        (Event(b"{", 1, {"contract": "promotions/1"}), "record"),
        (Event(b"\xff", 1, {"contract": "promotions/1"}), "record"),
        (event(appid=""), "record"),
        (event(valid_until="2026-11-22T12:00:00"), "record"),
        (Event(b"{}", 1, {"contract": "promotions/2"}), "contract"),
        (Event(b"{}", 2, {"contract": "promotions/1"}), "body"),
        (event(valid_until=NOON.isoformat()), "ended"),
    ],
)
def test_what_can_never_be_pushed_is_dead_with_the_reason_and_costs_no_other(world, poison, reason):
    counts = world.push(event("a"), poison, event("b"))

    assert counts["delivered"] == 2
    assert counts[f"dead_{reason}"] >= 1
    assert [one["reason"] for one in world.dead] == [reason]
    assert world.shown == ["a/s/20261122", "b/s/20261122"]


def test_a_device_that_is_gone_is_remembered_and_not_asked_again(world):
    world.service.gone.add("app")

    first, second = world.push(event()), world.push(event(id="another"))

    assert [first["dead_gone"], second["dead_gone"]] == [1, 1]
    assert world.users.read("app").gone_at == NOON
    assert world.service.pushes == ["app/s/20261122"]
    assert {one["reason"] for one in world.dead} == {"gone"}


def test_a_notification_that_is_refused_for_itself_is_dead_with_the_words_of_the_service(world):
    world.service.failures = [ServiceRefused("The push service answered 400.", FailureKind.REJECTED)]

    counts = world.push(event())

    assert counts["dead_refused"] == 1
    assert [one["reason"] for one in world.dead] == ["refused: The push service answered 400."]


@pytest.mark.parametrize(
    "failure", [Unavailable("503"), Unavailable("429", throttled=True), Denied("401"), ServiceRefused("not called")]
)
def test_what_may_pass_or_an_administrator_must_mend_fails_the_batch_when_all_others_are_settled(world, failure):
    world.service.failures = [failure]

    with pytest.raises(type(failure)):
        world.push(event("a"), event("b"), event("c"), Event(b"{", 1, {"contract": "promotions/1"}))
    left = len(world.shown)
    world.push(event("a"), event("b"), event("c"))

    assert (left, len(world.shown)) == (2, 3)
    assert [one["reason"] for one in world.dead] == ["record"]


def test_a_push_whose_answer_was_lost_is_shown_once(world):
    world.service.failures, world.service.loses_answers = [Unavailable("no answer")], True

    with pytest.raises(Unavailable):
        world.push(event())
    world.push(event())

    assert world.service.pushes == ["app/s/20261122"] * 2
    assert world.shown == ["app/s/20261122"]


def test_a_promotion_that_dies_twice_has_one_blob(world):
    for _ in range(2):
        world.push(event(valid_until=NOON.isoformat()))

    assert len(world.dead) == 1


def test_a_dead_letter_that_can_not_be_kept_fails_the_batch(world):
    world.blobs.failure = Unavailable("storage is away")

    with pytest.raises(Unavailable):
        world.push(event(valid_until=NOON.isoformat()))
