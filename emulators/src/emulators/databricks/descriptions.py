"""Jobs and runs in the shapes of the Jobs API 2.2."""

from collections.abc import Mapping
from typing import Any

from emulators.databricks.definitions import TRIGGERS, Job
from emulators.databricks.lifecycle import Run, TaskRun

_STATUS_STATES = {"INTERNAL_ERROR": "TERMINATED", "SKIPPED": "TERMINATED", "WAITING_FOR_RETRY": "WAITING"}
_STOPPED_BY_US = ("CANCELED", "TIMEDOUT")
_WAITS = "The run waits for a slot: the job's maximum of concurrent runs is reached."


def describe_job(job: Job, *, whole: bool) -> dict[str, Any]:
    """Describe a job: `jobs/get` shows its `whole` settings, `jobs/list` not its tasks and parameters.

    Whatever would start its runs by itself is paused, for here nothing does. Permissions are no part of it.
    """
    hidden = {"permissions"} if whole else {"permissions", "tasks", "parameters", "job_clusters", "environments"}
    definition = job.definition
    stated = {name: value for name, value in job.settings.items() if name not in hidden}
    stated |= {name: {**stated[name], "pause_status": "PAUSED"} for name in TRIGGERS if name in stated}
    usual = {
        "timeout_seconds": definition.timeout_seconds,
        "max_concurrent_runs": definition.max_concurrent_runs,
        "format": "MULTI_TASK",
    }
    return {"job_id": job.job_id, "created_time": 0, "settings": usual | stated}


def describe_run(run: Run, job: Job | None, *, page: str, tasks: bool = True) -> dict[str, Any]:
    """Describe a run; `page` is the address to look at it. `job` is None where it is no longer there."""
    described = {
        "job_id": run.job_id,
        "run_id": run.run_id,
        "number_in_job": run.run_id,
        "original_attempt_run_id": run.run_id,
        "creator_user_name": run.creator,
        "run_name": run.name,
        "run_type": "JOB_RUN",
        "run_page_url": page,
        "format": "MULTI_TASK",
        "trigger": "ONE_TIME",
        "job_parameters": _parameters(run, job),
    }
    described |= _times(run) | _state(run) | _status(run)
    return described | ({"tasks": [_describe_task(task, run, job) for task in run.tasks]} if tasks else {})


def _times(run: Run) -> dict[str, int]:
    """Give the moments; one that has not come is 0, as Databricks writes it."""
    begun = run.begun_at or run.ended_at
    execution = run.ended_at - run.begun_at if run.begun_at and run.ended_at else 0
    return {
        "start_time": run.created_at,
        "end_time": run.ended_at,
        "queue_duration": run.placed_at - run.created_at if run.placed_at else 0,
        "setup_duration": begun - run.placed_at if begun and run.placed_at else 0,
        "execution_duration": execution,
        "cleanup_duration": 0,
        "run_duration": run.ended_at - run.created_at if run.ended_at else 0,
    }


def _state(item: Run | TaskRun) -> dict[str, Any]:
    state: dict[str, Any] = {"life_cycle_state": item.life_cycle, "state_message": ""}
    if item.life_cycle == "QUEUED":
        state["queue_reason"] = _WAITS
    if item.ending:
        stopped = item.ending.result in _STOPPED_BY_US
        state |= {"result_state": item.ending.result, "state_message": item.ending.message}
        state["user_cancelled_or_timedout"] = stopped
    return {"state": state}


def _status(item: Run | TaskRun) -> dict[str, Any]:
    status: dict[str, Any] = {"state": _STATUS_STATES.get(item.life_cycle, item.life_cycle)}
    if item.life_cycle == "QUEUED":
        status["queue_details"] = {"code": "MAX_CONCURRENT_RUNS_REACHED", "message": _WAITS}
    if item.ending:
        ending = item.ending
        status["termination_details"] = {"code": ending.code, "type": ending.kind, "message": ending.message}
    return {"status": status}


def _describe_task(task: TaskRun, run: Run, job: Job | None) -> dict[str, Any]:
    described = {
        "task_key": task.task_key,
        "run_id": task.run_id,
        "attempt_number": task.attempt,
        "start_time": task.started_at or run.created_at,
        "end_time": task.ended_at,
        "execution_duration": task.ended_at - task.started_at if task.started_at and task.ended_at else 0,
    }
    return _settings_of(task, job) | described | _state(task) | _status(task)


def _settings_of(task: TaskRun, job: Job | None) -> dict[str, Any]:
    stated: list[Mapping[str, Any]] = job.settings.get("tasks", []) if job else []
    return next((dict(one) for one in stated if one.get("task_key") == task.task_key), {})


def _parameters(run: Run, job: Job | None) -> list[dict[str, str]]:
    defaults = {one.name: one.default for one in job.definition.parameters} if job else {}
    return [{"name": name, "default": defaults.get(name, ""), "value": value} for name, value in run.parameters.items()]
