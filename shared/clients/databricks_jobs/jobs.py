"""Databricks Jobs by REST (API 2.2): the job of a name, its runs, and how they stand."""

import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Final, Protocol

import msgspec

from shared.clients.identity.identity import Identity
from shared.clients.persistence import RetryPolicy
from shared.clients.rest import Call, JsonService, Refusal
from shared.domain.runs.job_state import JobRun, has_ended
from shared.errors import JobRefused, LoginRefused

SCOPE: Final = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default"
"""Azure Databricks' own application, the same in every tenant."""

MOST_TOKEN: Final = 64
"""The longest idempotency token that run-now takes."""

_API = "/api/2.2/jobs"
_NOT_LET_IN = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class Jobs(Protocol):
    """The jobs of one workspace.

    Every verb raises Unavailable, LoginRefused, or JobRefused for what no repetition cures, and may be repeated.
    """

    def find(self, name: str) -> int:
        """Give the id of the one job of exactly that name."""

    def run_now(self, job_id: int, token: str, parameters: Mapping[str, str]) -> int:
        """Start a run and give its id; with a token (1 to 64 characters) that was used before, that run's id."""

    def run(self, run_id: int) -> JobRun:
        """Say how a run stands."""

    def cancel(self, run_id: int) -> None:
        """Ask for a run's end, which takes its time; a run that is over stays as it is."""


class DatabricksJobs:
    """Jobs of a workspace, as an identity that may manage their runs."""

    def __init__(
        self,
        url: str,
        identity: Identity,
        *,
        ca_bundle: str | None = None,
        persistence: RetryPolicy | None = None,
    ) -> None:
        """Keep the workspace's URL and the identity; nothing is dialled yet."""
        self._service = JsonService("Databricks", url, ca_bundle, persistence or RetryPolicy())
        self._identity = identity

    def find(self, name: str) -> int:
        """Ask for the jobs of that name; Databricks compares without case, we do not."""
        found = self._call(Call("GET", f"{_API}/list", {"name": name, "limit": 100}), _LISTED)
        ids = [job.job_id for job in found.jobs if job.settings.name == name]
        if len(ids) != 1:
            raise JobRefused(f"Databricks has {len(ids)} jobs named {name!r} that {self._client} can see, not one.")
        return ids[0]

    def run_now(self, job_id: int, token: str, parameters: Mapping[str, str]) -> int:
        """Start it; where the answer is lost the same token finds the run that was started."""
        _check_token(token)
        order = {"job_id": job_id, "idempotency_token": token, "job_parameters": dict(parameters)}
        return self._call(Call("POST", f"{_API}/run-now", body=order), _STARTED).run_id

    def run(self, run_id: int) -> JobRun:
        """Read the run."""
        return _job_run(self._call(Call("GET", f"{_API}/runs/get", {"run_id": run_id}), _RUN))

    def cancel(self, run_id: int) -> None:
        """Cancel it."""
        self._call(Call("POST", f"{_API}/runs/cancel", body={"run_id": run_id}), bytes)

    def _call[Answer](self, call: Call, read: Callable[[bytes], Answer]) -> Answer:
        try:
            return self._service.answer(call, self._token, read)
        except Refusal as refusal:
            if refusal.status in _NOT_LET_IN:
                raise LoginRefused(f"{self._client} may not {call.method} {call.path}: {refusal}") from refusal
            raise JobRefused(f"{call.method} {call.path}: {refusal}") from refusal

    def _token(self) -> str:
        return self._identity.token(SCOPE).value

    @property
    def _client(self) -> str:
        return f"client id {self._identity.client_id}"


@dataclass(slots=True)
class FakeJobs:
    """A workspace in memory: `jobs` by name, the parameters of each run, and each run as it stands.

    A run begins RUNNING; `become` says how it goes on. `refusal` is raised by every verb where it is set.
    """

    jobs: Mapping[str, int]
    runs: dict[int, JobRun] = field(default_factory=dict)
    parameters: dict[int, dict[str, str]] = field(default_factory=dict)
    cancelled: list[int] = field(default_factory=list)
    refusal: Exception | None = None
    _tokens: dict[str, int] = field(default_factory=dict, init=False)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1), init=False)
    _lock: Any = field(default_factory=threading.Lock, init=False)

    def become(self, run_id: int, life_cycle: str, result: str = "", **details: str) -> None:
        """Let a run be in that state, with `code`, `type` and `message` where given."""
        self.runs[run_id] = JobRun(run_id, life_cycle, result, page_url=self.runs[run_id].page_url, **details)

    def find(self, name: str) -> int:
        """Look it up."""
        self._refuse()
        if name not in self.jobs:
            raise JobRefused(f"Databricks has 0 jobs named {name!r} that the fake can see, not one.")
        return self.jobs[name]

    def run_now(self, job_id: int, token: str, parameters: Mapping[str, str]) -> int:
        """Start a run once for each token."""
        self._refuse()
        _check_token(token)
        if job_id not in self.jobs.values():
            raise JobRefused(f"Job {job_id} does not exist.")
        with self._lock:
            if token not in self._tokens:
                run_id = self._tokens[token] = next(self._numbers)
                self.parameters[run_id] = dict(parameters)
                self.runs[run_id] = JobRun(run_id, "RUNNING", page_url=f"https://databricks.example/run/{run_id}")
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


def _check_token(token: str) -> None:
    if not 0 < len(token) <= MOST_TOKEN:
        raise JobRefused(f"An idempotency token has 1 to {MOST_TOKEN} characters, {token!r} has {len(token)}.")


class _Settings(msgspec.Struct):
    name: str = ""


class _Job(msgspec.Struct):
    job_id: int
    settings: _Settings = msgspec.field(default_factory=_Settings)


class _Listed(msgspec.Struct):
    jobs: list[_Job] = []


class _Started(msgspec.Struct):
    run_id: int


class _State(msgspec.Struct):
    life_cycle_state: str = ""
    result_state: str | None = None
    state_message: str | None = None


class _Details(msgspec.Struct):
    code: str | None = None
    type: str | None = None
    message: str | None = None


class _Status(msgspec.Struct):
    termination_details: _Details | None = None


class _Run(msgspec.Struct):
    run_id: int
    state: _State
    status: _Status | None = None
    run_page_url: str | None = None


_LISTED = msgspec.json.Decoder(_Listed).decode
_STARTED = msgspec.json.Decoder(_Started).decode
_RUN = msgspec.json.Decoder(_Run).decode


def _job_run(found: _Run) -> JobRun:
    details = (found.status and found.status.termination_details) or _Details()
    return JobRun(
        run_id=found.run_id,
        life_cycle=found.state.life_cycle_state,
        result=found.state.result_state or "",
        code=details.code or "",
        type=details.type or "",
        message=details.message or found.state.state_message or "",
        page_url=found.run_page_url or "",
    )
