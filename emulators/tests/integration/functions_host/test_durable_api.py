"""The task hub's HTTP API answers as the durable extension's, which was asked the same questions."""

import json
from datetime import UTC, datetime

import pytest

DURABLE = "/runtime/webhooks/durabletask"
WEBHOOKS = f"{DURABLE}/instances"
TOKEN = "x-ms-continuation-token"


def post(host, instance, verb, **options):
    return host.call("POST", f"{WEBHOOKS}/{instance}/{verb}", **options)


def waiting(host, instance):
    host.start("waits", instance, {"a": 1})
    host.reach(instance, "Running")


def ended(host, instance):
    host.run("sleeps", instance, 0)


def failed(host, instance):
    host.start("fails_once", instance)
    return host.reach(instance, "Failed")


def test_a_failed_instance_is_answered_with_500_where_that_is_asked_for(whole):
    failed(whole, "failed-500")
    query = {"returnInternalServerErrorOnFailure": "true"}

    asked = whole.call("GET", f"{WEBHOOKS}/failed-500", params=query)

    assert (asked.status_code, asked.json()["runtimeStatus"]) == (500, "Failed")
    assert whole.call("GET", f"{WEBHOOKS}/failed-500").status_code == 200
    ended(whole, "ended-200")
    assert whole.call("GET", f"{WEBHOOKS}/ended-200", params=query).status_code == 200


def test_the_output_of_a_failure_holds_the_whole_exception_as_json(whole):
    output = failed(whole, "failed-json")["output"]

    reason, _, details = output.partition(" \n ")
    assert (
        reason == "Orchestrator function 'fails_once' failed: Activity function 'work' failed:  ValueError: failure 1"
    )
    assert json.loads(details)["Message"] == " ValueError: failure 1"


def test_a_purge_without_createdtimefrom_is_refused_and_deletes_nothing(whole):
    ended(whole, "kept")

    refusal = whole.call("DELETE", f"{WEBHOOKS}/", params={"runtimeStatus": "Completed"})

    assert (refusal.status_code, refusal.json()) == (400, "Please provide value for 'createdTimeFrom' parameter.")
    assert whole.status("kept")["runtimeStatus"] == "Completed"


def test_a_purge_that_matches_nothing_is_not_found(whole):
    answer = whole.call("DELETE", f"{WEBHOOKS}/", params={"createdTimeFrom": "9000-01-01"})

    assert (answer.status_code, answer.content) == (404, b"")


def test_a_purge_says_how_many_it_deleted(whole):
    since = datetime.now(UTC).isoformat()
    for n in range(2):
        ended(whole, f"old-{n}")
    waiting(whole, "old-waits")

    answer = whole.call("DELETE", f"{WEBHOOKS}/", params={"createdTimeFrom": since})

    assert (answer.status_code, answer.json()) == (200, {"instancesDeleted": 2})
    assert whole.status("old-0") == {}
    assert whole.status("old-waits")["runtimeStatus"] == "Running"


def test_an_instance_that_runs_is_not_purged(whole):
    waiting(whole, "running-purge")

    refusal = whole.call("DELETE", f"{WEBHOOKS}/running-purge")

    assert refusal.status_code == 412
    assert refusal.json().endswith("the orchestration with instance ID running-purge has status Running")


def test_instances_come_in_pages_of_the_length_asked_for(whole):
    for n in range(3):
        ended(whole, f"page-{n}")
    query = {"instanceIdPrefix": "page-", "top": 2}

    first = whole.call("GET", f"{WEBHOOKS}/", params=query)
    second = whole.call("GET", f"{WEBHOOKS}/", params=query, headers={TOKEN: first.headers[TOKEN]})

    assert [one["instanceId"] for one in first.json()] == ["page-0", "page-1"]
    assert [one["instanceId"] for one in second.json()] == ["page-2"]
    assert second.headers[TOKEN] == ""


def test_a_status_that_is_none_filters_nothing(whole):
    ended(whole, "nonsense-1")
    query = {"instanceIdPrefix": "nonsense-", "runtimeStatus": "Nonsense"}

    assert [one["instanceId"] for one in whole.call("GET", f"{WEBHOOKS}/", params=query).json()] == ["nonsense-1"]


def test_a_restart_is_answered_as_a_start_is(whole):
    ended(whole, "again")

    answer = post(whole, "again", "restart")

    urls = answer.json()
    assert (answer.status_code, answer.headers["Retry-After"]) == (202, "10")
    assert answer.headers["Location"] == urls["statusQueryGetUri"]
    assert {"sendEventPostUri", "terminatePostUri", "rewindPostUri", "purgeHistoryDeleteUri", "restartPostUri",
            "suspendPostUri", "resumePostUri"} < set(urls)  # fmt: skip
    assert urls["id"] != "again"
    assert whole.reach(urls["id"])["name"] == "sleeps"


def test_a_restart_of_nothing_and_one_of_what_still_runs_are_refused(whole):
    waiting(whole, "busy")

    unknown, busy = post(whole, "nobody", "restart"), post(whole, "busy", "restart?restartWithNewInstanceId=false")

    assert unknown.status_code == 400
    assert unknown.json()["Message"] == "InstanceId does not match a valid orchestration instance."
    assert busy.status_code == 409
    assert busy.json()["Message"] == "A non-terminal instance with this instance ID already exists."
    assert busy.json()["ExceptionMessage"] == "An Orchestration instance with the status Running already exists."


