"""The outage of the demo: what runs beside a block, and the wait for what was spilled."""

import asyncio
from dataclasses import dataclass, field

import pytest

from local.demo import outage
from local.demo.outage import NotDrained, beside, drained, must_have_spilled
from local.demo.verification import StreamCheck

WINDOWS = {"payments": {"id": "payments-20261122T100000Z"}, "trades": None}


@dataclass
class Work:
    """Work that goes on until it is told to end, or is cancelled."""

    ends: asyncio.Event = field(default_factory=asyncio.Event)
    tidied: bool = False

    async def run(self):
        try:
            await self.ends.wait()
        finally:
            self.tidied = True


async def test_the_work_beside_a_block_is_waited_for():
    work = Work()

    async with beside(work.run()):
        work.ends.set()

    assert work.tidied


async def test_an_error_of_the_block_leaves_as_it_is_and_the_work_is_cancelled():
    work = Work()

    async def fails():
        async with beside(work.run()):
            await asyncio.sleep(0)
            raise TimeoutError("not in time")

    with pytest.raises(TimeoutError, match="in time"):
        await fails()

    assert work.tidied


async def test_an_error_of_the_work_leaves_as_it_is():
    async def refused():
        raise ConnectionError("the hub refuses faults")

    with pytest.raises(ConnectionError, match="refuses faults"):
        async with beside(refused()):
            await asyncio.sleep(0)


@pytest.fixture
def spill(monkeypatch):
    """Let the app say of each window what is given here, the last one again and again."""
    answers = []

    async def asked(app, window_id):
        return {"transactions": answers.pop(0) if len(answers) > 1 else answers[0]}

    monkeypatch.setattr(outage, "spilled", asked)
    monkeypatch.setattr(outage, "_EVERY_SECONDS", 0.0)
    return answers


async def test_the_wait_ends_once_nothing_waits(spill):
    spill += [{"waiting": 5}, {"waiting": 2, "redriven": 3}, {"redriven": 5}]
    shown = []

    await drained("http://app", WINDOWS, 10, shown.append)

    assert shown == ["5 records wait in the spill", "2 records wait in the spill"]


async def test_what_still_waits_in_the_end_is_said_with_what_to_look_at(spill):
    spill += [{"waiting": 5, "dead": 1}]

    with pytest.raises(NotDrained, match=r"After 0\.05 s 5 records still wait in the spill: GET http://app/api/spill"):
        await drained("http://app", WINDOWS, 0.05, lambda text: None)


PROBLEM = "the hub was away, but nothing was spilled"


@pytest.mark.parametrize(
    ("window", "spilled", "problems"), [("lost", 0, (PROBLEM,)), ("lost", 7, ()), ("a later one of its feed", 0, ())]
)
def test_only_the_window_whose_hub_was_lost_must_have_spilled(window, spilled, problems):
    check = StreamCheck(window, "transactions", "closed", 3, 9, {"spilled": spilled}, {}, 9, 9, {}, {}, 0, ())

    assert must_have_spilled(check, "lost").problems == problems
