"""What goes wrong on demand: the faults that requests and runs can meet."""

from typing import Annotated, Literal

import msgspec

from emulators.databricks.endings import TerminationCode
from emulators.faults import FaultQueue, Limits

Kind = Literal[
    "lost_answer",
    "too_many_requests",
    "unavailable",
    "refuse_tokens",
    "hide_jobs",
    "slow_cancel",
    "slow_start",
    "fail_run",
]
Call = Literal[
    "jobs/list",
    "jobs/get",
    "jobs/run-now",
    "runs/get",
    "runs/list",
    "runs/cancel",
    "runs/get-output",
    "runs/delete",
]
_OF_RUNS = ("slow_cancel", "slow_start", "fail_run")
_NEEDS_SECONDS = ("slow_cancel", "slow_start")


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `POST /faults`.

    `count`: how many requests or runs it concerns. `call` narrows it to one call (absent: all); it means nothing for
    faults of runs. `seconds`: how slow; for `fail_run` how long the run goes on first (absent: it does not begin).
    `status` is that of a refused token, `code` the termination code of a run that fails. `hide_jobs`: `jobs/list` finds
    none.
    """

    kind: Kind
    count: Annotated[int, msgspec.Meta(ge=1)] = 1
    call: Call | None = None
    seconds: Annotated[float, msgspec.Meta(ge=0)] | None = None
    retry_after: Annotated[float, msgspec.Meta(ge=0)] = 1.0
    status: Literal[401, 403] = 403
    code: TerminationCode = "CLOUD_FAILURE"
    message: str = "Ended on demand."

    def __post_init__(self) -> None:
        """Refuse a fault that lacks its seconds or names a call in vain."""
        if self.kind in _NEEDS_SECONDS and self.seconds is None:
            raise ValueError(f"seconds is required for kind {self.kind}")
        if self.kind in _OF_RUNS and self.call is not None:
            raise ValueError(f"call means nothing for kind {self.kind}, which concerns runs")

    @property
    def limits(self) -> Limits:
        """Hold for `count` requests or runs."""
        return Limits(count=self.count)


class Faults(FaultQueue[Fault]):
    """The faults of one workspace."""

    def take(self, kind: Kind, call: str | None = None) -> Fault | None:
        """Give the first fault of a kind that concerns this call, and count it."""
        return self.consume(lambda fault: fault.kind == kind and fault.call in {None, call})
