"""The outage of the demo: a hub is lost in the middle of a window, and what was spilled then is waited for."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import aiohttp

from local.demo.polling import Windows, get_json
from local.demo.verification import StreamCheck

LOST_AFTER: Final = timedelta(seconds=4)
LOST_FOR: Final = timedelta(seconds=20)

_EVERY_SECONDS = 1.0

type SpillStates = Mapping[str, int]
"""Spilled records of one stream of one window, by what became of them: `waiting`, `redriven`, `dead`, `discarded`."""


class NotDrained(Exception):
    """Records still wait in the spill; the text says how many, and what to look at."""


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do some work beside a block that succeeds only with it; where the block fails, the work is cancelled.

    Errors of either leave as they are.
    """
    task = asyncio.create_task(work)
    try:
        yield
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def lose_hub(admin: str, hub: str, start: datetime) -> None:
    """Let the connection break at each send to a hub, from soon after the window's start on, for 20 s."""
    async with aiohttp.ClientSession() as session:
        await asyncio.sleep(max((start + LOST_AFTER - datetime.now(UTC)).total_seconds(), 0.0))
        async with session.post(f"{admin}/faults", json={"kind": "drop", "hub": hub, "share": 1}) as answer:
            answer.raise_for_status()
        try:
            await asyncio.sleep(LOST_FOR.total_seconds())
        finally:
            async with session.delete(f"{admin}/faults") as answer:
                answer.raise_for_status()


async def spilled(app: str, window_id: str) -> dict[str, SpillStates]:
    """Ask the app what became of a window's spilled records, by stream."""
    async with aiohttp.ClientSession() as session:
        listed: Sequence[Mapping[str, Any]] = (await get_json(session, f"{app}/api/spill?window={window_id}"))["spill"]
    streams: dict[str, dict[str, int]] = {}
    for one in listed:
        streams.setdefault(one["stream"], {})[one["state"]] = one["rows"]
    return {**streams}


async def drained(app: str, windows: Windows, deadline: float, show: Callable[[str], None]) -> None:
    """Wait until nothing of these windows waits in the spill; raises NotDrained after `deadline` seconds."""
    waiting: int | None = None
    try:
        async with asyncio.timeout(deadline):
            while waiting := await _waiting(app, windows):
                show(f"{waiting} records wait in the spill")
                await asyncio.sleep(_EVERY_SECONDS)
    except TimeoutError as timeout:
        still = "it is not known how many records" if waiting is None else f"{waiting} records"
        raise NotDrained(
            f"After {deadline:g} s {still} still wait in the spill: GET {app}/api/spill says which and why."
        ) from timeout


def must_have_spilled(check: StreamCheck, lost: str | None) -> StreamCheck:
    """Hold the window whose hub was lost, by its id, to what must happen then."""
    if check.window != lost or check.counts.get("spilled"):
        return check
    return replace(check, problems=(*check.problems, "the hub was away, but nothing was spilled"))


async def _waiting(app: str, windows: Windows) -> int:
    found = [await spilled(app, window["id"]) for window in windows.values() if window]
    return sum(states.get("waiting", 0) for streams in found for states in streams.values())
