"""The app seen from outside, as any caller can: its windows by HTTP, and the trades that the exchange made."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

import aiohttp

from local.demo.scenario import RequestedWindow
from local.demo.verification import Source

_EVERY_SECONDS = 1.0
_ENDED = frozenset({"closed", "incomplete", "stopped", "failed", "missed"})

type Windows = Mapping[str, Mapping[str, Any] | None]
"""The windows of the demo by name, as `GET /api/windows/{id}` shows them; None before they are claimed.

The first window of a feed has the feed's name.
"""


async def first_windows(app: str, feeds: Sequence[str], deadline: float, show: Callable[[Windows], None]) -> Windows:
    """Wait until the timer has claimed a window of each feed; raises TimeoutError after `deadline` seconds."""
    async with asyncio.timeout(deadline), aiohttp.ClientSession() as session:
        while True:
            listed = (await _get_when_there(session, f"{app}/api/windows"))["windows"]
            first = {window["feed"]: window for window in listed}  # they come newest first
            windows = {feed: await _maybe(session, app, first.get(feed)) for feed in feeds}
            show(windows)
            if all(windows.values()):
                return windows
            await asyncio.sleep(_EVERY_SECONDS)


async def request_windows(app: str, requested: Sequence[RequestedWindow]) -> Windows:
    """Ask the app for more windows, and give them as it answers."""
    async with aiohttp.ClientSession() as session:
        return {one.name: await _requested(session, app, one) for one in requested}


async def watch_until(
    app: str, windows: Windows, deadline: float, show: Callable[[Windows], None], done: Callable[[Windows], bool]
) -> Windows:
    """Show the windows each second until `done`; raises TimeoutError after `deadline` seconds."""
    async with asyncio.timeout(deadline), aiohttp.ClientSession() as session:
        while not done(windows):
            await asyncio.sleep(_EVERY_SECONDS)
            windows = {feed: await _maybe(session, app, window) for feed, window in windows.items()}
            show(windows)
    return windows


def have_ended(windows: Windows) -> bool:
    """Say whether all windows have ended."""
    return all(window and window["state"] in _ENDED for window in windows.values())


async def play_recording(admin: str, start: datetime) -> None:
    """Let the exchange's recording begin: its first match falls exactly on `start`."""
    body = {"start": f"{start:%Y-%m-%dT%H:%M:%SZ}"}
    async with aiohttp.ClientSession() as session, session.post(f"{admin}/recording", json=body) as answer:
        answer.raise_for_status()


async def trades_that_happened(admin: str, markets: tuple[str, ...], start: datetime, end: datetime) -> Source:
    """Ask the exchange which trades it made in `[start, end)`."""
    async with aiohttp.ClientSession() as session:
        listed = await asyncio.gather(*(_trades(session, admin, market, start, end) for market in markets))
    keys = frozenset(key for part in listed for key in part)
    return Source(len(keys), keys)


async def _requested(session: aiohttp.ClientSession, app: str, requested: RequestedWindow) -> Mapping[str, Any]:
    async with session.post(f"{app}/api/windows", json=requested.as_request()) as answer:
        answer.raise_for_status()
        (window,) = (await answer.json())["windows"]
    return await get_json(session, f"{app}/api/windows/{window['id']}")


async def _maybe(
    session: aiohttp.ClientSession, app: str, window: Mapping[str, Any] | None
) -> Mapping[str, Any] | None:
    return await _get_when_there(session, f"{app}/api/windows/{window['id']}") if window else None


async def _get_when_there(session: aiohttp.ClientSession, url: str) -> Mapping[str, Any]:
    """Get a JSON object, and ask again while the app says that its storage is away: a slow machine has such moments."""
    while True:
        try:
            return await get_json(session, url)
        except aiohttp.ClientResponseError as failure:
            if failure.status != HTTPStatus.SERVICE_UNAVAILABLE:
                raise
        await asyncio.sleep(_EVERY_SECONDS)


async def get_json(session: aiohttp.ClientSession, url: str) -> Mapping[str, Any]:
    """Get a JSON object; raises aiohttp.ClientError for any status that is none of success."""
    async with session.get(url) as answer:
        answer.raise_for_status()
        document: Mapping[str, Any] = await answer.json()
        return document


async def _trades(
    session: aiohttp.ClientSession, admin: str, market: str, start: datetime, end: datetime
) -> list[tuple[str, str, int]]:
    venue, _, symbol = market.partition("=")[0].partition(":")  # a plan's market says its base and quote, too
    asked = {"venue": venue, "symbol": symbol, "from": start.isoformat(), "to": end.isoformat()}
    async with session.get(f"{admin}/trades", params=asked) as answer:
        answer.raise_for_status()
        return [(venue, symbol, trade["trade_id"]) for trade in (await answer.json())["trades"]]
