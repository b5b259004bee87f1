"""The Jobs API 2.2 over HTTP: each call with its token, its faults and its answer."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from emulators.databricks.absent import absent_routes, refuse_absent_parameters, refuse_absent_queries
from emulators.databricks.access import check_access, may
from emulators.databricks.definitions import Level
from emulators.databricks.descriptions import describe_job, describe_run
from emulators.databricks.endings import Ending
from emulators.databricks.faults import Faults
from emulators.databricks.lifecycle import Run, TaskRun
from emulators.databricks.logs import last_lines, tail
from emulators.databricks.pages import flag, number, one_of, page_of
from emulators.databricks.refusals import (
    Refusal,
    bad_token,
    invalid,
    no_such_endpoint,
    no_token,
    too_many_requests,
    unavailable,
)
from emulators.databricks.workspace import RunRequest, Workspace
from emulators.entra.checking import JwtChecker, TokenRefused
from emulators.serving import json_answer

logger = logging.getLogger(__name__)

AUDIENCE = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"
PREFIX = "/api/2.2/"
ME = "/api/2.0/preview/scim/v2/Me"
CALLER = web.RequestKey("caller", str)

_MOST_JOBS, _MOST_RUNS = 100, 25
_SCIM_USER = "urn:ietf:params:scim:schemas:core:2.0:User"
_FOR_EVER = 2**63 - 1
_RUN_TYPES = ("JOB_RUN", "WORKFLOW_RUN", "SUBMIT_RUN")


class _RunOfBody(msgspec.Struct, frozen=True):
    run_id: int


class JobsApi:
    """The calls of the Jobs API on one workspace; `address` is where its pages are."""

    def __init__(self, workspace: Workspace, address: Callable[[], str]) -> None:
        """Serve `workspace`."""
        self._workspace = workspace
        self._address = address

    async def list_jobs(self, request: web.Request) -> web.Response:
        """`GET jobs/list?name=&limit=&page_token=&expand_tasks=`; a name counts in any case."""
        name, whole = request.query.get("name", "").lower(), flag(request.query, "expand_tasks")
        hidden = self._workspace.context.faults.take("hide_jobs", "jobs/list")
        known = [] if hidden else self._workspace.jobs.values()
        caller = request.get(CALLER, "")
        jobs = [job for job in known if name in {"", job.definition.name.lower()} and may(job, caller, "CAN_VIEW")]
        described = [describe_job(job, whole=whole) for job in jobs]
        return json_answer(page_of("jobs", described, request.query, most=_MOST_JOBS))

    async def get_job(self, request: web.Request) -> web.Response:
        """`GET jobs/get?job_id=`."""
        job = self._workspace.job(number(request.query, "job_id"))
        check_access(job, request.get(CALLER, ""), "CAN_VIEW")
        return json_answer(describe_job(job, whole=True))

    async def run_now(self, request: web.Request) -> web.Response:
        """`POST jobs/run-now`: a RunRequest."""
        refuse_absent_parameters(await _body(request, dict[str, Any]))
        order, caller = await _body(request, RunRequest), request.get(CALLER, "")
        check_access(self._workspace.job(order.job_id), caller, "CAN_MANAGE_RUN")
        run = self._workspace.run_now(order, caller)
        return json_answer({"run_id": run.run_id, "number_in_job": run.run_id})

    async def get_run(self, request: web.Request) -> web.Response:
        """`GET runs/get?run_id=`."""
        refuse_absent_queries(request.query)
        run_id = number(request.query, "run_id")
        self._check_access(request, run_id, "CAN_VIEW")
        return json_answer(self._described(self._workspace.run(run_id)))

    async def list_runs(self, request: web.Request) -> web.Response:
        """`GET runs/list`, the newest first: all documented parameters; moments are epoch milliseconds."""
        query = request.query
        wanted, active, over = number(query, "job_id", 0), flag(query, "active_only"), flag(query, "completed_only")
        if active and over:
            raise invalid("Only one of active_only and completed_only can be true.")
        first, last = number(query, "start_time_from", 0), number(query, "start_time_to", _FOR_EVER)
        of_jobs = one_of(query, "run_type", _RUN_TYPES) in {"", "JOB_RUN"}
        runs = [
            run
            for run in self._workspace.context.records.all()
            if of_jobs
            and wanted in {0, run.job_id}
            and first <= run.created_at <= last
            and not (active and run.is_over)
            and not (over and not run.is_over)
            and may(self._workspace.jobs.get(run.job_id), request.get(CALLER, ""), "CAN_VIEW")
        ]
        tasks = flag(query, "expand_tasks")
        return json_answer(page_of("runs", [self._described(run, tasks=tasks) for run in runs], query, most=_MOST_RUNS))

    async def cancel_run(self, request: web.Request) -> web.Response:
        """`POST runs/cancel`: the answer comes at once, the end when the processes have ended."""
        run_id = (await _body(request, _RunOfBody)).run_id
        self._check_access(request, run_id, "CAN_MANAGE_RUN")
        self._workspace.cancel(run_id)
        return json_answer({})

    async def delete_run(self, request: web.Request) -> web.Response:
        """`POST runs/delete`."""
        run_id = (await _body(request, _RunOfBody)).run_id
        self._check_access(request, run_id, "CAN_MANAGE")
        self._workspace.delete(run_id)
        return json_answer({})

    async def get_output(self, request: web.Request) -> web.Response:
        """`GET runs/get-output?run_id=`: of a task's run, or of a run that has a single task."""
        run, task = self._task_run(number(request.query, "run_id"))
        self._check_access(request, run.run_id, "CAN_VIEW")
        task_runner = self._workspace.context.task_runner
        text, cut = tail(task_runner.log_of(run.run_id, task.task_key, task.attempt))
        logs = task_runner.redacted(text)
        answer = {"metadata": self._described(run), "logs": logs, "logs_truncated": cut}
        return json_answer(answer | _error(task.ending, logs))

    async def show_run(self, request: web.Request) -> web.Response:
        """`GET /jobs/{job_id}/runs/{run_id}`: the run's page, as text."""
        run = self._workspace.run(int(request.match_info["run_id"]))
        task_runner = self._workspace.context.task_runner
        logs = [tail(task_runner.log_of(run.run_id, task.task_key, task.attempt))[0] for task in run.tasks]
        parts = [
            msgspec.json.format(msgspec.json.encode(self._described(run))).decode(),
            *map(task_runner.redacted, logs),
        ]
        return web.Response(text="\n\n".join(parts))

    async def show_caller(self, request: web.Request) -> web.Response:
        """`GET preview/scim/v2/Me`: whose token it is. A service principal is called by its application id."""
        caller = request.get(CALLER, "")
        me = {"schemas": [_SCIM_USER], "id": caller, "userName": caller, "displayName": caller, "active": True}
        return json_answer(me)

    def _check_access(self, request: web.Request, run_id: int, needed: Level) -> None:
        job_id = self._workspace.run(run_id).job_id
        check_access(self._workspace.jobs.get(job_id), request.get(CALLER, ""), needed)

    def _task_run(self, run_id: int) -> tuple[Run, TaskRun]:
        for run in self._workspace.context.records.all():
            if run.run_id == run_id and len(run.tasks) == 1:
                return run, run.tasks[0]
            if run.run_id == run_id:
                raise invalid("Retrieving the output of runs with multiple tasks is not supported: name a task's run.")
            for task in run.tasks:
                if task.run_id == run_id:
                    return run, task
        raise invalid(f"Run {run_id} does not exist.")

    def _described(self, run: Run, *, tasks: bool = True) -> dict[str, Any]:
        page = f"{self._address()}/jobs/{run.job_id}/runs/{run.run_id}?o=0"
        return describe_run(run, self._workspace.jobs.get(run.job_id), page=page, tasks=tasks)


