"""From points to promotions."""

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from shared.clients.event_hubs.fake import FakeEventHubs
from shared.clients.storage.fake import FakeTables
from shared.clients.storage.promotion_users import PromotionUser, TablePromotionUsers
from shared.contracts import load_contract
from shared.domain.delivery import Event
from shared.domain.promotions import Candidate, Given, Rules, Sent
from shared.errors import LoginRefused, SendFailed, Unavailable
from shared.flows.promote import PromotionTools, promote, warm_up
from shared.promotions.points import MatchedPoints, PromotedStore

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SLICE = "gps-20261122T120000Z/3.1"
RULES = Rules(cap=3, cool_down=timedelta(hours=4))


class EveryStore:
    """Places where each point is near as many stores as its latitude says."""

    def __init__(self, valid_for=HOUR):
        self.valid_for = valid_for

    def match(self, points):
        found = [
            Candidate(point.appid, f"s{number}", f"p{number}", 10, 12.345, point.at, point.at + self.valid_for)
            for point in points
            for number in range(int(point.latitude))
        ]
        return MatchedPoints(found, {"inaccurate": 1} if any(point.accuracy == 500 for point in points) else {})

    def store(self, store_id):
        return PromotedStore("Brno", f"Merchant of {store_id}", 49.2, 16.6)


class World:
    """Promotes with fakes; `now` is the clock."""

    def __init__(self, places=None):
        self.now, self.tables, self.places = NOON, FakeTables(), places or EveryStore()
        self.users = TablePromotionUsers(self.tables, timedelta(hours=25))
        self.hubs = FakeEventHubs({"promotions": 4})
        self.connected = 0
        self.tools = PromotionTools(
            lambda: self.places, self.users, self.send, self.connect, RULES, HOUR, lambda: self.now
        )

    def send(self, events):
        return self.hubs.take("promotions", events)

    def connect(self):
        self.connected += 1

    def promote(self, *events):
        return promote(self.tools, events)

    @property
    def sent(self):
        return [json.loads(event.body) for event in self.hubs.received["promotions"]]


@pytest.fixture
def world():
    return World()


def line(app="app", stores=1, minutes=0.0, **changes):
    at = NOON + timedelta(minutes=minutes)
    return json.dumps({"appid": app, "latitude": stores, "longitude": 16.6, "time": at.isoformat()} | changes).encode()


def row(*given, **values):
    return Event(line(*given, **values), 1, {"contract": "gps/1", "slice": SLICE})


TEXT = "latitude:2.5, longitude:16.6,appid:abcde-j1"


def text(line=TEXT, at=NOON):
    return Event(line.encode(), 1, {"contract": "gps/0", "slice": SLICE}, at=at)


def pack(lines, encoding="identity", rows=None):
    body = b"".join(one + b"\n" for one in lines)
    if encoding == "zstd":
        body = pa.Codec("zstd").compress(body, asbytes=True)
    properties = {"contract": "gps/1", "slice": SLICE, "rows": len(lines), "encoding": encoding}
    return Event(body, len(lines) if rows is None else rows, properties)


def test_a_point_near_a_store_becomes_a_promotion_as_its_contract_says(world):
    counts = world.promote(row())

    (event,) = world.hubs.received["promotions"]
    columns = {column.name for column in load_contract("promotions/1").columns}
    assert counts | {"points": 1, "matched": 1, "promoted": 1, "sent": 1} == counts
    assert (event.partition_key, dict(event.properties)) == ("app", {"contract": "promotions/1", "slice": SLICE})
    assert set(world.sent[0]) == columns
    assert (
        world.sent[0]
        | {
            "id": "app/s0/20261122",
            "metres": 12.3,
            "merchant": "Merchant of s0",
            "point_time": "2026-11-22T12:00:00.000000Z",
        }
        == world.sent[0]
    )


def test_a_point_as_a_line_of_text_is_of_the_time_at_which_the_hub_took_it(world):
    counts = world.promote(text(at=NOON - timedelta(minutes=5)))

    assert (counts["points"], counts["matched"], counts["promoted"]) == (1, 2, 2)
    assert {(one["appid"], one["point_time"]) for one in world.sent} == {("abcde-j1", "2026-11-22T11:55:00.000000Z")}


