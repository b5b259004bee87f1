"""A replayed slice whose try broke off: the next one goes on at its line, and nothing is lost or counted twice."""

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from shared.domain.windows.ending import completed
from shared.domain.windows.replay import ReplayPlan
from shared.domain.windows.resuming import continued, resumes
from shared.errors import SendFailed
from tests.unit.shared.flows.test_ingest_slice import World
from tests.unit.shared.flows.test_replayed_slice import Recorded


@dataclass
class FailingOnce:
    """A sender that fails at one of its sends, though the hub has stored what it was sent."""

    sender: Any
    sends_left: list[int]

    async def send(self, events):
        delivery = await self.sender.send(events)
        self.sends_left[0] -= 1
        if self.sends_left[0] == 0:
            raise SendFailed("The connection was lost.")
        return delivery


class ReplayingWorld(World):
    """A world whose window replays 200 lines, one of them bad."""

    def __init__(self, folder):
        super().__init__()
        recorded = Recorded(folder, count=200, bad=(7,))
        self.recording, self.quarantine, self.sends_left = recorded.file, recorded.quarantine, [0]
        self.plan = replace(self.plan, replay=ReplayPlan("file:///payments.csv", "1", 0, 0, 0, 1))

    @property
    def tools(self):
        @asynccontextmanager
        async def connected(stream, *_):
            async with self.hubs.sender(stream.hubs[0]) as sender:
                yield FailingOnce(sender, self.sends_left)

        return replace(super().tools, destinations=connected)

    @property
    def sent(self):
        return [int(json.loads(event.body)["transactionID"]) for event in self.hubs.received["transactions"]]


@pytest.fixture
def world(tmp_path):
    return ReplayingWorld(tmp_path)


def test_a_slice_that_broke_off_goes_on_at_its_line_and_counts_every_line_once(world):
    world.sends_left[0] = 10
    with pytest.raises(SendFailed):
        world.ingest(0)
    before = len(world.sent)

    world.ingest(0)

    first, second = world.ledger.attempts(world.window.id)
    counts = second.counts["transactions"]
    assert set(world.sent) == set(range(100)) - {7}
    assert len(world.sent) == 99 + before - first.report["settled"]["counts"]["transactions"]["accepted"]
    assert (counts["read"], counts["accepted"], counts["refused"]) == (100, 99, 1)
    assert (first.state, second.state) == ("failed", "done")
    assert 0 < first.report["replay"]["lines"] < before
    assert second.report["replay"]["lines"] == 100
    assert continued(completed([first, second])) == {"0": [1]}


def test_a_try_that_goes_on_gives_its_records_the_places_behind_those_of_before(world):
    for _ in range(2):
        world.sends_left[0] = 10
        with pytest.raises(SendFailed):
            world.ingest(0)

    settled = [row.report["settled"] for row in world.ledger.attempts(world.window.id)]
    accepted = [each["counts"]["transactions"]["accepted"] for each in settled]
    assert [each["placed"] for each in settled] == [{"transactions": count} for count in accepted]
    assert 0 < accepted[0] < accepted[1]


def test_a_slice_that_ended_at_its_first_try_continues_none(world):
    world.ingest(0)

    assert continued(completed(world.ledger.attempts(world.window.id))) == {}
    assert len(world.sent) == 99


@pytest.mark.parametrize(
    ("changes", "may"),
    [
        ({}, True),
        ({"cosmos": "ingestion/transactions"}, False),
        ({"cosmos": "ingestion/transactions", "destination": "cosmos"}, False),
        ({"destination": "lake_parquet"}, False),
    ],
)
def test_a_try_begins_anew_where_what_an_earlier_one_gave_may_not_have_got_there(world, changes, may):
    (stream,) = world.plan.streams

    assert resumes(replace(world.plan, streams=(replace(stream, **changes),))) is may
