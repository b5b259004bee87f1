"""The calls of the API: what is found, what is refused and how, and who is let in."""

import pytest


async def test_a_job_is_found_by_its_exact_name(jobs):
    _, found = await jobs.call("GET", "list", name="QUEUED")
    _, job = await jobs.call("GET", "get", job_id=found["jobs"][0]["job_id"])

    assert [one["settings"]["name"] for one in found["jobs"]] == ["queued"]
    assert found["has_more"] is False
    assert "tasks" not in found["jobs"][0]["settings"]
    assert (job["settings"]["max_concurrent_runs"], job["settings"]["queue"]) == (1, {"enabled": True})
    assert job["settings"]["tasks"][0]["task_key"] == "only"


async def test_a_name_that_no_job_has_gives_a_list_without_jobs(jobs):
    assert await jobs.call("GET", "list", name="queue") == (200, {"has_more": False})


async def test_jobs_come_in_pages(jobs):
    _, first = await jobs.call("GET", "list", limit=5)
    _, second = await jobs.call("GET", "list", limit=50, page_token=first["next_page_token"])
    deployed = (await jobs.admin("GET", "/health"))["jobs"]

    names = [job["settings"]["name"] for job in first["jobs"] + second["jobs"]]
    assert (first["has_more"], second["has_more"], len(first["jobs"])) == (True, False, 5)
    assert sorted(names) == sorted(set(deployed) - {"hidden"})


async def test_runs_are_listed_the_newest_first_and_by_whether_they_are_over(jobs):
    over, active = await jobs.run_now("retried"), await jobs.run_now("queued", "wait")
    await jobs.end(over)

    listed = {
        name: [run["run_id"] for run in (await jobs.call("GET", "runs/list", **query))[1].get("runs", [])]
        for name, query in LISTINGS.items()
    }
    await jobs.cancel(active)

    assert listed == {"all": [active, over], "active": [active], "completed": [over], "stranger": []}


LISTINGS = {
    "all": {},
    "active": {"active_only": "true"},
    "completed": {"completed_only": "true"},
    "stranger": {"job_id": 7},
}


async def test_the_same_token_gives_the_same_run_and_none_new(jobs):
    token = "t" * 64
    first = await jobs.run_now("queued", idempotency_token=token)
    await jobs.end(first)

    again = await jobs.run_now("queued", idempotency_token=token)

    assert again == first
    assert len((await jobs.admin("GET", "/runs"))["runs"]) == 1