@pytest.mark.parametrize("encoding", ["identity", "zstd"])
def test_packs_are_read_as_rows_are(world, encoding):
    counts = world.promote(pack([line("a"), line("b")], encoding), row("c"))

    assert counts["points"] == 3
    assert sorted(one["appid"] for one in world.sent) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (text("latitude:51.1"), "record"),
        (text(TEXT.replace("2.5", "92")), "record"),
        (text(at=None), "record"),
        (text(TEXT.replace("2.5", "0").replace("16.6", "0")), "position"),
        (text(at=NOON - 2 * HOUR), "time"),
        (Event(TEXT.encode(), 1, {"contract": "gps/2"}), "contract"),
        (Event(line(), 1, {}), "contract"),
        (pack([line()], rows=2), "body"),
        (Event(b"no zstd", 1, {"contract": "gps/1", "encoding": "zstd", "rows": 1}), "body"),
        (row(latitude=None), "position"),
        (row(latitude=91), "position"),
        (row(latitude=0, longitude=0), "position"),
        (row(longitude=-180.5), "position"),
        (row(appid=""), "record"),
        (row(latitude="51"), "record"),
        (row(time="2026-11-22T12:00:00"), "record"),
        (Event(b'{"appid": "a", "latitude": NaN}', 1, {"contract": "gps/1"}), "record"),
        (Event(b"\xff\xfe", 1, {"contract": "gps/1"}), "record"),
        (row(minutes=61), "time"),
        (row(minutes=-61), "time"),
    ],
)
def test_what_is_no_point_is_passed_over_by_reason_and_costs_no_other(world, event, reason):
    counts = world.promote(row("before"), event, row("after"))

    assert counts[f"passed_over_{reason}"] >= 1
    assert [one["appid"] for one in world.sent] == ["before", "after"]


def test_points_that_can_be_near_nothing_are_counted_by_the_reason_of_the_matching(world):
    assert world.promote(row(accuracy=500.0))["passed_over_inaccurate"] == 1


def test_each_candidate_is_counted_once(world):
    counts = world.promote(row(stores=4), row(stores=2, minutes=1), row("other", stores=1))

    assert (
        counts
        | {
            "matched": 7,
            "promoted": 4,
            "suppressed_by_cap": 1,
            "suppressed_by_cool_down": 2,
            "sent": 4,
        }
        == counts
    )


def test_a_promotion_that_has_ended_since_is_not_sent_and_is_not_part_of_the_cap():
    world = World(EveryStore(valid_for=timedelta(minutes=5)))
    world.now = NOON + timedelta(minutes=5)

    counts = world.promote(row(stores=2))

    assert (counts["matched"], counts["ended"], world.sent) == (2, 2, [])
    assert world.users.read("app") == PromotionUser()


@pytest.mark.parametrize("failure", ["unavailable", "throttled", "halfway", "unknown", "unauthorized"])
def test_a_batch_whose_sending_fails_comes_again_and_gives_the_same_promotions(world, failure):
    events = [row(stores=5), row("other", stores=2)]
    world.hubs.fail_next(failure)

    with pytest.raises((SendFailed, LoginRefused)):
        world.promote(*events)
    world.promote(*events)

    assert {one["id"] for one in world.sent} == {
        *(f"app/s{number}/20261122" for number in range(3)),
        *(f"other/s{number}/20261122" for number in range(2)),
    }


def test_a_batch_that_comes_again_after_later_ones_gives_nothing_new(world):
    first, later = row(stores=2), row(stores=6, minutes=1)
    world.promote(first)
    world.promote(later)
    before = {one["id"] for one in world.sent}

    world.promote(first, later)

    assert {one["id"] for one in world.sent} == before
    assert len(before) == RULES.cap


def test_what_a_user_got_too_long_ago_is_forgotten_when_it_gets_something(world):
    old = Sent("s9", "p9", NOON - timedelta(hours=26))
    world.users.change("app", lambda _: PromotionUser(Given((old,)), gone_at=NOON))

    world.promote(row())

    user = world.users.read("app")
    assert [one.store_id for one in user.given.sent] == ["s0"]
    assert user.gone_at == NOON


def test_a_user_whose_row_a_newer_version_wrote_costs_no_other_and_is_counted(world, caplog):
    world.promote(row("newer"))
    table = world.tables._rows["promotionusers"]
    for key, entity in list(table.items()):
        table[key] = dict(entity) | {"version": 99}

    counts = world.promote(row("newer"), row("other"))

    (told,) = caplog.records
    assert (counts["unreadable_users"], counts["promoted"]) == (1, 1)
    assert told.message.startswith("promotions.user_unreadable")
    assert told.thread == threading.get_ident()


def test_what_the_hub_refuses_is_counted(world):
    world.hubs.limit = 10

    counts = world.promote(row())

    assert (counts["sent"], counts["refused_by_hub"]) == (0, 1)


def test_warming_up_connects_to_the_hub_and_reads_the_places():
    world, read = World(), []
    tools = replace(world.tools, places=lambda: read.append("places"))

    warm_up(tools)

    assert (world.connected, read) == (1, ["places"])


def test_warming_up_without_places_is_no_failure():
    world = World()

    def none_yet():
        raise Unavailable("There are no lookups yet.")

    warm_up(replace(world.tools, places=none_yet))

    assert world.connected == 1


def test_a_batch_connects_to_the_hub_before_it_reads_the_places():
    world, seen = World(), []

    def places():
        seen.append(world.connected)
        return world.places

    promote(replace(world.tools, places=places), [row()])

    assert seen == [1]
