"""The contract of jobs: what holds for the Jobs API must hold for the fake."""

import itertools
from datetime import timedelta

import pytest

from shared.clients.databricks_jobs.fake import FakeJobs
from shared.domain.failures import FailureKind
from shared.domain.runs.job_state import has_ended, has_succeeded
from shared.errors import JobRefused, LoginRefused, Unavailable
from tests.integration.jobs_client.conftest import ended

NAMES = ("queued", "unqueued", "chain")
tokens = (f"enrich-{number}" for number in itertools.count())


@pytest.fixture(params=["fake", "databricks"])
def jobs(request):
    if request.param == "fake":
        return FakeJobs({name: number for number, name in enumerate(NAMES, 1)})
    return request.getfixturevalue("workspace").jobs


def end_of(jobs, run_id):
    """Wait for the run's end; the fake is told of it, since nothing runs in it."""
    if isinstance(jobs, FakeJobs) and not has_ended(jobs.run(run_id)):
        jobs.become(run_id, "TERMINATED", "SUCCESS", code="SUCCESS", type="SUCCESS")
    return ended(jobs, run_id)


def test_a_job_is_found_by_its_exact_name(jobs):
    assert jobs.find("queued") == jobs.find("queued")
    assert jobs.find("queued") != jobs.find("chain")


@pytest.mark.parametrize("name", ["missing", "QUEUED"])
def test_a_job_that_is_not_there_is_refused_by_name(jobs, name):
    with pytest.raises(JobRefused, match=name):
        jobs.find(name)


def test_a_run_is_started_and_says_where_to_look(jobs):
    run_id = jobs.run_now(jobs.find("queued"), next(tokens), {"act": "say"})

    run = jobs.run(run_id)

    assert run.run_id == run_id
    assert run.page_url.startswith("https://")


def test_a_run_says_when_it_began(jobs):
    run_id = jobs.run_now(jobs.find("queued"), next(tokens), {"act": "say"})

    run = end_of(jobs, run_id)

    assert run.begun_at.utcoffset() == timedelta()
    assert jobs.run(run_id).begun_at == run.begun_at


def test_a_run_that_did_its_work_has_succeeded(jobs):
    run_id = jobs.run_now(jobs.find("queued"), next(tokens), {"act": "say"})

    run = end_of(jobs, run_id)

    assert has_succeeded(run)
    assert (run.code, run.type) == ("SUCCESS", "SUCCESS")


def test_one_token_starts_one_run(jobs):
    token, job_id = next(tokens), jobs.find("queued")

    ids = {jobs.run_now(job_id, token, {"act": "say"}) for _ in range(3)}

    assert len(ids) == 1
    assert ids != {jobs.run_now(job_id, next(tokens), {"act": "say"})}


def test_an_unknown_job_or_run_is_refused(jobs):
    for verb in (
        lambda: jobs.run_now(987654321, next(tokens), {}),
        lambda: jobs.run(1987654321),
        lambda: jobs.cancel(1987654321),
    ):
        with pytest.raises(JobRefused, match="987654321"):
            verb()


@pytest.fixture(params=["fake", "databricks"])
def failing(request):
    """A workspace that fails in one way or the other, whatever it is asked."""
    if request.param == "fake":
        errors = {
            "busy": Unavailable("Databricks answered 429.", throttled=True, retry_after=60.0),
            "down": Unavailable("Databricks answered 503."),
            "denied": LoginRefused("Databricks answered 403."),
        }
        return lambda how: FakeJobs({"queued": 1}, refusal=errors[how])
    workspace = request.getfixturevalue("workspace")

    def jobs(how):
        faults = {
            "busy": {"kind": "too_many_requests", "retry_after": 60.0},
            "down": {"kind": "unavailable", "count": 1_000},
            "denied": {"kind": "refuse_tokens", "status": 403},
        }
        workspace.order(**faults[how])
        return workspace.hasty_jobs

    return jobs


FAILURES = {
    "busy": (Unavailable, "429", FailureKind.THROTTLED, 60.0),
    "down": (Unavailable, "503", FailureKind.UNAVAILABLE, 0.0),
    "denied": (LoginRefused, "403", FailureKind.UNAUTHORIZED, None),
}


@pytest.mark.parametrize("how", FAILURES)
@pytest.mark.parametrize(
    "verb",
    [
        lambda jobs: jobs.find("queued"),
        lambda jobs: jobs.run_now(1, next(tokens), {}),
        lambda jobs: jobs.run(1),
        lambda jobs: jobs.cancel(1),
    ],
    ids=["find", "run_now", "run", "cancel"],
)
def test_a_workspace_that_is_busy_down_or_denies_access_says_so(failing, how, verb):
    error, why, kind, wait = FAILURES[how]

    with pytest.raises(error, match=why) as caught:
        verb(failing(how))

    assert (caught.value.kind, getattr(caught.value, "retry_after", None)) == (kind, wait)


def test_a_cancelled_run_ends_as_such_and_can_be_cancelled_again(jobs):
    run_id = jobs.run_now(jobs.find("unqueued"), next(tokens), {"act": "wait"})

    jobs.cancel(run_id)

    run = end_of(jobs, run_id)
    jobs.cancel(run_id)
    assert (run.result, run.type) == ("CANCELED", "CLIENT_ERROR")
    assert jobs.run(run_id) == run
