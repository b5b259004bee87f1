"""The exchange as a server: websockets and REST of every venue on one port, the admin interface on another."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from aiohttp import web

from emulators.clocks import epoch_microseconds
from emulators.exchange.admin import exchange_admin
from emulators.exchange.assets import PATH, assets_handler
from emulators.exchange.config import ExchangeConfig
from emulators.exchange.connection import Connection
from emulators.exchange.exchange_state import ExchangeState
from emulators.exchange.feed import Feed
from emulators.exchange.limits import Allowances
from emulators.exchange.venue import Opening, PageMaker, PageRequest
from emulators.serving import Site, serving

logger = logging.getLogger(__name__)

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def running(
    config: ExchangeConfig, clock: Callable[[], int] = epoch_microseconds
) -> AsyncIterator[dict[str, str]]:
    """Run an exchange; yield its addresses `websocket`, `rest` and `admin`.

    A venue's own paths lie beneath `<websocket>/<venue>` and `<rest>/<venue>`; `<rest>/coincap/v3` has the assets.
    """
    state = ExchangeState(config, clock)
    sites = serving(
        admin=Site(exchange_admin(state), config.admin_port),
        rest=Site(exchange_application(state), config.port, config.certificate),
    )
    async with sites as addresses, _publishing(state):
        yield addresses | {"websocket": addresses["rest"].replace("http", "ws", 1)}


def exchange_application(state: ExchangeState) -> web.Application:
    """Route every venue's websocket and pages beneath its prefix, and the assets."""
    application = web.Application()
    for name, feed in state.feeds.items():
        for route in feed.venue.sockets:
            application.router.add_get(f"/{name}{route}", _socket_handler(state, feed, route))
        allowances = Allowances(feed.venue.limits)
        for route, page in feed.venue.pages().items():
            application.router.add_get(f"/{name}{route}", _page_handler(state, feed, allowances, route, page))
    application.router.add_get(PATH, assets_handler(state.assets, state.faults.of_assets))
    return application


def _socket_handler(state: ExchangeState, feed: Feed, route: str) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        if state.faults.is_out(feed.venue.name):
            return _hang_up(request)
        opening = Opening(route, request.match_info.get("streams", ""), dict(request.query))
        connection = Connection(feed, feed.venue.converse(opening, feed, state.clock), state.faults, state.clock)
        with _connected(state, feed, connection):
            return await connection.serve(request)

    return handle


def _page_handler(state: ExchangeState, feed: Feed, allowances: Allowances, route: str, page: PageMaker) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        now, venue = state.clock(), feed.venue
        if state.faults.is_out(venue.name, rest=True):
            return _hang_up(request)
        refusal = allowances.ask(request.remote or "", route, now) or state.faults.rest_refusal(venue.name)
        headers = allowances.headers(request.remote or "")
        if refusal:
            wait = {} if refusal.wait is None else {"Retry-After": f"{refusal.wait:.12g}"}
            return _json(venue.refusal(refusal.status, refusal.words), refusal.status, headers | wait)
        name = request.match_info.get("name", "")
        answer = page(PageRequest(now, feed.clock(now), name, dict(request.query), dict(request.headers)), feed)
        return _json(answer.body, answer.status, headers | dict(answer.headers))

    return handle


def _json(body: bytes, status: int, headers: dict[str, str]) -> web.Response:
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)


@contextmanager
def _connected(state: ExchangeState, feed: Feed, connection: Connection) -> Iterator[None]:
    connections = state.connections[feed.venue.name]
    connections.add(connection)
    try:
        yield
    finally:
        connections.discard(connection)


@asynccontextmanager
async def _publishing(state: ExchangeState) -> AsyncIterator[None]:
    loop = asyncio.create_task(state.run())
    loop.add_done_callback(_report_failure)
    try:
        yield
    finally:
        loop.cancel()
        with suppress(asyncio.CancelledError):
            await loop
        for connections in state.connections.values():
            for connection in list(connections):
                connection.drop()


def _report_failure(loop: asyncio.Task[None]) -> None:
    if not loop.cancelled() and (error := loop.exception()):
        logger.critical("exchange.loop_failed", exc_info=error)
