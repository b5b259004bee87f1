"""The Logic Apps stand-in with the project's own workflow, and a client that posts to it over TLS."""

from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from emulators.logic_app.reading import read_workflows
from emulators.logic_app.server import LogicApps, running
from emulators.tls import client_context, make_tls_files

DEFINITIONS = Path(__file__).parents[3] / "definitions" / "logic_apps"
ALERT = {
    "alert_id": "trades:run-1:alert",
    "kind": "alert",
    "cause": "low",
    "table": "trades",
    "run_id": "run-1",
    "window": "trades-20261122T100000Z",
    "ingestion_date": "2026-11-22",
    "ingestion_time": "10:00:00",
    "rows_count_delta": 12,
    "current_ingestion_table_state": 2034,
    "limits": {"floor": 1000, "low": 950.0, "high": 5700.0, "median": 1900.0, "based_on": 9},
    "message": "Window trades-20261122T100000Z brought 12 rows.",
}


class Client:
    """Posts alerts, and asks the admin port."""

    def __init__(self, session, addresses):
        self.session, self.addresses = session, addresses

    async def post(self, alert=None, *, url=None, **options):
        answer, body = await self.whole(alert, url=url, **options)
        return answer.status, body

    async def whole(self, alert=None, *, url=None, **options):
        options = options or {"json": ALERT if alert is None else alert}
        async with self.session.post(
            url or self.addresses["ingestion_alert"], allow_redirects=False, **options
        ) as answer:
            return answer, await answer.json() if answer.content_type == "application/json" else None

    async def admin(self, method, path, body=None):
        async with self.session.request(method, self.addresses["admin"] + path, json=body) as answer:
            return (
                answer.status,
                await answer.json() if answer.content_type == "application/json" else await answer.text(),
            )

    async def fault(self, kind, **order):
        status, _ = await self.admin("POST", "/faults", {"kind": kind} | order)
        assert status == 200

    async def mails(self):
        _, found = await self.admin("GET", "/outbox")
        return found["mails"]


@pytest.fixture(scope="session")
def tls(tmp_path_factory):
    return make_tls_files(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def serve(tls, tmp_path):
    """Give a function that runs the stand-in for the length of a block, always with the same outbox."""

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
