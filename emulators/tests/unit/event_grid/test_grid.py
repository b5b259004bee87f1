import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from emulators.event_grid.dead_letters import StorageUnavailable
from emulators.event_grid.delivery_worker import DeliveryWorker
from emulators.event_grid.events import Schema
from emulators.event_grid.faults import Fault, Faults
from emulators.event_grid.grid import Grid
from emulators.event_grid.journal import Journal
from emulators.event_grid.schedule import DeliveryOutcome
from tests.unit.event_grid.conftest import NOON, make_subscription

SCALE = 1e-6


@dataclass
class ScriptedEndpoints:
    """Answers with the scripted statuses, then 202; validates after `refusals` tries."""

    statuses: list = field(default_factory=list)
    refusals: int = 0
    asked: int = 0
    delivered: list = field(default_factory=list)

    async def deliver(self, delivery):
        self.delivered.append((delivery.event.id, delivery.attempts))
        return DeliveryOutcome.of(self.statuses.pop(0) if self.statuses else 202)

    async def validate(self, subscription):
        self.asked += 1
        return self.asked > self.refusals


@dataclass
class ListDeadLetterStore:
    """Keeps dead letters' reasons; is away for the first `refusals`."""

    refusals: int = 0
    kept: list = field(default_factory=list)

    async def put(self, delivery, reason):
        if self.refusals:
            self.refusals -= 1
            raise StorageUnavailable("away")
        self.kept.append((delivery.event.id, reason))
        return "container/path"


class Clock:
    """Stands at noon until it is moved."""

    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now


@asynccontextmanager
async def running_grid(endpoints=None, dead_letters=None, clock=None, **subscription):
    endpoints = endpoints or ScriptedEndpoints()
    worker = DeliveryWorker(
        endpoints, dead_letters or ListDeadLetterStore(), Journal(), Faults(), SCALE, clock or Clock()
    )
    grid = Grid(worker, endpoints)
    grid.subscribe(make_subscription(**subscription))
    yield grid
    await grid.close()


