"""What Databricks documents and this service does not do: each is refused by name, never ignored."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from emulators.databricks.refusals import not_done

_JOBS_CALLS = {
    "POST": ("create", "update", "reset", "delete", "runs/submit", "runs/repair", "runs/cancel-all"),
    "GET": ("runs/export",),
}
_OTHER_CALLS = (
    ("GET", "/api/2.0/workspace/get-status"),
    ("GET", "/api/2.0/workspace/list"),
    ("GET", "/api/2.0/permissions/jobs/{job_id}"),
    ("PUT", "/api/2.0/permissions/jobs/{job_id}"),
    ("PATCH", "/api/2.0/permissions/jobs/{job_id}"),
)
_OF_RUN_NOW = (
    "dbt_commands",
    "jar_params",
    "notebook_params",
    "only",
    "performance_target",
    "pipeline_params",
    "python_named_params",
    "python_params",
    "spark_submit_params",
    "sql_params",
)
_OF_RUNS_GET = ("include_history", "include_resolved_values", "page_token")


def refuse_absent_parameters(given: Mapping[str, Any]) -> None:
    """Raise Refusal for a body of `jobs/run-now` with a documented field that means nothing here."""
    _refuse("jobs/run-now", given, _OF_RUN_NOW)


def refuse_absent_queries(given: Mapping[str, str]) -> None:
    """Raise Refusal for a query of `runs/get` with a documented field that means nothing here."""
    _refuse("runs/get", {name: value for name, value in given.items() if value != "false"}, _OF_RUNS_GET)


def absent_routes(served: Mapping[str, tuple[str, ...]]) -> list[web.RouteDef]:
    """Route what is not done; `served`: what is done under `/api/2.2/jobs/`, by method, and not in older versions."""
    of_jobs = [(method, f"/api/2.2/jobs/{verb}") for method, verbs in _JOBS_CALLS.items() for verb in verbs]
    older = [
        (method, f"/api/{version}/jobs/{verb}")
        for version in ("2.0", "2.1")
        for calls in (_JOBS_CALLS, served)
        for method, verbs in calls.items()
        for verb in verbs
    ]
    return [web.route(method, path, _refused) for method, path in (*of_jobs, *older, *_OTHER_CALLS)]


async def _refused(request: web.Request) -> web.StreamResponse:
    raise not_done(f"{request.method} {request.path}")


def _refuse(call: str, given: Mapping[str, Any], names: tuple[str, ...]) -> None:
    if found := [name for name in names if given.get(name) not in (None, [], {}, "")]:
        raise not_done(f"{', '.join(found)} of {call}")
