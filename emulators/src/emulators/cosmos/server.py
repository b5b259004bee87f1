"""The whole emulator: the account on https, the admin port, and behind both the program that keeps the items."""

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web

from emulators.cosmos.account import Account
from emulators.cosmos.admin import cosmos_admin
from emulators.cosmos.authentication import MANAGE, METADATA, READ, WRITE, Authenticator
from emulators.cosmos.backend import Backend
from emulators.cosmos.containers import Containers, Declaration
from emulators.cosmos.documents import Documents, is_true
from emulators.cosmos.faults import Faults
from emulators.cosmos.items import MOST_BYTES
from emulators.cosmos.node_server import running_node_server
from emulators.cosmos.refusals import Refusal, unauthorized
from emulators.cosmos.resources import Resource, read_path
from emulators.serving import Site, serving

_logger = logging.getLogger(__name__)
_ROOM = 2 * MOST_BYTES  # so that a request over the limit is refused in the service's words


@dataclass(frozen=True, slots=True)
class Cosmos:
    """What to serve: the containers there are from the start, who may do what, and the ports (0 = a free one).

    server: the folder of the npm package. partitions: the physical partitions of containers that are made later.
    `seconds` only goes forward, `epoch` gives seconds since 1970.
    """

    server: Path
    certificate: Path
    authenticator: Authenticator
    containers: Sequence[Declaration] = ()
    partitions: int = 1
    port: int = 0
    admin_port: int = 0
    seconds: Callable[[], float] = time.monotonic
    epoch: Callable[[], float] = field(default=time.time)


@asynccontextmanager
async def running(config: Cosmos) -> AsyncIterator[dict[str, str]]:
    """Serve while the context lasts; yields the addresses `account` (what a client is given) and `admin`."""
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(running_node_server(config.server))
        session = await stack.enter_async_context(aiohttp.ClientSession(address))
        backend, containers, faults = Backend(session), Containers(config.seconds, config.epoch), Faults()
        account = Account(backend, containers, config.partitions)
        for declaration in config.containers:
            await account.provision(declaration)
        entry = _Entry(config.authenticator, account, Documents(backend, containers, faults), faults)
        application = web.Application(client_max_size=_ROOM)
        application.router.add_route("*", "/{path:.*}", entry.handle)
        sites = serving(
            account=Site(application, config.port, config.certificate),
            admin=Site(cosmos_admin(containers, faults), config.admin_port),
        )
        addresses = await stack.enter_async_context(sites)
        account.endpoint = addresses["account"]
        yield addresses


@dataclass(frozen=True, slots=True)
class _Entry:
    """Takes every request: lets it meet the faults of connections, checks who asks, and hands it on."""

    authenticator: Authenticator
    account: Account
    documents: Documents
    faults: Faults

    async def handle(self, request: web.Request) -> web.Response:
        if slow := self.faults.take("slow"):
            await asyncio.sleep(slow.delay)
        if self.faults.take("away"):
            return _cut(request)
        try:
            answer = await self._answer(request)
        except Refusal as refusal:
            _logger.info(
                "cosmos.refused status=%s substatus=%s path=%s", refusal.status, refusal.substatus, request.path
            )
            answer = refusal.response()
        answer.headers["x-ms-activity-id"] = request.headers.get("x-ms-activity-id") or str(uuid.uuid4())
        return answer

    async def _answer(self, request: web.Request) -> web.Response:
        resource = read_path(request.path)
        if self.faults.take("refuse_tokens"):
            raise unauthorized("Refused on demand.")
        await self.authenticator.check(request.method, resource, _action(request, resource), request.headers)
        if resource.kind != "docs":
            return await self.account.answer(request, resource)
        # What was asked is done even if the caller has gone, as in Azure.
        return await asyncio.shield(self._items(request, resource))

    async def _items(self, request: web.Request, resource: Resource) -> web.Response:
        answer = await self.documents.answer(request, resource)
        return _cut(request) if self.faults.take("lost_answer") else answer


def _action(request: web.Request, resource: Resource) -> str:
    if resource.kind != "docs":
        return METADATA if request.method == "GET" else MANAGE
    reads = request.method == "GET" or is_true(request.headers, "x-ms-documentdb-isquery")
    return READ if reads else WRITE


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)
