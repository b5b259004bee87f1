"""The admin interface, plain HTTP: faults on demand, and every run with its processes and logs."""

from typing import Any

import msgspec
from aiohttp import web

from emulators.databricks.faults import FaultOrder
from emulators.databricks.lifecycle import Run
from emulators.databricks.workspace import Workspace
from emulators.web import explained, json_answer


class Admin:
    """The handlers of the admin interface; a refused order gets 400 with `{"error": ...}`."""

    def __init__(self, workspace: Workspace) -> None:
        """Administer `workspace`."""
        self._workspace = workspace

    async def health(self, request: web.Request) -> web.Response:
        """`GET /health`: the jobs by name."""
        del request
        jobs = {job.definition.name: job.job_id for job in self._workspace.jobs.values()}
        return json_answer({"status": "ok", "jobs": jobs})

    async def show_runs(self, request: web.Request) -> web.Response:
        """`GET /runs`: every run, the newest first, with the process id and the log of each task."""
        del request
        return json_answer({"runs": [self._described(run) for run in self._workspace.place.records.all()]})

    async def order_fault(self, request: web.Request) -> web.Response:
        """`POST /faults`: a FaultOrder."""
        self._workspace.place.faults.add(msgspec.json.decode(await request.read(), type=FaultOrder))
        return await self.list_faults(request)

    async def list_faults(self, request: web.Request) -> web.Response:
        """`GET /faults`: what stands."""
        del request
        return json_answer({"faults": self._workspace.place.faults.active()})

    async def clear_faults(self, request: web.Request) -> web.Response:
        """`DELETE /faults`: end them all."""
        self._workspace.place.faults.clear()
        return await self.list_faults(request)

    def _described(self, run: Run) -> dict[str, Any]:
        log_of = self._workspace.place.workshop.log_of
        tasks = [
            {
                "task_key": task.task_key,
                "state": task.life_cycle,
                "pid": task.pid,
                "log": str(log_of(run.run_id, task.task_key, task.attempt)),
            }
            for task in run.tasks
        ]
        ending = run.ending.code if run.ending else None
        described = {"run_id": run.run_id, "job": run.name, "token": run.token, "parameters": run.parameters}
        return described | {"state": run.life_cycle, "code": ending, "tasks": tasks}


def admin_application(workspace: Workspace) -> web.Application:
    """Route the admin interface."""
    admin = Admin(workspace)
    application = web.Application(middlewares=[explained])
    application.router.add_get("/health", admin.health)
    application.router.add_get("/runs", admin.show_runs)
    application.router.add_post("/faults", admin.order_fault)
    application.router.add_get("/faults", admin.list_faults)
    application.router.add_delete("/faults", admin.clear_faults)
    return application
