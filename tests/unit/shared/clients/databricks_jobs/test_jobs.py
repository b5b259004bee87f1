from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.clients.databricks_jobs.fake import FakeJobs
from shared.clients.databricks_jobs.jobs import DatabricksJobs
from shared.clients.identity.fake import FakeIdentity
from shared.domain.runs.job_state import JobRun
from shared.errors import JobRefused, LoginRefused, Unavailable


@pytest.fixture
def jobs():
    return FakeJobs({"follow_window": 11})


def test_a_fake_run_goes_on_as_it_is_told(jobs):
    run_id = jobs.run_now(11, "token", {"window_id": "w"})

    jobs.become(run_id, "TERMINATED", "FAILED", code="DRIVER_ERROR", type="CLIENT_ERROR", message="why")

    page = f"https://databricks.example/run/{run_id}"
    assert jobs.run(run_id) == JobRun(
        run_id, "TERMINATED", "FAILED", "DRIVER_ERROR", "CLIENT_ERROR", "why", page, jobs.clock()
    )
    assert jobs.parameters == {run_id: {"window_id": "w"}}


def test_fifty_threads_with_one_token_start_one_fake_run(jobs):
    with ThreadPoolExecutor(50) as pool:
        ids = set(pool.map(lambda _: jobs.run_now(11, "token", {}), range(50)))

    assert len(ids) == 1


@pytest.mark.parametrize("error", [Unavailable("down"), LoginRefused("no")])
def test_a_fake_fails_as_it_is_told(jobs, error):
    jobs.refusal = error

    for verb in (lambda: jobs.find("follow_window"), lambda: jobs.run_now(11, "t", {}), lambda: jobs.run(1)):
        with pytest.raises(type(error)):
            verb()


def test_nothing_is_dialled_when_the_client_is_made():
    identity = FakeIdentity()

    DatabricksJobs("https://adb.example", identity)

    assert identity.scopes == []


@pytest.mark.parametrize("token", ["", "x" * 65])
def test_a_token_that_databricks_would_not_take_is_refused_before_the_call(token):
    with pytest.raises(JobRefused, match="1 to 64 characters"):
        DatabricksJobs("https://adb.example", FakeIdentity()).run_now(1, token, {})
