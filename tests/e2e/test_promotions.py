"""A window of gps on the whole platform: points become promotions on their hub, and those pushes on phones."""

import asyncio
import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
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
    """A record of the hub of promotions, the window of its point, and when it was there."""

    record: dict[str, Any]
    window: str
    at: datetime

    @property
    def seconds(self):
        """How long it was on its way since its point's time."""
        return (self.at - datetime.fromisoformat(self.record["point_time"])).total_seconds()


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
    reading = read_events(app.running.event_hubs_settings("Receiver"), app.running.state.authority, "promotions")
    return [promotion_of(event) for event in asyncio.run(reading)]


def promotion_of(event):
    slice_name = event.properties[b"slice"].decode()
    return Promotion(json.loads(event.body_as_str()), slice_name.partition("/")[0], event.enqueued_time)


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
    late = {
        "all": [one.seconds for one in promotions],
        "after 5 s": [
            one.seconds for one, at in zip(promotions, points, strict=True) if at >= start + timedelta(seconds=5)
        ],
    }

    assert window["state"] == "closed"
    assert max(per_user.values()) == CAP
    assert len(stores) == len(promotions)
    assert {one.window for one in promotions} == {window["id"]}
    assert start <= min(points) <= max(points) < end
    with capsys.disabled():
        for which, seconds in late.items():  # a window's first seconds bring most of its users their first promotions
            print(f"\npoint to promotion at {RATE} points/s, {which}: {len(seconds)} promotions", end="")
            print(f", p50 {percentile(seconds, 50):.2f} s, p95 {percentile(seconds, 95):.2f} s" if seconds else "")


def test_each_promotion_is_shown_once_by_its_users_phone(app, promotions):
    expected = defaultdict(set)
    for one in promotions:
        expected[one.record["appid"]].add(one.record["id"])

    inboxes = app.admin("notification_hubs", "GET", "/inboxes")["inboxes"]

    assert {device: sorted(one["id"] for one in some) for device, some in inboxes.items()} == {
        user: sorted(ids) for user, ids in expected.items()
    }
