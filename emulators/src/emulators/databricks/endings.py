"""How a run or a task can end, as Databricks names it (reference: the Jobs API's `state` and `status`)."""

from dataclasses import dataclass
from typing import Literal, get_args

type LifeCycle = Literal[
    "BLOCKED",
    "INTERNAL_ERROR",
    "PENDING",
    "QUEUED",
    "RUNNING",
    "SKIPPED",
    "TERMINATED",
    "TERMINATING",
    "WAITING_FOR_RETRY",
]
TerminationCode = Literal[
    "BREAKING_CHANGE",
    "BUDGET_POLICY_LIMIT_EXCEEDED",
    "CANCELED",
    "CLOUD_FAILURE",
    "CLUSTER_ERROR",
    "CLUSTER_REQUEST_LIMIT_EXCEEDED",
    "DISABLED",
    "DRIVER_ERROR",
    "FEATURE_DISABLED",
    "INTERNAL_ERROR",
    "INVALID_CLUSTER_REQUEST",
    "INVALID_RUN_CONFIGURATION",
    "LIBRARY_INSTALLATION_ERROR",
    "MAX_CONCURRENT_RUNS_EXCEEDED",
    "MAX_JOB_QUEUE_SIZE_EXCEEDED",
    "MAX_SPARK_CONTEXTS_EXCEEDED",
    "REPOSITORY_CHECKOUT_FAILED",
    "RESOURCE_NOT_FOUND",
    "RUN_EXECUTION_ERROR",
    "SKIPPED",
    "STORAGE_ACCESS_ERROR",
    "SUCCESS",
    "SUCCESS_WITH_FAILURES",
    "UNAUTHORIZED_ERROR",
    "USER_CANCELED",
    "WORKSPACE_RUN_LIMIT_EXCEEDED",
]
TerminationType = Literal["SUCCESS", "CLIENT_ERROR", "INTERNAL_ERROR", "CLOUD_FAILURE"]

TERMINATION_CODES: tuple[str, ...] = get_args(TerminationCode)
_TYPES: dict[str, TerminationType] = {
    "SUCCESS": "SUCCESS",
    "SUCCESS_WITH_FAILURES": "SUCCESS",
    "CLOUD_FAILURE": "CLOUD_FAILURE",
    "CLUSTER_ERROR": "CLOUD_FAILURE",
    "INTERNAL_ERROR": "INTERNAL_ERROR",
    "DRIVER_ERROR": "INTERNAL_ERROR",
}
_RESULTS = {
    "SUCCESS": "SUCCESS",
    "SUCCESS_WITH_FAILURES": "SUCCESS_WITH_FAILURES",
    "USER_CANCELED": "CANCELED",
    "CANCELED": "CANCELED",
    "MAX_CONCURRENT_RUNS_EXCEEDED": "MAXIMUM_CONCURRENT_RUNS_REACHED",
    "DISABLED": "DISABLED",
}
_SKIPPING = ("MAX_CONCURRENT_RUNS_EXCEEDED", "MAX_JOB_QUEUE_SIZE_EXCEEDED", "SKIPPED", "DISABLED")


@dataclass(frozen=True, slots=True)
class Ending:
    """An end: `life_cycle` and `result` of `state`, `code`, `kind` and `message` of `status.termination_details`."""

    result: str
    code: str
    kind: TerminationType
    message: str = ""
    life_cycle: LifeCycle = "TERMINATED"


def with_code(code: str, message: str = "") -> Ending:
    """End with any termination code, and with the states that go with it."""
    kind = _TYPES.get(code, "CLIENT_ERROR")
    return Ending(_RESULTS.get(code, "FAILED"), code, kind, message, _life_cycle(code, kind))


def success() -> Ending:
    """All went well."""
    return with_code("SUCCESS")


def failed(message: str) -> Ending:
    """The program ended with an exit code other than 0."""
    return with_code("RUN_EXECUTION_ERROR", message)


def badly_configured(message: str) -> Ending:
    """The task is none that can be run."""
    return with_code("INVALID_RUN_CONFIGURATION", message)


def cancelled() -> Ending:
    """The run was cancelled."""
    return with_code("USER_CANCELED", "Run cancelled.")


def timed_out(seconds: int) -> Ending:
    """The run took longer than it may."""
    return Ending("TIMEDOUT", "CANCELED", "CLIENT_ERROR", f"The run did not finish within its {seconds} seconds.")


def skipped(limit: int) -> Ending:
    """No slot was free and the queue is off."""
    message = f"Skipped: {limit} run(s) of this job are active already, and its queue is off."
    return with_code("MAX_CONCURRENT_RUNS_EXCEEDED", message)


def upstream_failed(task_key: str) -> Ending:
    """A task that this one depends on did not succeed."""
    message = f"Task {task_key}, which this one depends on, did not succeed."
    return Ending("UPSTREAM_FAILED", "RUN_EXECUTION_ERROR", "CLIENT_ERROR", message)


def died_with_service() -> Ending:
    """The service ended while the run was going on."""
    return with_code("INTERNAL_ERROR", "The Jobs service ended and took this run's processes with it.")


def _life_cycle(code: str, kind: TerminationType) -> LifeCycle:
    if code in _SKIPPING:
        return "SKIPPED"
    return "INTERNAL_ERROR" if kind in {"INTERNAL_ERROR", "CLOUD_FAILURE"} else "TERMINATED"
