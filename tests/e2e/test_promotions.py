"""A window of gps on the whole platform: points become promotions on their hub, and those pushes on phones."""

import asyncio
import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from azure.storage.blob import ContainerClient

from local.demo.hub_reader import read_events
from local.platform.running import NAMESPACE
from tests.e2e.running_app import Grid, planned, running_app
from tests.e2e.waiting import eventually
from tests.faults.figures import percentile

RATE, SECONDS, CAP = 500, 20, 3
SETTINGS = {
    "FEEDS": "gps",
    "GPS_RATE": str(RATE),
    "GPS_SLICE_LENGTH": "00:00:10",
    "GPS_LEAD": "00:00:03",
    "PROMOTIONS_CAP": str(CAP),
}


@dataclass(frozen=True)
class Promotion:
    """A record of the hub of promotions, the window of its point, and when both were on their hubs."""

    record: dict[str, Any]
    window: str
    point_at: datetime
    at: datetime

    @property
    def times(self):
        """When its point was made, was on its hub, came to the function in a batch, and was a promotion on the hub."""
        made, decided = (datetime.fromisoformat(self.record[name]) for name in ("point_time", "promoted_at"))
        return made, self.point_at, decided, self.at

    @property
    def seconds(self):
        """How long each part of its way took, then the whole: `PARTS`."""
        steps = [(after - before).total_seconds() for before, after in pairwise(self.times)]
        return [*steps, sum(steps)]


PARTS = ("to the hub of points", "waiting for a batch's turn", "deciding, writing, sending", "point to promotion")


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """An app that ingests gps alone, with the lookups of the day."""
    grid = Grid.never()
    with running_app(tmp_path_factory.mktemp("e2e") / "promoting", grid, SETTINGS | grid.settings(["GPS"])) as started:
        for lookup in ("stores", "promotions_of_stores"):
            eventually(partial(names_in, started, "reference", f"{lookup}/"), f"the lookup {lookup} was written")
        yield started


@pytest.fixture(scope="module")
def window(app):
    """A window whose points are all promoted for, and whose promotions are all pushed."""
    found = app.ended(app.open("gps", seconds=SECONDS)[0])
    eventually(lambda: is_through(app, "gps", "promotions"), "all points were promoted for", within=120)
    eventually(lambda: is_through(app, "promotions", "push"), "all promotions were pushed", within=120)
    return found


@pytest.fixture(scope="module")
def promotions(app, window):
    points = {
        (point["appid"], datetime.fromisoformat(point["time"])): event.enqueued_time
        for event in events_of(app, "gps")
        for point in map(json.loads, event.body_as_str().splitlines())
        if point["time"]
    }
    return [promotion_of(event, points) for event in events_of(app, "promotions")]


def events_of(app, hub):
    return asyncio.run(read_events(app.running.event_hubs_settings("Receiver"), app.running.state.authority, hub))


def promotion_of(event, points):
    slice_name, record = event.properties[b"slice"].decode(), json.loads(event.body_as_str())
    point_at = points[record["appid"], datetime.fromisoformat(record["point_time"])]
    return Promotion(record, slice_name.partition("/")[0], point_at, event.enqueued_time)


def names_in(app, container, prefix):
    """Give the metadata of blobs by their names."""
    storage = app.running.addresses["storage"]["connection_string"]
    with ContainerClient.from_connection_string(storage, container) as found:
        if not found.exists():
            return {}
        return {blob.name: blob.metadata for blob in found.list_blobs(prefix, include=["metadata"])}


def is_through(app, hub, group):
    """Say whether the group's checkpoints are at the last event of each partition."""
    partitions = app.admin("event_hubs", "GET", "/hubs")["hubs"][hub]
    last = {str(one["partition"]): one["last_sequence_number"] for one in partitions if one["events"]}
    checkpoints = names_in(app, "azure-webjobs-eventhub", f"{NAMESPACE}/{hub}/{group}/checkpoint/")
    return last == {name.rpartition("/")[2]: int(metadata["sequencenumber"]) for name, metadata in checkpoints.items()}


def test_points_become_promotions_of_their_window_none_beyond_the_cap(window, promotions, capsys):
    per_user = Counter(one.record["appid"] for one in promotions)
    stores = {(one.record["appid"], one.record["store_id"]) for one in promotions}
    points = [datetime.fromisoformat(one.record["point_time"]) for one in promotions]
    start, end = planned(window)
    later = [one for one in promotions if one.times[0] >= start + timedelta(seconds=5)]

    assert window["state"] == "closed"
    assert max(per_user.values()) == CAP
    assert len(stores) == len(promotions)
    assert {one.window for one in promotions} == {window["id"]}
    assert start <= min(points) <= max(points) < end
    with capsys.disabled():
        # A window's first seconds bring most of its users their first promotions.
        print(f"\nAt {RATE} points/s, seconds at p50 and p95:")
        for which, some in {"all": promotions, "after 5 s": later}.items():
            for part, seconds in zip(PARTS, zip(*(one.seconds for one in some), strict=True), strict=False):
                print(f"  {which:<10} {part:<28} {percentile(seconds, 50):6.2f} {percentile(seconds, 95):6.2f}")
            print(f"  {which:<10} promotions                   {len(some):6}")


def test_each_promotion_is_shown_once_by_its_users_phone(app, promotions):
    expected = defaultdict(set)
    for one in promotions:
        expected[one.record["appid"]].add(one.record["id"])

    inboxes = app.admin("notification_hubs", "GET", "/inboxes")["inboxes"]

    assert {device: sorted(one["id"] for one in some) for device, some in inboxes.items()} == {
        user: sorted(ids) for user, ids in expected.items()
    }
