"""Stands in for the jobs of a Databricks workspace in tests."""

import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from shared.clients.databricks_jobs.jobs import check_token
from shared.domain.runs.job_state import JobRun, has_ended
from shared.errors import JobRefused


@dataclass(slots=True)
class FakeJobs:
    """A workspace in memory: `jobs` by name, the parameters of each run, and each run as it stands.

    A run begins RUNNING at the clock's time; `become` says how it goes on. `refusal` is raised by every verb where it
    is set.
    """

    jobs: Mapping[str, int]
    runs: dict[int, JobRun] = field(default_factory=dict)
    parameters: dict[int, dict[str, str]] = field(default_factory=dict)
    cancelled: list[int] = field(default_factory=list)
    refusal: Exception | None = None
    clock: Callable[[], datetime] = lambda: datetime(2026, 11, 22, 12, tzinfo=UTC)
    _tokens: dict[str, int] = field(default_factory=dict, init=False)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1), init=False)
    _lock: Any = field(default_factory=threading.Lock, init=False)

    def become(self, run_id: int, life_cycle: str, result: str = "", **details: str) -> None:
        """Let a run be in that state, with `code`, `type` and `message` where given."""
        was = self.runs[run_id]
        self.runs[run_id] = JobRun(run_id, life_cycle, result, page_url=was.page_url, begun_at=was.begun_at, **details)

    def find(self, name: str) -> int:
        """Look it up."""
        self._refuse()
        if name not in self.jobs:
            raise JobRefused(f"Databricks has 0 jobs named {name!r} that the fake can see, not one.")
        return self.jobs[name]

    def run_now(self, job_id: int, token: str, parameters: Mapping[str, str]) -> int:
        """Start a run once for each token."""
        self._refuse()
        check_token(token)
        if job_id not in self.jobs.values():
            raise JobRefused(f"Job {job_id} does not exist.")
        with self._lock:
            if token not in self._tokens:
                run_id = self._tokens[token] = next(self._numbers)
                self.parameters[run_id] = dict(parameters)
                page = f"https://databricks.example/run/{run_id}"
                self.runs[run_id] = JobRun(run_id, "RUNNING", page_url=page, begun_at=self.clock())
            return self._tokens[token]

    def run(self, run_id: int) -> JobRun:
        """Look it up."""
        self._refuse()
        if run_id not in self.runs:
            raise JobRefused(f"Run {run_id} does not exist.")
        return self.runs[run_id]

    def cancel(self, run_id: int) -> None:
        """Bring the run to its end at once."""
        run = self.run(run_id)
        self.cancelled.append(run_id)
        if not has_ended(run):
            self.runs[run_id] = replace(
                run, life_cycle="TERMINATED", result="CANCELED", code="USER_CANCELED", type="CLIENT_ERROR"
            )

    def _refuse(self) -> None:
        if self.refusal is not None:
            raise self.refusal
