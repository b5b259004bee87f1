"""What goes wrong on demand, and that the effect is what it says."""

import aiohttp
import pytest


async def test_a_lost_answer_leaves_its_run_and_the_token_finds_it(jobs):
    order = {"job_id": await jobs.job_id("queued"), "idempotency_token": "enrich-1"}
    await jobs.fault("lost_answer", call="jobs/run-now")

    with pytest.raises(aiohttp.ClientError):
        await jobs.call("POST", "run-now", order)
    _, found = await jobs.call("POST", "run-now", order)

    runs = (await jobs.admin("GET", "/runs"))["runs"]
    assert [run["run_id"] for run in runs] == [found["run_id"]]
    assert (await jobs.end(found["run_id"]))["state"]["result_state"] == "SUCCESS"


async def test_too_many_requests_names_the_seconds_to_wait_and_has_no_effect(jobs):
    job_id = await jobs.job_id("queued")
    await jobs.fault("too_many_requests", call="jobs/run-now", retry_after=7)

    status, body, headers = await jobs.whole("POST", "run-now", {"job_id": job_id})

    assert (status, body["error_code"], headers["Retry-After"]) == (429, "REQUEST_LIMIT_EXCEEDED", "7")
    assert (await jobs.admin("GET", "/runs"))["runs"] == []


async def test_an_unavailable_service_comes_back_after_its_count(jobs):
    await jobs.fault("unavailable", count=2)

    statuses = [(await jobs.call("GET", "list"))[0] for _ in range(3)]

    assert statuses == [503, 503, 200]


async def test_hidden_jobs_are_not_listed(jobs):
    await jobs.fault("hide_jobs")

    found = [(await jobs.call("GET", "list", name="queued"))[1].get("jobs", []) for _ in range(2)]

    assert [len(listed) for listed in found] == [0, 1]


@pytest.mark.parametrize("status", [401, 403])
async def test_tokens_are_refused_with_the_status_ordered(jobs, status):
    await jobs.fault("refuse_tokens", status=status)

    assert [(await jobs.call("GET", "list"))[0] for _ in range(2)] == [status, 200]


async def test_a_slow_cancel_keeps_the_run_terminating_before_anything_is_stopped(jobs):
    run_id = await jobs.run_now("queued", "leave_kindly")
    await jobs.waiting(run_id)
    await jobs.fault("slow_cancel", seconds=0.4)

    await jobs.cancel(run_id)
    terminating, pid = await jobs.run(run_id), await jobs.pid(run_id)
    run = await jobs.end(run_id)

    assert (terminating["state"]["life_cycle_state"], bool(pid)) == ("TERMINATING", True)
    assert run["end_time"] - terminating["start_time"] >= 400


async def test_a_slow_start_keeps_the_run_pending(jobs):
    await jobs.fault("slow_start", seconds=0.3)

    run_id = await jobs.run_now("queued")
    pending = await jobs.run(run_id)
    run = await jobs.end(run_id)

    assert (pending["state"]["life_cycle_state"], pending["status"]["state"]) == ("PENDING", "PENDING")
    assert run["setup_duration"] >= 290


async def test_a_run_fails_with_the_code_ordered_and_never_begins(jobs):
    await jobs.fault("fail_run", code="CLOUD_FAILURE", message="No machines left.")

    run = await jobs.end(await jobs.run_now("queued"))

    assert (run["state"]["life_cycle_state"], run["state"]["result_state"]) == ("INTERNAL_ERROR", "FAILED")
    details = {"code": "CLOUD_FAILURE", "type": "CLOUD_FAILURE", "message": "No machines left."}
    assert run["status"]["termination_details"] == details
    assert not jobs.folder(run["run_id"]).exists()


async def test_a_run_may_fail_in_its_midst(jobs):
    await jobs.fault("fail_run", code="DRIVER_ERROR", seconds=0.2)

    run_id = await jobs.run_now("queued", "wait")
    run = await jobs.end(run_id)

    assert run["status"]["termination_details"]["code"] == "DRIVER_ERROR"
    assert (jobs.folder(run_id) / "only.0.log").exists()


async def test_faults_are_listed_and_cleared(jobs):
    await jobs.fault("unavailable", count=3)
    await jobs.call("GET", "list")

    active = await jobs.admin("GET", "/faults")
    cleared = await jobs.admin("DELETE", "/faults")

    assert [(fault["kind"], fault["left"]) for fault in active["faults"]] == [("unavailable", 2)]
    assert cleared == {"faults": []}


async def test_an_order_that_makes_no_sense_is_refused_with_the_reason(jobs):
    order = {"kind": "slow_cancel"}

    async with jobs.session.post(jobs.addresses["admin"] + "/faults", json=order) as answer:
        assert answer.status == 400
        assert "seconds is required" in (await answer.json())["error"]
