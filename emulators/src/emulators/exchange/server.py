"""The exchange as a server: websockets and REST of every venue on one port, the admin interface on another."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress

from aiohttp import web

from emulators.exchange.admin import admin_application
from emulators.exchange.assets import PATH, assets_handler
from emulators.exchange.config import ExchangeConfig
from emulators.exchange.connection import Connection
from emulators.exchange.feed import Feed
from emulators.exchange.floor import Floor
from emulators.exchange.venue import Opening, PageMaker, PageRequest
from emulators.tls import server_context
from emulators.web import serving

logger = logging.getLogger(__name__)

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def wall_clock() -> int:
    """Give the machine's time in microseconds since 1970 UTC."""
    return time.time_ns() // 1_000


@asynccontextmanager
async def running(config: ExchangeConfig, clock: Callable[[], int] = wall_clock) -> AsyncIterator[dict[str, str]]:
    """Run an exchange; yield its addresses `websocket`, `rest` and `admin`.

    A venue's own paths lie beneath `<websocket>/<venue>` and `<rest>/<venue>`; `<rest>/coincap/v3` has the assets.
    """
    floor = Floor(config, clock)
    context = server_context(config.certificate) if config.certificate else None
    async with AsyncExitStack() as stack:
        admin_port = await stack.enter_async_context(serving(admin_application(floor), config.admin_port))
        port = await stack.enter_async_context(serving(exchange_application(floor), config.port, context))
        await stack.enter_async_context(_beating(floor))
        secure = "s" if context else ""
        yield {
            "websocket": f"ws{secure}://localhost:{port}",
            "rest": f"http{secure}://localhost:{port}",
            "admin": f"http://localhost:{admin_port}",
        }


def exchange_application(floor: Floor) -> web.Application:
    """Route every venue's websocket and pages beneath its prefix, and the assets."""
    application = web.Application()
    for name, feed in floor.feeds.items():
        for route in feed.venue.sockets:
            application.router.add_get(f"/{name}{route}", _socket_handler(floor, feed, route))
        for route, page in feed.venue.pages().items():
            application.router.add_get(f"/{name}{route}", _page_handler(floor, feed, page))
    application.router.add_get(PATH, assets_handler(floor.assets, lambda: floor.faults.of_assets(floor.clock())))
    return application


def _socket_handler(floor: Floor, feed: Feed, route: str) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        if floor.faults.is_out(feed.venue.name, floor.clock()):
            return _hang_up(request)
        opening = Opening(route, request.match_info.get("streams", ""), dict(request.query))
        connection = Connection(feed, feed.venue.converse(opening, feed, floor.clock), floor.faults, floor.clock)
        with _connected(floor, feed, connection):
            return await connection.serve(request)

    return handle


def _page_handler(floor: Floor, feed: Feed, page: PageMaker) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        now, venue = floor.clock(), feed.venue
        if floor.faults.is_out(venue.name, now, rest=True):
            return _hang_up(request)
        if refusal := floor.faults.rest_refusal(venue.name, now):
            status, wait = refusal
            return _json(venue.refusal(status), status, {"Retry-After": f"{wait:g}"})
        name = request.match_info.get("name", "")
        answer = page(PageRequest(now, feed.clock(now), name, dict(request.query), dict(request.headers)), feed)
        return _json(answer.body, answer.status, dict(answer.headers))

    return handle


def _json(body: bytes, status: int, headers: dict[str, str]) -> web.Response:
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)


@contextmanager
def _connected(floor: Floor, feed: Feed, connection: Connection) -> Iterator[None]:
    connections = floor.connections[feed.venue.name]
    connections.add(connection)
    try:
        yield
    finally:
        connections.discard(connection)


@asynccontextmanager
async def _beating(floor: Floor) -> AsyncIterator[None]:
    beat = asyncio.create_task(floor.run())
    beat.add_done_callback(_report_failure)
    try:
        yield
    finally:
        beat.cancel()
        with suppress(asyncio.CancelledError):
            await beat
        for connections in floor.connections.values():
            for connection in list(connections):
                connection.drop()


def _report_failure(beat: asyncio.Task[None]) -> None:
    if not beat.cancelled() and (error := beat.exception()):
        logger.critical("exchange.beat_failed", exc_info=error)
