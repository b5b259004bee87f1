"""Databricks Jobs by REST (API 2.2): the job of a name, its runs, and how they stand."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, Protocol

import msgspec

from shared.clients.databricks_jobs.answers import meaning_of
from shared.clients.identity.credentials import Identity
from shared.clients.rest import Call, JsonService, RestRefused
from shared.clients.retrying import RetryPolicy
from shared.domain.failures import FailureKind
from shared.domain.runs.job_state import JobRun
from shared.errors import JobRefused, LoginRefused

SCOPE: Final = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default"
"""Azure Databricks' own application, the same in every tenant."""

MOST_TOKEN: Final = 64
"""The longest idempotency token that run-now takes."""

_API = "/api/2.2/jobs"


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
        retry: RetryPolicy | None = None,
    ) -> None:
        """Keep the workspace's URL and the identity; nothing is dialled yet."""
        self._service = JsonService("Databricks", url, ca_bundle, retry or RetryPolicy(), meaning=meaning_of)
        self._identity = identity

    def find(self, name: str) -> int:
        """Ask for the jobs of that name; Databricks compares without case, we do not."""
        found = self._call(Call("GET", f"{_API}/list", {"name": name, "limit": 100}), _LISTED)
        ids = [job.job_id for job in found.jobs if job.settings.name == name]
        if len(ids) != 1:
            seen = f"Databricks has {len(ids)} jobs named {name!r} that {self._client} can see, not one."
            # Databricks' development mode demands a prefix with the user's name before each job.
            hint = "" if ids else " A bundle's development target puts a prefix before it: set <FEED>_JOB to that name."
            raise JobRefused(seen + hint)
        return ids[0]

    def run_now(self, job_id: int, token: str, parameters: Mapping[str, str]) -> int:
        """Start it; where the answer is lost the same token finds the run that was started."""
        check_token(token)
        payload = {"job_id": job_id, "idempotency_token": token, "job_parameters": dict(parameters)}
        return self._call(Call("POST", f"{_API}/run-now", body=payload), _STARTED).run_id

    def run(self, run_id: int) -> JobRun:
        """Read the run."""
        return _job_run(self._call(Call("GET", f"{_API}/runs/get", {"run_id": run_id}), _RUN))

    def cancel(self, run_id: int) -> None:
        """Cancel it."""
        self._call(Call("POST", f"{_API}/runs/cancel", body={"run_id": run_id}), bytes)

    def _call[Answer](self, call: Call, read: Callable[[bytes], Answer]) -> Answer:
        try:
            return self._service.answer(call, self._token, read)
        except RestRefused as refusal:
            if refusal.kind is FailureKind.UNAUTHORIZED:
                raise LoginRefused(f"{self._client} may not {call.method} {call.path}: {refusal}") from refusal
            raise JobRefused(f"{call.method} {call.path}: {refusal}") from refusal

    def _token(self) -> str:
        return self._identity.token(SCOPE).value

    @property
    def _client(self) -> str:
        return f"client id {self._identity.client_id}"


def check_token(token: str) -> None:
    """Raise JobRefused for an idempotency token that run-now would not take."""
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


class _RunStatus(msgspec.Struct):
    termination_details: _Details | None = None


class _Run(msgspec.Struct):
    run_id: int
    state: _State
    status: _RunStatus | None = None
    run_page_url: str | None = None
    start_time: int = 0
    queue_duration: int | None = None


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
        begun_at=_begun_at(found.start_time, found.queue_duration or 0),
    )


def _begun_at(start: int, queued: int) -> datetime | None:
    """Read milliseconds; a run that Databricks has not set up yet has no start."""
    return datetime.fromtimestamp((start + queued) / 1000, UTC) if start else None
