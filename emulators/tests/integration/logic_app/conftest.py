"""The Logic Apps emulator with a small workflow, and a client that posts to it over TLS."""

from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from emulators.logic_app.reading import read_workflows
from emulators.logic_app.server import LogicApps, running
from emulators.tls import client_context, make_tls_files

DEFINITIONS = Path(__file__).parents[2] / "workflows"
ORDER = {
    "order_id": "north:1",
    "kind": "shipped",
    "shop": "north",
    "day": "2026-11-22",
    "items": 12,
    "details": {"weight": 4.0},
    "message": "Twelve items are on their way.",
}


class Client:
    """Posts orders, and asks the admin port."""

    def __init__(self, session, addresses):
        self.session, self.addresses = session, addresses

    async def post(self, order=None, *, url=None, **options):
        answer, body = await self.whole(order, url=url, **options)
        return answer.status, body

    async def whole(self, order=None, *, url=None, **options):
        options = options or {"json": ORDER if order is None else order}
        async with self.session.post(url or self.addresses["order_notice"], allow_redirects=False, **options) as answer:
            return answer, await answer.json() if answer.content_type == "application/json" else None

    async def admin(self, method, path, body=None):
        async with self.session.request(method, self.addresses["admin"] + path, json=body) as answer:
            return (
                answer.status,
                await answer.json() if answer.content_type == "application/json" else await answer.text(),
            )

    async def fault(self, kind, **options):
        status, _ = await self.admin("POST", "/faults", {"kind": kind} | options)
        assert status == 200

    async def mails(self):
        _, found = await self.admin("GET", "/outbox")
        return found["mails"]


@pytest.fixture(scope="session")
def tls(tmp_path_factory):
    return make_tls_files(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def serve(tls, tmp_path):
    """Give a function that runs the emulator for the length of a block, always with the same outbox."""

    @asynccontextmanager
    async def serve():
        service = LogicApps(read_workflows(DEFINITIONS), tls.server, tmp_path / "outbox")
        connector = aiohttp.TCPConnector(ssl=client_context(tls.authority))
        async with aiohttp.ClientSession(connector=connector) as session, running(service) as addresses:
            yield Client(session, addresses)

    return serve


@pytest.fixture
async def client(serve):
    async with serve() as client:
        yield client
