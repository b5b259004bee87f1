"""The Jobs service as a server: the API over TLS on one port, the admin interface on another."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from emulators.clocks import epoch_milliseconds
from emulators.databricks.admin import jobs_admin
from emulators.databricks.api import AUDIENCE, JobsApi, jobs_application
from emulators.databricks.bundle import Bundle
from emulators.databricks.execution import Context
from emulators.databricks.faults import Faults
from emulators.databricks.programs import TaskRunner
from emulators.databricks.records import Records
from emulators.databricks.workspace import Workspace
from emulators.entra.checking import JwtChecker, SigningKeys
from emulators.serving import Site, serving


@dataclass(frozen=True, slots=True)
class JobsService:
    """What the service is started with; ports of 0 are chosen freely. `task_runner.runs` lies in `state`."""

    bundle: Bundle
    task_runner: TaskRunner
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
        context = Context(records, service.task_runner, faults, epoch_milliseconds, service.kill_after)
        workspace = Workspace(service.bundle.jobs, context)
        await stack.enter_async_context(workspace.working())
        api = JobsApi(workspace, lambda: addresses["workspace"])
        checker = JwtChecker((AUDIENCE, f"{AUDIENCE}/"), service.keys, time.time)
        sites = serving(
            admin=Site(jobs_admin(workspace), service.admin_port),
            workspace=Site(jobs_application(api, faults, checker), service.port, service.certificate),
        )
        addresses.update(await stack.enter_async_context(sites))
        yield addresses