def jobs_application(api: JobsApi, faults: Faults, checker: JwtChecker) -> web.Application:
    """Route the calls; all need a token but the page of a run, which is for people on this machine."""
    application = web.Application(middlewares=[_refusals_as_json, _guarded(faults, checker)])
    gets = {
        "jobs/list": api.list_jobs,
        "jobs/get": api.get_job,
        "runs/get": api.get_run,
        "runs/list": api.list_runs,
        "runs/get-output": api.get_output,
    }
    posts = {"jobs/run-now": api.run_now, "runs/cancel": api.cancel_run, "runs/delete": api.delete_run}
    application.add_routes([web.get(_path(call), handler) for call, handler in gets.items()])
    application.add_routes([web.post(_path(call), handler) for call, handler in posts.items()])
    application.router.add_get(ME, api.show_caller)
    application.add_routes(absent_routes({"GET": _verbs(gets), "POST": _verbs(posts)}))
    application.router.add_get(r"/jobs/{job_id:\d+}/runs/{run_id:\d+}", api.show_run)
    return application


def _path(call: str) -> str:
    return f"{PREFIX}jobs/{call.removeprefix('jobs/')}"


def _verbs(calls: Iterable[str]) -> tuple[str, ...]:
    return tuple(call.removeprefix("jobs/") for call in calls)


def call_of(path: str) -> str:
    """Name a call by its path as faults do: `jobs/run-now`, `runs/get`."""
    return path.removeprefix(PREFIX).removeprefix("jobs/" if "/jobs/runs/" in path else "")


def _guarded(faults: Faults, checker: JwtChecker) -> Middleware:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith("/api/"):
            return await handler(request)
        call = call_of(request.path)
        _refuse_on_demand(faults, call)
        request[CALLER] = await _caller(request, checker)
        answer = await handler(request)
        return _lose_answer(request) if faults.take("lost_answer", call) else answer

    return guard


def _refuse_on_demand(faults: Faults, call: str) -> None:
    if fault := faults.take("too_many_requests", call):
        raise too_many_requests(fault.retry_after)
    if faults.take("unavailable", call):
        raise unavailable()
    if fault := faults.take("refuse_tokens", call):
        raise bad_token("The token is refused on demand.", fault.status)


async def _caller(request: web.Request, checker: JwtChecker) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise no_token()
    try:
        claims = await checker.check(token)
    except TokenRefused as error:
        raise bad_token(str(error)) from error
    return str(claims.get("appid", claims.get("sub", "")))


def _lose_answer(request: web.Request) -> web.StreamResponse:
    logger.info("databricks.answer_lost call=%s", call_of(request.path))
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


@web.middleware
async def _refusals_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        refusal = no_such_endpoint(request.method, request.path)
        return json_answer(refusal.body, error.status)
    except Refusal as refusal:
        logger.info("databricks.refused path=%s code=%s", request.path, refusal.error_code)
        return web.json_response(refusal.body, status=refusal.status, headers=refusal.headers)


async def _body[T](request: web.Request, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except msgspec.ValidationError as error:
        raise invalid(f"The request is not valid: {error}.") from error
    except msgspec.DecodeError as error:
        raise Refusal("MALFORMED_REQUEST", f"The request body is no JSON: {error}.") from error


def _error(ending: Ending | None, logs: str) -> dict[str, str]:
    if ending is None or ending.result == "SUCCESS":
        return {}
    return {"error": ending.message, "error_trace": last_lines(logs)}
