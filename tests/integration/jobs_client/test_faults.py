"""What Databricks may do to the client, and what the client makes of it."""

import logging

import pytest

from shared.clients.databricks_jobs.jobs import DatabricksJobs
from shared.clients.identity.fake import FakeIdentity
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.errors import JobRefused, LoginRefused, Unavailable
from tests.integration.jobs_client.conftest import QUICK, ended
from tests.integration.jobs_client.peer import Answer, running_peer

HASTY = RetryPolicy(Timeouts(total=0.5, attempt=0.4, ordinary=Backoff(0.02, 0.1)))


def client(url):
    return DatabricksJobs(url, FakeIdentity(), retry=HASTY)


def test_an_answer_lost_after_its_effect_is_one_run_all_the_same(workspace):
    job_id = workspace.jobs.find("queued")
    workspace.order("lost_answer", call="jobs/run-now")

    run_id = workspace.jobs.run_now(job_id, "lost-answer", {"act": "say"})

    assert workspace.faults() == []
    assert [run["run_id"] for run in workspace.runs(token="lost-answer")] == [run_id]


@pytest.mark.parametrize("fault", [{"kind": "too_many_requests", "retry_after": 0.2}, {"kind": "unavailable"}])
def test_a_workspace_that_is_busy_is_asked_again(workspace, fault):
    job_id = workspace.jobs.find("queued")
    workspace.order(**fault, call="jobs/run-now", count=2)

    run_id = workspace.jobs.run_now(job_id, f"busy-{fault['kind']}", {"act": "say"})

    assert workspace.faults() == []
    assert [run["run_id"] for run in workspace.runs(token=f"busy-{fault['kind']}")] == [run_id]


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_a_refused_login_that_names_the_client(workspace, status):
    workspace.order("refuse_tokens", status=status)

    with pytest.raises(LoginRefused, match=workspace.identity.client_id):
        workspace.jobs.find("queued")


def test_a_parameter_that_the_job_has_not_is_refused(workspace):
    with pytest.raises(JobRefused, match="nonsense"):
        workspace.jobs.run_now(workspace.jobs.find("queued"), "nonsense", {"nonsense": "1"})


def test_a_run_that_fails_says_so_in_databricks_words(workspace):
    workspace.order("fail_run", code="CLOUD_FAILURE", message="The region is dark.")
    run_id = workspace.jobs.run_now(workspace.jobs.find("queued"), "dark", {"act": "say"})

    run = ended(workspace.jobs, run_id)

    assert (run.code, run.type) == ("CLOUD_FAILURE", "CLOUD_FAILURE")
    assert "The region is dark." in run.message


EXPIRED = Answer(403, b'{"error_code": "403", "message": "Invalid access token. [ReqId: 1]"}')


@pytest.mark.parametrize(
    "passing",
    [
        EXPIRED,
        Answer(400, b'{"error_code": "TEMPORARILY_UNAVAILABLE", "message": "x"}'),
        Answer(400, b'{"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "x"}'),
        Answer(400, b'{"error_code": "INVALID_STATE", "message": "RPC token bucket limit has been exceeded."}'),
        Answer(500, b'{"error_code": "INTERNAL_ERROR", "message": "x"}'),
        Answer(409, b'{"error_code": "ABORTED", "message": "x"}'),
    ],
)
def test_a_refusal_that_passes_by_its_words_is_asked_again_with_a_token_of_that_moment(passing):
    identity = FakeIdentity()
    with running_peer(passing, Answer(body=b'{"run_id": 5}')) as peer:
        assert DatabricksJobs(peer.url, identity, retry=QUICK).run_now(1, "token", {}) == 5

    assert len(identity.scopes) == 2


def test_a_token_that_stays_invalid_is_a_refused_login_in_databricks_words():
    with running_peer(EXPIRED) as peer, pytest.raises(LoginRefused, match=r"answered 403: Invalid access token\."):
        DatabricksJobs(peer.url, FakeIdentity(), retry=HASTY).run(1)


def test_a_refusal_is_told_in_a_sentence_and_not_as_json():
    said = b'{"error_code": "INVALID_PARAMETER_VALUE", "message": "Job 7 does not exist.", "details": [{"a": "b"}]}'

    with running_peer(Answer(400, said)) as peer, pytest.raises(JobRefused) as caught:
        client(peer.url).run_now(7, "token", {})

    assert str(caught.value) == "POST /api/2.2/jobs/run-now: Databricks answered 400: Job 7 does not exist."


def test_two_jobs_of_one_name_are_refused():
    listed = b'{"jobs": [{"job_id": 1, "settings": {"name": "a"}}, {"job_id": 2, "settings": {"name": "a"}}]}'

    with running_peer(Answer(body=listed)) as peer, pytest.raises(JobRefused, match="2 jobs named 'a'"):
        client(peer.url).find("a")


def test_a_job_that_is_not_found_says_what_a_development_target_makes_of_its_name():
    with running_peer(Answer(body=b"{}")) as peer, pytest.raises(JobRefused, match="set <FEED>_JOB to that name"):
        client(peer.url).find("follow_window")


def test_a_run_with_states_alone_is_read():
    body = b'{"run_id": 5, "state": {"life_cycle_state": "SKIPPED", "state_message": "why"}}'

    with running_peer(Answer(body=body)) as peer:
        run = client(peer.url).run(5)

    assert (run.life_cycle, run.result, run.code, run.message) == ("SKIPPED", "", "", "why")


@pytest.mark.parametrize("body", [b'{"error": 1}', b'{"run_id": "x"}', b'{"run_id": {}}', b"{}"])
def test_an_answer_of_another_shape_is_unavailable(body):
    with running_peer(Answer(body=body)) as peer, pytest.raises(Unavailable, match="can't be read"):
        client(peer.url).run_now(1, "token", {})


def test_no_token_and_no_parameter_is_logged(workspace, caplog):
    caplog.set_level(logging.DEBUG)

    workspace.jobs.run_now(workspace.jobs.find("queued"), "logged", {"act": "say", "window_id": "s3cret-parameter"})

    token = workspace.identity.token("2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default").value
    assert token not in caplog.text
    assert "s3cret-parameter" not in caplog.text