def test_only_a_failed_instance_may_be_rewound_and_this_host_says_that_it_does_not(whole):
    ended(whole, "rewound")
    failed(whole, "rewound-failed")

    refusal, unknown, left_out = (post(whole, one, "rewind") for one in ("rewound", "nobody", "rewound-failed"))

    words = 'This orchestration has status Completed, but only orchestrations in the "Failed" state can be rewound.'
    assert (refusal.status_code, refusal.json()) == (412, words)
    assert unknown.status_code == 404
    assert (left_out.status_code, "does not implement rewind" in left_out.json()["Message"]) == (501, True)


def test_the_reason_of_a_suspension_and_of_a_resumption_is_the_output(whole):
    waiting(whole, "reasoned")

    post(whole, "reasoned", "suspend?reason=pause")
    suspended = whole.reach("reasoned", "Suspended")
    post(whole, "reasoned", "resume?reason=on")
    resumed = whole.reach("reasoned", "Running")

    assert (suspended["output"], resumed["output"]) == ("pause", "on")


def test_a_start_of_an_id_that_runs_is_refused_by_its_status(whole):
    waiting(whole, "twice")

    refusal = whole.call("POST", f"{DURABLE}/orchestrators/waits/twice", json={})

    message = "An Orchestration instance with the status Running already exists."
    assert (refusal.status_code, refusal.json()) == (409, {"Message": message})


def test_the_status_of_a_child_names_its_parent(whole):
    whole.start("has_a_child", "parent")
    whole.reach("parent-child", "Running")

    assert whole.status("parent-child")["parentInstanceId"] == "parent"
    assert "parentInstanceId" not in whole.status("parent")


def test_a_start_without_body_and_content_type_is_taken_and_fails(whole):
    taken = whole.call("POST", f"{DURABLE}/orchestrators/sleeps/empty")

    ending = whole.reach("empty")
    assert taken.status_code == 202
    assert (ending["runtimeStatus"], ending["input"]) == ("Failed", "")
    assert "Exception binding parameter" in ending["output"]
    assert whole.effect("empty") == []


@pytest.mark.parametrize("body", ["{}", "null"])
def test_a_start_with_an_empty_object_or_null_works(whole, body):
    instance = f"null-{len(body)}"

    assert whole.call("POST", f"{DURABLE}/orchestrators/waits/{instance}", data=body).status_code == 202
    whole.reach(instance, "Running")


@pytest.mark.parametrize("address", [f"{DURABLE}/orchestrators/waits", f"{WEBHOOKS}/fussy/raiseEvent/go"])
@pytest.mark.parametrize("body", ["{", "text", '{"a": 1} x'])
def test_a_body_that_is_not_json_is_refused_with_the_readers_exception(whole, address, body):
    whole.start("waits", "fussy")

    refusal = whole.call("POST", address, data=body, headers={"Content-Type": "application/json"})

    told = refusal.json()
    assert (refusal.status_code, told["Message"]) == (400, "Invalid JSON content")
    assert told["ExceptionType"] == "Newtonsoft.Json.JsonReaderException"
    assert "line 1, position" in told["ExceptionMessage"]
    assert told["StackTrace"].startswith("   at Newtonsoft.Json")


def test_an_event_that_is_not_sent_as_json_is_refused(whole):
    waiting(whole, "typed")

    refusal = post(whole, "typed", "raiseEvent/go", data="1", headers={"Content-Type": "text/plain"})

    words = "Only application/json request content is supported"
    assert (refusal.status_code, refusal.json()) == (400, {"Message": words})


def test_an_event_to_nobody_is_not_found_and_one_to_an_ended_instance_is_gone_whatever_it_holds(whole):
    ended(whole, "gone")

    assert [post(whole, one, "raiseEvent/go", data="no json").status_code for one in ("nobody", "gone")] == [404, 410]


def test_the_history_of_an_instance_shows_what_the_extensions_does(whole):
    waiting(whole, "told")
    post(whole, "told", "raiseEvent/go", json={"x": 1})
    whole.reach("told")

    started, raised, completed = whole.status("told", "?showHistory=true&showHistoryOutput=true")["historyEvents"]

    assert started["FunctionName"] == "waits"
    assert json.loads(json.loads(started["Input"])) == {"a": 1}
    assert {"Correlation", "Generation", "ScheduledStartTime"} < set(started)
    assert (raised["Name"], json.loads(raised["Input"]), raised["ParentTraceContext"]) == ("go", {"x": 1}, None)
    assert (completed["OrchestrationStatus"], completed["FailureDetails"]) == ("Completed", None)
    assert completed["Result"]["go"] == {"x": 1}


def test_there_are_no_entities_and_what_would_need_one_is_refused_by_name(whole):
    listed = whole.call("GET", f"{DURABLE}/entities")

    assert (listed.status_code, listed.json()) == (200, [])
    for method, path in (("GET", "/entities/counter/one"), ("POST", "/entities/counter/one?op=add")):
        refusal = whole.call(method, f"{DURABLE}{path}")
        assert (refusal.status_code, "entities" in refusal.json()["Message"]) == (501, True)


def test_a_query_gives_at_most_a_hundred_unless_asked(launch):
    host = launch()
    for n in range(101):
        host.call("POST", f"{DURABLE}/orchestrators/waits/many-{n:03}", json={})

    first = host.call("GET", f"{WEBHOOKS}/")
    rest = host.call("GET", f"{WEBHOOKS}/", headers={TOKEN: first.headers[TOKEN]})

    assert (len(first.json()), [one["instanceId"] for one in rest.json()]) == (100, ["many-100"])
