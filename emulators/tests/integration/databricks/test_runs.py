"""A run from its order to its end, as a client of the Jobs API sees it."""

import json

import pytest

from tests.integration.databricks.conftest import SECRET


async def test_a_run_goes_from_pending_by_running_to_success_with_all_its_fields(jobs):
    run_id = await jobs.run_now("queued", "wait", idempotency_token="enrich-1")
    await jobs.waiting(run_id)
    running = await jobs.run(run_id)
    jobs.let_go(run_id)
    run = await jobs.end(run_id)

    assert (running["state"]["life_cycle_state"], running["status"]) == ("RUNNING", {"state": "RUNNING"})
    assert "result_state" not in running["state"]
    assert running["end_time"] == 0
    assert run["state"] == {
        "life_cycle_state": "TERMINATED",
        "result_state": "SUCCESS",
        "state_message": "",
        "user_cancelled_or_timedout": False,
    }
    assert run["status"]["termination_details"] == {"code": "SUCCESS", "type": "SUCCESS", "message": ""}
    assert 0 < run["start_time"] <= run["end_time"]
    assert run["run_page_url"].startswith(f"{jobs.addresses['workspace']}/jobs/{run['job_id']}/runs/{run_id}")
    assert [(task["task_key"], task["state"]["result_state"]) for task in run["tasks"]] == [("only", "SUCCESS")]
    assert {"name": "act", "default": "say", "value": "wait"} in run["job_parameters"]


async def test_a_task_gets_its_arguments_the_clusters_environment_and_the_secrets_and_nothing_else(jobs):
    run_id = await jobs.run_now("queued", job_parameters={"window_id": "trades-20261122T100000Z"})
    await jobs.end(run_id)

    said = json.loads((jobs.folder(run_id) / "only.0.log").read_text())

    assert said["arguments"] == ["act", "--act=say", "--window=trades-20261122T100000Z", f"--run={run_id}"]
    assert (said["environment"]["SOURCE"], said["environment"]["ROOT"]) == ("kafka", "/lake/local")
    assert said["environment"]["SECRET_TOKEN"] == SECRET
    assert "UNRELATED" not in said["environment"]
    assert said["folder"] == str(jobs.folder(run_id))


async def test_job_parameters_are_pushed_down_to_a_task_with_named_ones(jobs):
    run_id = await jobs.run_now("unqueued", "say")
    await jobs.end(run_id)

    assert json.loads(await jobs.log(run_id))["arguments"] == ["act", "--extra=more", "--act=say"]


async def test_a_program_that_fails_fails_its_run_with_its_last_words_and_no_secret(jobs):
    run_id = await jobs.run_now("queued", "fail")
    run = await jobs.end(run_id)
    _, output = await jobs.call("GET", "runs/get-output", run_id=run["tasks"][0]["run_id"])
    async with jobs.session.get(run["run_page_url"]) as answer:
        page = await answer.text()

    assert (run["state"]["life_cycle_state"], run["state"]["result_state"]) == ("TERMINATED", "FAILED")
    details = run["status"]["termination_details"]
    assert (details["code"], details["type"]) == ("RUN_EXECUTION_ERROR", "CLIENT_ERROR")
    assert details["message"] == "Task only failed with message: ValueError: the lake is dry: [REDACTED]"
    assert output["error"] == "ValueError: the lake is dry: [REDACTED]"
    assert "about to fail" in output["error_trace"]
    assert "the lake is dry" in page
    assert SECRET not in json.dumps([run, output]) + page


async def test_an_exit_code_without_a_message_is_reported(jobs):
    run = await jobs.end(await jobs.run_now("queued", "quit_early"))

    assert "code 3" in run["state"]["state_message"]


@pytest.mark.parametrize(("job", "attempts", "result"), [("retried", 1, "SUCCESS"), ("unqueued", 0, "FAILED")])
async def test_a_task_is_retried_as_often_as_its_job_says(jobs, job, attempts, result):
    run_id = await jobs.run_now(job, "fail_once")
    run = await jobs.end(run_id)

    assert run["state"]["result_state"] == result
    assert run["tasks"][0]["attempt_number"] == attempts
    assert len(list(jobs.folder(run_id).glob("only.*.log"))) == attempts + 1


async def test_a_task_waits_for_those_it_depends_on(jobs):
    run = await jobs.end(await jobs.run_now("chain", "say"))

    first, second = run["tasks"]
    assert run["state"]["result_state"] == "SUCCESS"
    assert first["end_time"] <= second["start_time"]


