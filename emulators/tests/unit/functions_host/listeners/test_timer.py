import asyncio
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from emulators.functions_host.app_worker import Function
from emulators.functions_host.errors import AppRefused
from emulators.functions_host.listeners.registry import Surroundings
from emulators.functions_host.listeners.timer import LastRun, TimerListener, timer_payload
from emulators.functions_host.memory import Memory
from emulators.functions_host.ncrontab import Schedule

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTELY = Schedule("0 * * * * *")


def test_the_first_run_has_no_last_and_knows_its_next():
    payload = json.loads(timer_payload(MINUTELY, LastRun(None, NOON), NOON, late=False))

    assert payload["ScheduleStatus"]["Last"] == "0001-01-01T00:00:00"
    assert payload["ScheduleStatus"]["Next"] == "2026-01-01T12:01:00+00:00"
    assert payload["IsPastDue"] is False


def test_a_late_run_says_so_and_when_it_last_ran():
    began = NOON - timedelta(hours=1)

    payload = json.loads(timer_payload(MINUTELY, LastRun(began, began), NOON, late=True))

    assert payload["IsPastDue"] is True
    assert payload["ScheduleStatus"]["Last"] == began.isoformat()


@dataclass
class Runs:
    """Stands in for the invoker: notes each run, and fails as often as it is set up to."""

    failures: int = 0
    seen: list[dict] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, name, value, *, reason):
        self.seen.append(json.loads(value.json))
        self.arrived.set()
        if len(self.seen) <= self.failures:
            raise TypeError("stray")


@pytest.fixture
def memory():
    with closing(sqlite3.connect(":memory:")) as connection:
        yield Memory(connection)


def timer(schedule="0 0 0 1 1 *", **more):
    return Function("t", "t", ({"name": "timer", "type": "timerTrigger", "schedule": schedule, **more},))


async def listen(memory, function, runs, **settings):
    listener = TimerListener(Surroundings(settings, memory))
    await listener.start([function], runs)
    return listener


async def test_a_run_that_breaks_leaves_the_listener_alive(memory):
    runs = Runs(failures=1)
    listener = await listen(memory, timer(runOnStartup=True), runs)
    await asyncio.wait_for(runs.arrived.wait(), 5)
    runs.arrived.clear()

    listener.fire("t")
    await asyncio.wait_for(runs.arrived.wait(), 5)
    await listener.stop()

    assert len(runs.seen) == 2


@pytest.mark.parametrize(("monitored", "late"), [(True, [True]), (False, [])])
async def test_a_missed_occurrence_is_made_up_for_only_under_the_monitor(memory, monitored, late):
    memory.put("timer:t", json.dumps([None, "2020-06-01T00:00:00+00:00"]))
    runs = Runs()

    listener = await listen(memory, timer(useMonitor=monitored), runs)
    for _ in range(5):
        await asyncio.sleep(0)
    await listener.stop()

    assert [run["IsPastDue"] for run in runs.seen] == late


async def test_the_first_start_ever_is_not_late_but_is_remembered(memory):
    runs = Runs()

    listener = await listen(memory, timer(), runs)
    await asyncio.sleep(0)
    await listener.stop()

    assert runs.seen == []
    assert json.loads(memory.get("timer:t"))[0] is None


async def test_a_bad_schedule_or_time_zone_is_refused_by_function(memory):
    with pytest.raises(AppRefused, match="function 't'"):
        await listen(memory, timer("0 0 0 L * *"), Runs())
    with pytest.raises(AppRefused, match="WEBSITE_TIME_ZONE"):
        await listen(memory, timer(), Runs(), WEBSITE_TIME_ZONE="Nowhere/Land")
