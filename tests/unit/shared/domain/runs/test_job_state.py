import pytest

from shared.domain.runs.job_state import JobRun, can_be_cured, describe, has_ended, has_succeeded


def run(life_cycle="TERMINATED", result="FAILED", **details):
    return JobRun(7, life_cycle, result, **details)


@pytest.mark.parametrize("state", ["TERMINATED", "SKIPPED", "INTERNAL_ERROR"])
def test_a_run_in_a_terminal_state_has_ended(state):
    assert has_ended(run(state))


@pytest.mark.parametrize(
    "state", ["BLOCKED", "PENDING", "QUEUED", "RUNNING", "TERMINATING", "WAITING_FOR_RETRY", "", "OF_THE_FUTURE"]
)
def test_a_run_in_any_other_state_goes_on(state):
    assert not has_ended(run(state, ""))
    assert not can_be_cured(run(state, "", type="CLOUD_FAILURE"))


@pytest.mark.parametrize(
    ("life_cycle", "result", "expected"),
    [
        ("TERMINATED", "SUCCESS", True),
        ("TERMINATED", "SUCCESS_WITH_FAILURES", False),
        ("TERMINATED", "CANCELED", False),
        ("INTERNAL_ERROR", "SUCCESS", False),
        ("RUNNING", "", False),
    ],
)
def test_only_a_run_that_did_all_its_work_has_succeeded(life_cycle, result, expected):
    assert has_succeeded(run(life_cycle, result)) is expected


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("CLOUD_FAILURE", "CLOUD_FAILURE"),
        ("DRIVER_ERROR", "INTERNAL_ERROR"),
        ("CLUSTER_REQUEST_LIMIT_EXCEEDED", "CLIENT_ERROR"),
        ("WORKSPACE_RUN_LIMIT_EXCEEDED", ""),
        ("MAX_CONCURRENT_RUNS_EXCEEDED", "CLIENT_ERROR"),
    ],
)
def test_what_the_cloud_or_a_limit_ended_can_be_cured(code, kind):
    assert can_be_cured(run(code=code, type=kind))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("RUN_EXECUTION_ERROR", "CLIENT_ERROR"),
        ("LIBRARY_INSTALLATION_ERROR", "CLIENT_ERROR"),
        ("USER_CANCELED", "CLIENT_ERROR"),
        ("SUCCESS_WITH_FAILURES", "SUCCESS"),
        ("OF_THE_FUTURE", ""),
    ],
)
def test_what_the_client_did_is_final(code, kind):
    assert not can_be_cured(run(code=code, type=kind))


def test_a_success_needs_no_cure():
    assert not can_be_cured(run("TERMINATED", "SUCCESS", type="CLOUD_FAILURE"))


@pytest.mark.parametrize(
    ("life_cycle", "result", "expected"),
    [
        ("INTERNAL_ERROR", "FAILED", True),
        ("SKIPPED", "MAXIMUM_CONCURRENT_RUNS_REACHED", True),
        ("SKIPPED", "", False),
        ("TERMINATED", "FAILED", False),
    ],
)
def test_without_details_the_states_decide(life_cycle, result, expected):
    assert can_be_cured(run(life_cycle, result)) is expected


def test_a_run_speaks_in_databricks_own_words():
    failed = run(code="RUN_EXECUTION_ERROR", type="CLIENT_ERROR", message="Task enrich failed.")

    assert describe(failed) == "TERMINATED FAILED (RUN_EXECUTION_ERROR, CLIENT_ERROR): Task enrich failed."
    assert describe(run("QUEUED", "")) == "QUEUED"