async def test_a_task_that_ends_leaves_the_others_of_its_run_alone(jobs):
    run_id = await jobs.run_now("pair")
    await jobs.waiting(run_id)
    run = await jobs.until_it(run_id, lambda run: run["tasks"][0]["state"]["life_cycle_state"] == "TERMINATED")

    jobs.let_go(run_id)
    ended = await jobs.end(run_id)

    assert run["tasks"][1]["state"]["life_cycle_state"] == "RUNNING"
    assert [task["state"]["result_state"] for task in ended["tasks"]] == ["SUCCESS", "SUCCESS"]


async def test_a_task_whose_upstream_fails_never_runs(jobs):
    run_id = await jobs.run_now("chain", "fail")
    run = await jobs.end(run_id)

    assert [task["state"]["result_state"] for task in run["tasks"]] == ["FAILED", "UPSTREAM_FAILED"]
    assert run["state"]["state_message"].startswith("Task first failed with message: ValueError")
    assert not (jobs.folder(run_id) / "second.0.log").exists()


@pytest.mark.parametrize("job", ["hurried", "hurried_task"])
async def test_a_run_that_takes_longer_than_it_may_is_timed_out(jobs, job):
    run = await jobs.end(await jobs.run_now(job, "wait"))

    assert (run["state"]["result_state"], run["state"]["user_cancelled_or_timedout"]) == ("TIMEDOUT", True)
    assert run["status"]["termination_details"]["code"] == "CANCELED"


async def test_a_task_of_another_kind_fails_by_name(jobs):
    run = await jobs.end(await jobs.run_now("notebook"))

    assert run["status"]["termination_details"]["code"] == "INVALID_RUN_CONFIGURATION"
    assert "no python_wheel_task" in run["state"]["state_message"]


async def test_one_job_has_one_run_at_a_time_and_the_next_waits_for_it(jobs):
    first = await jobs.run_now("queued", "wait")
    second = await jobs.run_now("queued", "say")
    await jobs.waiting(first)
    queued = await jobs.run(second)
    jobs.let_go(first)
    ended = await jobs.end(second)

    assert queued["state"]["life_cycle_state"] == "QUEUED"
    assert queued["status"]["queue_details"]["code"] == "MAX_CONCURRENT_RUNS_REACHED"
    assert ended["state"]["result_state"] == "SUCCESS"
    assert ended["queue_duration"] > 0
    assert ended["tasks"][0]["start_time"] >= (await jobs.run(first))["end_time"]


async def test_a_job_runs_as_many_at_once_as_it_may_and_the_next_waits(jobs):
    first, second = await jobs.run_now("side_by_side", "wait"), await jobs.run_now("side_by_side", "wait")
    third = await jobs.run_now("side_by_side", "say")
    await jobs.waiting(first)
    await jobs.waiting(second)
    states = [(await jobs.run(run_id))["state"]["life_cycle_state"] for run_id in (first, second, third)]
    jobs.let_go(second)
    ended = await jobs.end(third)
    still = await jobs.run(first)
    jobs.let_go(first)

    assert states == ["RUNNING", "RUNNING", "QUEUED"]
    assert ended["state"]["result_state"] == "SUCCESS"
    assert still["state"]["life_cycle_state"] == "RUNNING"
    assert (await jobs.end(first))["state"]["result_state"] == "SUCCESS"


async def test_without_a_queue_the_second_run_is_skipped(jobs):
    first = await jobs.run_now("unqueued", "wait")
    second = await jobs.run(await jobs.run_now("unqueued", "say"))
    await jobs.cancel(first)
    await jobs.end(first)

    state = second["state"]
    assert (state["life_cycle_state"], state["result_state"]) == ("SKIPPED", "MAXIMUM_CONCURRENT_RUNS_REACHED")
    assert second["status"]["state"] == "TERMINATED"
    assert second["status"]["termination_details"]["code"] == "MAX_CONCURRENT_RUNS_EXCEEDED"


async def test_an_order_may_ask_for_the_queue_itself(jobs):
    first = await jobs.run_now("unqueued", "wait")
    second = await jobs.run_now("unqueued", "say", queue={"enabled": True})
    await jobs.waiting(first)
    jobs.let_go(first)

    assert (await jobs.end(second))["state"]["result_state"] == "SUCCESS"
