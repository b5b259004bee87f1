"""Databricks in trouble: what its API does wrong costs no second run, and how runs end is written in its own words."""

from collections import Counter

import pytest

from tests.e2e.waiting import eventually

SUCCESS = "TERMINATED SUCCESS (SUCCESS, SUCCESS)"
# At busy times a try waits for two to ten seconds.
RETRY_AFTER = 0.5


@pytest.fixture(autouse=True)
def calm(enrichment):
    yield
    enrichment.app.admin("databricks", "DELETE", "/faults")


def states(enrichment, window_id):
    """The numbers, states and words of all runs of a window."""
    return [(run["number"], run["state"], run["message"]) for run in enrichment.runs(window_id)]


def test_answer_that_is_lost_after_run_now_leaves_one_run(enrichment):
    enrichment.app.fault("databricks", "lost_answer", call="jobs/run-now")

    window_id = enrichment.past("payments")
    run = enrichment.ended(window_id)

    (known,) = enrichment.in_databricks(window_id)
    assert "databricks.answer_lost call=jobs/run-now" in enrichment.databricks_log()
    assert (run["state"], run["run_id"], known["token"]) == ("succeeded", known["run_id"], f"enrich-{window_id}")


def test_too_many_requests_are_made_again_when_they_may_be(enrichment):
    for call in ("jobs/list", "jobs/run-now", "runs/get"):
        enrichment.app.fault("databricks", "too_many_requests", call=call, retry_after=RETRY_AFTER)

    window_id = enrichment.past("payments")
    enrichment.ended(window_id)

    assert enrichment.app.admin("databricks", "GET", "/faults")["faults"] == []
    assert states(enrichment, window_id) == [(1, "succeeded", SUCCESS)]


def test_job_that_is_missing_fails_the_enrichment_by_name(enrichment):
    enrichment.app.fault("databricks", "hide_jobs")

    window_id = enrichment.past("payments")
    run = enrichment.ended(window_id)

    assert (run["state"], run["run_id"]) == ("failed", 0)
    assert run["message"].startswith("Databricks has 0 jobs named 'follow_window' that client id ")
    assert enrichment.in_databricks(window_id) == []


@pytest.mark.parametrize("status", [401, 403])
def test_token_that_is_refused_fails_the_enrichment_by_name_until_somebody_runs_it_again(enrichment, status):
    enrichment.app.fault("databricks", "refuse_tokens", call="jobs/run-now", status=status)

    window_id = enrichment.past("payments")
    refused = enrichment.ended(window_id)
    enrichment.app.ended(window_id)
    enrichment.rerun(window_id)

    assert refused["state"] == "failed"
    assert f"{enrichment.app.client_id} may not POST /api/2.2/jobs/run-now" in refused["message"]
    assert f"answered {status}: " in refused["message"]
    assert enrichment.ended(window_id, 2)["state"] == "succeeded"


def test_token_that_is_refused_once_while_a_run_is_followed_does_not_end_it(enrichment):
    enrichment.app.fault("databricks", "refuse_tokens", call="runs/get")

    window_id = enrichment.past("payments")
    enrichment.ended(window_id)

    assert enrichment.app.admin("databricks", "GET", "/faults")["faults"] == []
    assert states(enrichment, window_id) == [(1, "succeeded", SUCCESS)]


def test_run_that_fails_by_its_own_fault_is_recorded_in_databricks_words_and_not_tried_again(enrichment):
    window_id = enrichment.past("payments", "fail")
    run = enrichment.ended(window_id)

    words = "TERMINATED FAILED (RUN_EXECUTION_ERROR, CLIENT_ERROR): Task follow_window failed with message: "
    assert (run["state"], run["message"]) == ("failed", f"{words}Window {window_id} spoils every run.")
    assert run["page_url"].startswith(enrichment.app.running.addresses["databricks"]["workspace"])
    assert len(enrichment.in_databricks(window_id)) == 1


def test_runs_that_another_try_can_help_are_tried_again_under_the_next_numbers(enrichment):
    enrichment.app.fault("databricks", "fail_run", code="CLOUD_FAILURE", message="No machines left.")
    enrichment.app.fault("databricks", "fail_run", code="MAX_CONCURRENT_RUNS_EXCEEDED", message="No room.")

    window_id = enrichment.past("payments")
    enrichment.ended(window_id, 3)

    assert states(enrichment, window_id) == [
        (1, "failed", "INTERNAL_ERROR FAILED (CLOUD_FAILURE, CLOUD_FAILURE): No machines left."),
        (
            2,
            "failed",
            "SKIPPED MAXIMUM_CONCURRENT_RUNS_REACHED (MAX_CONCURRENT_RUNS_EXCEEDED, CLIENT_ERROR): No room.",
        ),
        (3, "succeeded", SUCCESS),
    ]


