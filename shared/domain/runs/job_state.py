"""What a Databricks run says of itself, and what follows from it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

ENDED: Final = frozenset({"TERMINATED", "SKIPPED", "INTERNAL_ERROR"})
"""The life-cycle states that a run never leaves (Jobs API 2.2)."""

_CURABLE_TYPES = frozenset({"CLOUD_FAILURE", "INTERNAL_ERROR"})
_CURABLE_CODES = frozenset({"MAX_CONCURRENT_RUNS_EXCEEDED"})
_LIMIT = "_LIMIT_EXCEEDED"
_CURABLE_WITHOUT_DETAILS = frozenset({"INTERNAL_ERROR", "MAXIMUM_CONCURRENT_RUNS_REACHED"})


@dataclass(frozen=True, slots=True)
class JobRun:
    """A run as Databricks describes it, in its own words; empty where it says nothing.

    life_cycle, result: `state.life_cycle_state` and `state.result_state`. code, type: of `status.termination_details`.
    message: that of the latter, else of the state. page_url: where a person can look. begun_at: when it was started,
    and where it was queued, when it left the queue.
    """

    run_id: int
    life_cycle: str
    result: str = ""
    code: str = ""
    type: str = ""
    message: str = ""
    page_url: str = ""
    begun_at: datetime | None = None


def has_ended(run: JobRun) -> bool:
    """Say whether the run is over; a life-cycle state that is not known is not an end."""
    return run.life_cycle in ENDED


def is_queued(run: JobRun) -> bool:
    """Say whether the run waits in Databricks' own queue, where it holds nobody up but by its place."""
    return run.life_cycle == "QUEUED"


def has_succeeded(run: JobRun) -> bool:
    """Say whether all of the run's work was done; SUCCESS_WITH_FAILURES is not that."""
    return run.life_cycle == "TERMINATED" and run.result == "SUCCESS"


def can_be_cured(run: JobRun) -> bool:
    """Say whether another run may succeed where this one did not; what Databricks calls the client's error can't.

    Where the run names no termination details its states decide.
    """
    if not has_ended(run) or has_succeeded(run):
        return False
    if not (run.code or run.type):
        return bool({run.life_cycle, run.result} & _CURABLE_WITHOUT_DETAILS)
    return run.type in _CURABLE_TYPES or run.code in _CURABLE_CODES or run.code.endswith(_LIMIT)


def describe(run: JobRun) -> str:
    """Say how the run stands, in Databricks' own words: `TERMINATED FAILED (DRIVER_ERROR, CLIENT_ERROR): why`."""
    states = " ".join(filter(None, (run.life_cycle, run.result)))
    details = ", ".join(filter(None, (run.code, run.type)))
    return states + (f" ({details})" if details else "") + (f": {run.message}" if run.message else "")