async def settled(condition):
    """Let the grid's tasks run until the condition holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 (each turn of the loop is a step of the grid)
            await asyncio.sleep(0)


async def test_an_event_reaches_the_subscription_that_wants_it_and_the_journal_says_so(grid_event):
    async with running_grid(included_event_types=("ADF_Event",)) as grid:
        grid.publish([grid_event("yes"), grid_event("no", kind="Window_Closed")])
        await settled(lambda: grid.worker.journal.deliveries)

    (delivery,) = grid.worker.journal.deliveries
    assert (delivery["event_id"], delivery["status"], delivery["attempt"]) == ("yes", 202, 1)
    assert [noted["subscriptions"] for noted in grid.worker.journal.events] == [["enrichment"], []]


async def test_a_failing_endpoint_is_tried_until_it_answers(grid_event):
    endpoints = ScriptedEndpoints([500, 503, 404])
    async with running_grid(endpoints) as grid:
        grid.publish([grid_event()])
        await settled(lambda: len(endpoints.delivered) == 4)

    assert [attempts for _, attempts in endpoints.delivered] == [0, 1, 2, 3]


async def test_an_endpoint_that_refuses_for_good_makes_a_dead_letter_at_once(grid_event):
    endpoints, dead_letters = ScriptedEndpoints([401]), ListDeadLetterStore()
    async with running_grid(endpoints, dead_letters) as grid:
        grid.publish([grid_event()])
        await settled(lambda: grid.worker.journal.dead_letters)

    assert dead_letters.kept == [("trades-1", "UndeliverableDueToHttpUnauthorized")]
    assert len(endpoints.delivered) == 1


async def test_an_event_that_outlives_its_time_is_not_tried_again(grid_event):
    clock, dead_letters = Clock(), ListDeadLetterStore()
    endpoints = ScriptedEndpoints([500])
    async with running_grid(endpoints, dead_letters, clock, event_time_to_live_in_minutes=1) as grid:
        grid.publish([grid_event()])
        await settled(lambda: endpoints.delivered)
        clock.now = NOON.replace(hour=13)
        await settled(lambda: dead_letters.kept)

    assert dead_letters.kept == [("trades-1", "TimeToLiveExceeded")]
    assert len(endpoints.delivered) == 1


async def test_a_dead_letter_waits_for_storage(grid_event):
    dead_letters = ListDeadLetterStore(refusals=2)
    async with running_grid(ScriptedEndpoints([400]), dead_letters) as grid:
        grid.publish([grid_event()])
        await settled(lambda: dead_letters.kept)
        await settled(lambda: grid.worker.journal.dead_letters)

    assert grid.worker.journal.dead_letters[0]["blob"] == "container/path"


async def test_deliveries_wait_until_the_endpoint_has_agreed(grid_event):
    endpoints = ScriptedEndpoints(refusals=1)
    async with running_grid(endpoints) as grid:
        grid.publish([grid_event()])
        await settled(lambda: endpoints.asked == 1)
        before = list(endpoints.delivered)
        await settled(lambda: endpoints.delivered)

    assert (before, endpoints.asked) == ([], 2)


async def test_a_removed_subscription_gets_nothing_more(grid_event):
    endpoints = ScriptedEndpoints()
    async with running_grid(endpoints) as grid:
        assert grid.unsubscribe("ENRICHMENT")
        grid.publish([grid_event()])
        await asyncio.sleep(0)

    assert (endpoints.delivered, grid.unsubscribe("enrichment")) == ([], False)


async def test_duplicates_are_made_on_demand(grid_event):
    endpoints = ScriptedEndpoints()
    async with running_grid(endpoints) as grid:
        grid.worker.faults.add(Fault("duplicate"))
        grid.publish([grid_event("a"), grid_event("b")])
        await settled(lambda: len(endpoints.delivered) == 3)

    assert sorted(event for event, _ in endpoints.delivered) == ["a", "a", "b"]


async def test_held_events_are_delivered_last_first(grid_event):
    endpoints = ScriptedEndpoints()
    async with running_grid(endpoints) as grid:
        grid.worker.faults.add(Fault("out_of_order", count=3))
        grid.publish([grid_event(name) for name in "abc"])
        await settled(lambda: len(endpoints.delivered) == 3)

    assert [event for event, _ in endpoints.delivered] == ["c", "b", "a"]


async def test_held_events_are_delivered_even_if_fewer_come(grid_event):
    endpoints = ScriptedEndpoints()
    async with running_grid(endpoints) as grid:
        grid.worker.faults.add(Fault("out_of_order", count=3, seconds=0.01))
        grid.publish([grid_event(name) for name in "ab"])
        await settled(lambda: len(endpoints.delivered) == 2)

    assert [event for event, _ in endpoints.delivered] == ["b", "a"]


async def test_a_lost_answer_makes_a_second_delivery_of_what_was_delivered(grid_event):
    endpoints = ScriptedEndpoints()
    async with running_grid(endpoints) as grid:
        grid.worker.faults.add(Fault("lose_answer"))
        grid.publish([grid_event()])
        await settled(lambda: len(grid.worker.journal.deliveries) == 2)

    assert [noted["outcome"] for noted in grid.worker.journal.deliveries] == ["TimedOut", "Success"]


async def test_a_late_event_lets_others_pass(grid_event):
    endpoints = ScriptedEndpoints()
    async with running_grid(endpoints) as grid:
        grid.worker.faults.add(Fault("late", seconds=0.02))
        grid.publish([grid_event("late"), grid_event("next")])
        await settled(lambda: len(endpoints.delivered) == 2)

    assert [event for event, _ in endpoints.delivered] == ["next", "late"]


async def test_a_cloud_event_is_for_cloud_event_subscriptions_only(cloud_event):
    async with running_grid() as grid:
        grid.publish([cloud_event()])

        assert grid.worker.journal.events[0]["subscriptions"] == []
    async with running_grid(event_delivery_schema=Schema.CLOUD_EVENTS) as grid:
        grid.publish([cloud_event()])

        assert grid.worker.journal.events[0]["subscriptions"] == ["enrichment"]


@pytest.mark.parametrize("arguments", [["--time-scale", "0"], ["--time-scale", "2"], ["--time-scale", "soon"]])
def test_a_time_scale_is_a_share(arguments, capsys):
    from emulators.event_grid.__main__ import main

    with pytest.raises(SystemExit):
        main(arguments)

    assert "is not a number above 0 and at most 1" in capsys.readouterr().err