def test_run_that_is_skipped_is_recorded_so_and_not_tried_again(enrichment):
    enrichment.app.fault("databricks", "fail_run", code="DISABLED", message="The job is paused.")

    window_id = enrichment.past("payments")
    enrichment.ended(window_id)

    words = "SKIPPED DISABLED (DISABLED, CLIENT_ERROR): The job is paused."
    assert states(enrichment, window_id) == [(1, "failed", words)]
    assert len(enrichment.in_databricks(window_id)) == 1


def test_run_that_must_wait_says_for_which_window_and_another_feeds_run_goes_on_beside(enrichment):
    first = enrichment.past("payments", "linger")
    enrichment.active(first)
    second = enrichment.past("payments")

    words = f"Waits for the run of window {first}: a feed has one run at a time."
    eventually(lambda: enrichment.run(second) and enrichment.run(second)["message"] == words, f"{second} waits")
    beside = enrichment.ended(enrichment.past("trades"))
    waiting, lingering = enrichment.run(second), enrichment.run(first)
    enrichment.let_go(first)

    assert (waiting["state"], waiting["run_id"], lingering["state"]) == ("claimed", 0, "active")
    assert beside["state"] == "succeeded"
    assert enrichment.ended(first)["state"] == enrichment.ended(second)["state"] == "succeeded"


@pytest.fixture(scope="module")
def overdue(enrichment):
    """A run that outlives its window, and the next window's, whose cancelling of the first one takes three seconds."""
    enrichment.app.fault("databricks", "slow_cancel", seconds=3)
    first = enrichment.past("payments", "linger")
    enrichment.active(first)
    second = enrichment.past("payments")
    seen = []
    eventually(lambda: seen.append(enrichment.in_databricks(first)[0]["state"]) or "TERMINATED" in seen, "it ended")
    return (first, enrichment.ended(first)), (second, enrichment.ended(second)), seen


def test_overdue_run_makes_room_is_awaited_and_recorded_as_superseded(enrichment, overdue):
    (first, run), _, seen = overdue

    assert list(dict.fromkeys(seen)) == ["RUNNING", "TERMINATING", "TERMINATED"]
    assert states(enrichment, first) == [
        (1, "superseded", "TERMINATED CANCELED (USER_CANCELED, CLIENT_ERROR): Run cancelled.")
    ]
    assert run["run_id"] == enrichment.in_databricks(first)[0]["run_id"]


def test_run_that_needed_the_room_is_carried_out_and_never_cancelled(enrichment, overdue):
    _, (second, run), _ = overdue

    assert states(enrichment, second) == [(1, "succeeded", SUCCESS)]
    assert f"databricks.run_cancelled run={run['run_id']}" not in enrichment.databricks_log()


@pytest.fixture(scope="module")
def wished(enrichment):
    """A window with a run that ended, and two wishes at once to run it again; that run lingers."""
    window_id = enrichment.past("payments")
    enrichment.ended(window_id)
    enrichment.order(window_id, "linger")
    answers = enrichment.app.at_once(2, "POST", f"/api/windows/{window_id}/enrichment")
    yield window_id, answers
    enrichment.let_go(window_id)


def test_of_two_wishes_at_once_to_run_a_window_again_one_is_granted(wished):
    window_id, answers = wished

    granted = next(answer.json() for answer in answers if answer.status_code == 202)
    assert Counter(answer.status_code for answer in answers) == {202: 1, 409: 1}
    assert (granted["window"], granted["run"]["number"], granted["run"]["mode"]) == (window_id, 2, "rerun")


def test_wish_while_a_run_is_active_is_refused_and_granted_after_its_end(enrichment, wished):
    window_id, _ = wished
    enrichment.active(window_id, 2)

    refused = enrichment.rerun(window_id)
    enrichment.let_go(window_id)
    enrichment.ended(window_id, 2)

    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "run_conflict")
    assert [run["parameters"]["mode"] for run in enrichment.in_databricks(window_id)] == ["rerun", "follow"]
    assert enrichment.rerun(window_id).status_code == 202
    assert enrichment.ended(window_id, 3)["state"] == "succeeded"


@pytest.mark.parametrize("window_id", ["payments-20200101T000000Z", "nonsense"])
def test_unknown_window_is_not_run_again(enrichment, window_id):
    answer = enrichment.rerun(window_id)

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_window")
