"""The Jobs service as a server: the API over TLS on one port, the admin interface on another."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from emulators.databricks.admin import admin_application
from emulators.databricks.api import AUDIENCE, JobsApi, jobs_application
from emulators.databricks.bundle import Bundle
from emulators.databricks.execution import Place
from emulators.databricks.faults import Faults
from emulators.databricks.programs import Workshop
from emulators.databricks.records import Records
from emulators.databricks.workspace import Workspace
from emulators.entra.checking import JwtChecker, SigningKeys
from emulators.tls import server_context
from emulators.web import serving


@dataclass(frozen=True, slots=True)
class JobsService:
    """What the service is started with; ports of 0 are chosen freely. `workshop.runs` lies in `state`."""

    bundle: Bundle
    workshop: Workshop
    state: Path
    certificate: Path
    keys: SigningKeys
    port: int = 0
    admin_port: int = 0
    kill_after: float = 20.0


@asynccontextmanager
async def running(service: JobsService) -> AsyncIterator[dict[str, str]]:
    """Run the service; yield its addresses `workspace` and `admin`."""
    service.state.mkdir(parents=True, exist_ok=True)
    addresses: dict[str, str] = {}
    async with AsyncExitStack() as stack:
        records = stack.enter_context(closing(Records(service.state / "runs.sqlite")))
        faults = Faults()
        place = Place(records, service.workshop, faults, wall_clock, service.kill_after)
        workspace = Workspace(service.bundle.jobs, place)
        await stack.enter_async_context(workspace.working())
        api = JobsApi(workspace, lambda: addresses["workspace"])
        checker = JwtChecker((AUDIENCE, f"{AUDIENCE}/"), service.keys, time.time)
        admin_port = await stack.enter_async_context(serving(admin_application(workspace), service.admin_port))
        application, context = jobs_application(api, faults, checker), server_context(service.certificate)
        port = await stack.enter_async_context(serving(application, service.port, context))
        addresses |= {"workspace": f"https://localhost:{port}", "admin": f"http://localhost:{admin_port}"}
        yield addresses


def wall_clock() -> int:
    """Give the machine's time in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000
