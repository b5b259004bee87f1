"""A Jobs service over the fixture's bundle, the local Entra beside it, and a plain HTTP client of both."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from emulators.databricks.bundle import read_bundle
from emulators.databricks.programs import TaskRunner
from emulators.databricks.server import JobsService, running
from emulators.entra import server as entra_server
from emulators.entra.identities import make_identities
from emulators.entra.published_keys import PublishedKeys
from emulators.tls import client_context, make_tls_files

BUNDLE = Path(__file__).with_name("bundle")
SCOPE = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default"
SECRET = "s3cret-of-the-lake"
OVER = ("TERMINATED", "SKIPPED", "INTERNAL_ERROR")


@dataclass
class Entra:
    """The local Entra: its issuer, and tokens of its first client."""

    issuer: str
    form: dict[str, str]
    session: aiohttp.ClientSession

    async def token(self, scope: str = SCOPE) -> str:
        url = f"{self.issuer}oauth2/v2.0/token"
        async with self.session.post(url, data=self.form | {"scope": scope}) as answer:
            return (await answer.json())["access_token"]


class Jobs:
    """A client of the running service; `state` is its folder."""

    def __init__(self, addresses: dict[str, str], session: aiohttp.ClientSession, token: str, state: Path) -> None:
        self.addresses, self.session, self.token, self.state = addresses, session, token, state

    async def call(self, method: str, call: str, body: Any = None, **query: Any) -> tuple[int, Any]:
        status, found, _ = await self.whole(method, call, body, **query)
        return status, found

    async def whole(self, method: str, call: str, body: Any = None, **query: Any) -> tuple[int, Any, dict[str, str]]:
        url = f"{self.addresses['workspace']}/api/2.2/jobs/{call}"
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with self.session.request(method, url, json=body, params=query, headers=headers) as answer:
            return answer.status, await answer.json(), dict(answer.headers)

    async def request(self, method: str, path: str) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with self.session.request(method, self.addresses["workspace"] + path, headers=headers) as answer:
            return answer.status, await answer.json()

    async def admin(self, method: str, path: str, body: Any = None) -> Any:
        async with self.session.request(method, self.addresses["admin"] + path, json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def fault(self, kind: str, **order: Any) -> None:
        await self.admin("POST", "/faults", {"kind": kind} | order)

    async def job_id(self, name: str) -> int:
        _, found = await self.call("GET", "list", name=name)
        return found["jobs"][0]["job_id"]

    async def run_now(self, name: str, act: str | None = None, **order: Any) -> int:
        parameters = {} if act is None else {"job_parameters": {"act": act}}
        status, found = await self.call("POST", "run-now", {"job_id": await self.job_id(name)} | parameters | order)
        assert status == 200, found
        return found["run_id"]

    async def run(self, run_id: int) -> dict[str, Any]:
        status, found = await self.call("GET", "runs/get", run_id=run_id)
        assert status == 200, found
        return found

    async def cancel(self, run_id: int) -> None:
        assert await self.call("POST", "runs/cancel", {"run_id": run_id}) == (200, {})

    async def until(self, run_id: int, *states: str) -> dict[str, Any]:
        return await self.until_it(run_id, lambda run: run["state"]["life_cycle_state"] in states)

    async def until_it(self, run_id: int, looks_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Ask for the run, as a client has to, until it looks as wanted."""
        async with asyncio.timeout(15):
            while True:
                if looks_so(run := await self.run(run_id)):
                    return run
                await asyncio.sleep(0.02)

    async def end(self, run_id: int) -> dict[str, Any]:
        return await self.until(run_id, *OVER)

    async def waiting(self, run_id: int) -> None:
        """Wait until the run's program has written that it waits."""
        await self.until_it(run_id, lambda _: (self.folder(run_id) / "waiting").exists())

    def let_go(self, run_id: int) -> None:
        (self.folder(run_id) / "go").touch()

    def folder(self, run_id: int) -> Path:
        return self.state / "runs" / str(run_id)

    async def pid(self, run_id: int) -> int:
        runs = (await self.admin("GET", "/runs"))["runs"]
        return next(run for run in runs if run["run_id"] == run_id)["tasks"][0]["pid"]

    async def log(self, run_id: int) -> str:
        _, output = await self.call("GET", "runs/get-output", run_id=run_id)
        return output["logs"]


@pytest.fixture(scope="session")
def tls(tmp_path_factory):
    return make_tls_files(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def session(tls) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(ssl=client_context(tls.authority))
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session


@pytest.fixture
async def entra(tls, session) -> AsyncIterator[Entra]:
    identities = make_identities()
    client = identities.client_in_role("Sender")
    form = {"grant_type": "client_credentials", "client_id": client.client_id, "client_secret": client.secret}
    async with entra_server.running(identities, tls.server) as addresses:
        yield Entra(addresses["issuer"], form, session)


@pytest.fixture
async def start(tls, session, entra, tmp_path) -> AsyncIterator[Callable[..., Any]]:
    token = await entra.token()
    async with AsyncExitStack() as stack:

        async def start_one(**changes: Any) -> Jobs:
            service = jobs_service(tls, entra.issuer, tmp_path, **changes)
            return Jobs(await stack.enter_async_context(running(service)), session, token, tmp_path)

        yield start_one


@pytest.fixture
async def jobs(start) -> Jobs:
    return await start()


def jobs_service(tls, issuer: str, state: Path, **changes: Any) -> JobsService:
    environment = {"PATH": "/usr/bin", "HOME": str(state), "SECRET_TOKEN": SECRET, "UNRELATED": "x"}
    return JobsService(
        bundle=read_bundle(BUNDLE, "local"),
        task_runner=TaskRunner(BUNDLE, Path(sys.executable), state / "runs", environment, ["SECRET_TOKEN"]),
        state=state,
        certificate=tls.server,
        keys=PublishedKeys(issuer, client_context(tls.authority)),
        **changes,
    )