async def test_the_token_of_a_deleted_run_is_an_error(jobs):
    job_id = await jobs.job_id("queued")
    run_id = await jobs.run_now("queued", idempotency_token="once")
    await jobs.end(run_id)

    assert await jobs.call("POST", "runs/delete", {"run_id": run_id}) == (200, {})
    status, body = await jobs.call("POST", "run-now", {"job_id": job_id, "idempotency_token": "once"})

    assert (status, body["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert "'once'" in body["message"]
    assert (await jobs.call("GET", "runs/get", run_id=run_id))[0] == 400


async def test_an_active_run_is_not_deleted(jobs):
    run_id = await jobs.run_now("queued", "wait")

    status, body = await jobs.call("POST", "runs/delete", {"run_id": run_id})
    await jobs.cancel(run_id)

    assert (status, body["error_code"]) == (400, "INVALID_STATE")


BAD_ORDERS = {
    "job": ({"job_id": 1}, "Job 1 does not exist."),
    "token": ({"idempotency_token": "t" * 65}, "idempotency_token"),
    "name": ({"job_parameters": {"windowid": "x"}}, "no parameter windowid; it has act, window_id"),
    "kind": ({"job_parameters": {"act": 1}}, "job_parameters"),
}


@pytest.mark.parametrize("case", BAD_ORDERS)
async def test_an_order_that_cannot_be_is_refused_by_name(jobs, case):
    changed, named = BAD_ORDERS[case]
    order = {"job_id": await jobs.job_id("queued")} | changed

    status, body = await jobs.call("POST", "run-now", order)

    assert (status, body["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert named in body["message"]
    assert (await jobs.admin("GET", "/runs"))["runs"] == []


async def test_what_is_not_there_is_said(jobs):
    missing = await jobs.call("GET", "runs/get", run_id=9)
    nowhere = await jobs.call("GET", "clusters")
    nothing = await jobs.call("GET", "runs/get")

    assert missing == (400, {"error_code": "INVALID_PARAMETER_VALUE", "message": "Run 9 does not exist."})
    assert (nowhere[0], nowhere[1]["error_code"]) == (404, "ENDPOINT_NOT_FOUND")
    assert "run_id is None" in nothing[1]["message"]


async def test_the_output_of_many_tasks_is_asked_for_one_by_one(jobs):
    run_id = await jobs.run_now("chain", "say")
    run = await jobs.end(run_id)

    whole = await jobs.call("GET", "runs/get-output", run_id=run_id)
    one = await jobs.call("GET", "runs/get-output", run_id=run["tasks"][1]["run_id"])

    assert whole[0] == 400
    assert (one[0], one[1]["logs_truncated"], "error" in one[1]) == (200, False, False)


async def test_a_token_for_another_resource_is_refused_and_not_shown(jobs, entra):
    jobs.token = await entra.token("https://eventhubs.azure.net/.default")

    status, body = await jobs.call("GET", "list")

    assert (status, body["error_code"]) == (403, "PERMISSION_DENIED")
    assert "audience" in body["message"].lower()
    assert jobs.token not in body["message"]


async def test_a_request_without_a_token_is_not_served(jobs):
    jobs.token = ""

    status, body = await jobs.call("GET", "list")

    assert (status, body["error_code"]) == (401, "UNAUTHENTICATED")


ABSENT = [
    "jar_params",
    "notebook_params",
    "only",
    "python_named_params",
    "python_params",
    "spark_submit_params",
    "sql_params",
]


@pytest.mark.parametrize("name", ABSENT)
async def test_a_parameter_that_is_documented_and_not_done_is_refused_by_name(jobs, name):
    order = {"job_id": await jobs.job_id("queued"), name: ["x"]}

    status, body = await jobs.call("POST", "run-now", order)

    assert (status, body["error_code"]) == (501, "NOT_IMPLEMENTED")
    assert body["message"].startswith(f"{name} of jobs/run-now")
    assert (await jobs.admin("GET", "/runs"))["runs"] == []


async def test_a_parameter_that_nobody_documents_is_ignored(jobs):
    run = await jobs.end(await jobs.run_now("queued", invented="x"))

    assert run["state"]["result_state"] == "SUCCESS"


async def test_what_is_not_done_of_a_runs_description_is_refused_by_name(jobs):
    run_id = await jobs.run_now("queued")

    status, body = await jobs.call("GET", "runs/get", run_id=run_id, include_history="true")
    await jobs.end(run_id)

    assert (status, body["message"].partition(" of ")[0]) == (501, "include_history")


NOT_DONE = [
    ("POST", "/api/2.2/jobs/create"),
    ("POST", "/api/2.2/jobs/runs/submit"),
    ("POST", "/api/2.2/jobs/runs/repair"),
    ("POST", "/api/2.1/jobs/runs/cancel-all"),
    ("POST", "/api/2.1/jobs/run-now"),
    ("GET", "/api/2.0/jobs/list"),
    ("GET", "/api/2.0/workspace/get-status"),
    ("PATCH", "/api/2.0/permissions/jobs/7"),
]


@pytest.mark.parametrize(("method", "path"), NOT_DONE)
async def test_a_call_that_is_documented_and_not_done_is_refused_by_name(jobs, method, path):
    status, body = await jobs.request(method, path)

    assert (status, body["error_code"]) == (501, "NOT_IMPLEMENTED")
    assert body["message"].startswith(f"{method} {path} ")


async def test_a_token_can_be_asked_whose_it_is(jobs, entra):
    status, me = await jobs.request("GET", "/api/2.0/preview/scim/v2/Me")

    assert (status, me["userName"], me["active"]) == (200, entra.form["client_id"], True)


async def test_no_call_of_any_kind_is_served_without_a_token(jobs):
    jobs.token = ""

    statuses = [(await jobs.request(*call))[0] for call in [*NOT_DONE, ("GET", "/api/2.0/preview/scim/v2/Me")]]

    assert set(statuses) == {401}


async def test_runs_are_listed_by_when_they_were_ordered(jobs):
    first = await jobs.end(await jobs.run_now("queued"))
    second = await jobs.end(await jobs.run_now("queued"))
    between = {"start_time_from": first["start_time"] + 1, "start_time_to": second["start_time"]}

    _, found = await jobs.call("GET", "runs/list", **between)
    _, submitted = await jobs.call("GET", "runs/list", run_type="SUBMIT_RUN")
    status, body = await jobs.call("GET", "runs/list", run_type="FUN_RUN")

    assert [run["run_id"] for run in found["runs"]] == [second["run_id"]]
    assert submitted == {"has_more": False}
    assert (status, "run_type is 'FUN_RUN'" in body["message"]) == (400, True)


async def test_whom_a_jobs_permissions_do_not_name_neither_finds_nor_starts_it(jobs):
    health = await jobs.admin("GET", "/health")
    hidden = health["jobs"]["hidden"]

    listed = await jobs.call("GET", "list", name="hidden")
    refusals = [
        await jobs.call("GET", "get", job_id=hidden),
        await jobs.call("POST", "run-now", {"job_id": hidden}),
        await jobs.call("POST", "run-now", {"job_id": health["jobs"]["guarded"]}),
    ]

    assert listed == (200, {"has_more": False})
    assert [(status, body["error_code"]) for status, body in refusals] == [(403, "PERMISSION_DENIED")] * 3


async def test_a_schedule_is_shown_as_paused_for_nothing_here_starts_by_itself(jobs):
    _, job = await jobs.call("GET", "get", job_id=await jobs.job_id("guarded"))

    assert job["settings"]["schedule"]["pause_status"] == "PAUSED"
