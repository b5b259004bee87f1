"""The admin port: faults on demand, and every run with its processes and logs."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from emulators.admin import FaultRoutes, admin_application
from emulators.databricks.faults import Fault
from emulators.databricks.lifecycle import Run
from emulators.databricks.workspace import Workspace
from emulators.serving import json_answer


def jobs_admin(workspace: Workspace) -> web.Application:
    """Route the admin port: `GET /health` has the jobs by name, `GET /runs` every run with its tasks."""

    async def show_runs(_: web.Request) -> web.Response:
        return json_answer({"runs": [_described(workspace, run) for run in workspace.context.records.all()]})

    def health() -> Mapping[str, Any]:
        return {"jobs": {job.definition.name: job.job_id for job in workspace.jobs.values()}}

    faults = FaultRoutes.of(Fault, workspace.context.faults)
    return admin_application(health, faults.routes(), [web.get("/runs", show_runs)])


def _described(workspace: Workspace, run: Run) -> dict[str, Any]:
    log_of = workspace.context.task_runner.log_of
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
