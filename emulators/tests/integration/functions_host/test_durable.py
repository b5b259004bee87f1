import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

WEBHOOKS = "/runtime/webhooks/durabletask/instances"


def post(host, instance, verb, **options):
    return host.call("POST", f"{WEBHOOKS}/{instance}/{verb}", **options).status_code


def test_sixty_mixed_orchestrations_at_once_all_come_out_right(whole):
    with ThreadPoolExecutor(8) as pool:
        outputs = list(pool.map(lambda n: whole.run("mixed", f"mixed-{n}", {"key": n, "failures": n % 4}), range(60)))

    for n, output in enumerate(outputs):
        outcome = "gave up: True" if n % 4 == 3 else n % 4 + 1
        assert output == {"sum": 2 * n + 2, "winner": True, "outcome": outcome, "child": [n, None]}
    assert "Potential duplicate" not in whole.log()
    assert "hub.task_failed" not in whole.log()


def test_an_event_from_http_arrives_decoded_and_one_from_the_sdk_as_text(whole):
    for instance in ("by-http", "by-sdk"):
        whole.start("waits", instance, [1, {"a": None}])
        whole.reach(instance, "Running")

    assert post(whole, "by-http", "raiseEvent/go", json={"x": 1}) == 202
    assert whole.call("POST", "/api/events/by-sdk/go", json={"x": 1}).status_code == 202

    assert whole.reach("by-http")["output"] == {"input": [1, {"a": None}], "go": {"x": 1}}
    assert json.loads(whole.reach("by-sdk")["output"]["go"]) == {"x": 1}


def test_a_status_shows_what_the_sdk_and_http_expect(whole):
    links = whole.start("waits", "shown", {"a": 1}).json()
    whole.reach("shown", "Running")

    response = whole.call("GET", links["statusQueryGetUri"].removeprefix(whole.url))
    seen = whole.call("GET", "/api/look/shown").json()

    assert response.status_code == 202
    assert (response.json()["input"], response.json()["customStatus"]) == ('{"a": 1}', "waiting")
    assert (seen["known"], seen["same"], seen["status"]["runtimeStatus"]) == (True, 1, "Running")
    assert whole.call("GET", f"{WEBHOOKS}/unknown").status_code == 404
    assert whole.call("GET", "/api/look/unknown").json()["known"] is False


def test_an_instance_starts_once_until_it_has_ended(whole):
    whole.start("waits", "once")
    with ThreadPoolExecutor(10) as pool:
        refused = list(pool.map(lambda _: whole.start("waits", "once"), range(10)))

    assert {response.status_code for response in refused} == {409}
    assert all("An Orchestration instance with the status" in response.text for response in refused)
    assert post(whole, "once", "raiseEvent/go", json=1) == 202
    whole.reach("once", "Completed")
    assert whole.start("waits", "once", "again").status_code == 202


def test_fifty_starters_make_one_instance(whole):
    with ThreadPoolExecutor(10) as pool:
        codes = sorted(pool.map(lambda _: whole.start("waits", "fifty").status_code, range(50)))

    assert codes == [202] + [409] * 49


def test_an_unknown_orchestrator_is_refused_as_azure_phrases_it(whole):
    response = whole.start("no_such", "never")

    assert response.status_code == 409
    assert "The function 'no_such' doesn't exist, is disabled, or is not an orchestrator function" in response.text
    assert whole.status("never") == {}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("calls_missing", "'no_such_activity' doesn't exist"),
        ("signals", "signal_entity is not supported by this host"),
        ("asks_the_web", "call_http is not supported by this host"),
    ],
)
def test_an_orchestration_that_cannot_go_on_fails_with_the_reason(whole, name, words):
    whole.start(name, f"bad-{name}")

    assert words in whole.reach(f"bad-{name}", "Failed")["output"]


def test_a_retry_raced_against_a_timer_is_non_deterministic_as_in_azure(whole):
    whole.start("times_out", "raced")

    output = whole.reach("raced", "Failed")["output"]

    assert output.startswith(
        "Non-Deterministic workflow detected: A previous execution of this orchestration scheduled"
    )


def test_an_orchestration_that_continues_as_new_goes_on_under_its_id(whole, until):
    whole.start("begins_again", "eternal", 1)
    until(lambda: whole.status("eternal").get("input") == "3", "the last generation")
    assert post(whole, "eternal", "raiseEvent/go", json="gone on") == 202

    ended = whole.reach("eternal", "Completed")

    assert (ended["input"], ended["output"]) == ("3", "gone on")


def test_a_failed_activity_is_told_with_the_exception_as_json(whole):
    whole.start("grandchild", "told", {"key": "told", "failures": 1})

    human, _, details = whole.reach("told", "Failed")["output"].partition(" \n ")

    assert human == "Orchestrator function 'grandchild' failed: Activity function 'work' failed:  ValueError: failure 1"
    assert json.loads(details)["InnerException"]["Message"].startswith(
        "Result: Failure\nException: ValueError: failure 1"
    )


def test_a_terminated_orchestration_shows_the_reason_and_takes_nothing_more(whole):
    whole.start("waits", "ended")
    whole.reach("ended", "Running")

    assert whole.call("POST", "/api/manage/ended/terminate").status_code == 200

    assert whole.reach("ended", "Terminated")["output"] == "as asked"
    assert [post(whole, "ended", verb, json=1) for verb in ("raiseEvent/go", "terminate", "suspend")] == [410] * 3
    assert post(whole, "unknown", "terminate") == 404


def test_a_suspended_orchestration_keeps_its_events_for_later(whole):
    whole.start("waits", "paused")
    whole.reach("paused", "Running")
    whole.call("POST", "/api/manage/paused/suspend")
    whole.reach("paused", "Suspended")

    assert post(whole, "paused", "raiseEvent/go", json=1) == 202
    assert whole.status("paused")["runtimeStatus"] == "Suspended"
    whole.call("POST", "/api/manage/paused/resume")

    assert whole.reach("paused", "Completed")["output"]["go"] == 1


def test_instances_are_queried_purged_and_started_anew(whole):
    for n in range(3):
        whole.run("sleeps", f"group-{n}", 0)
    query = {
        "instanceIdPrefix": "group-",
        "runtimeStatus": "Completed,Failed",
        "createdTimeFrom": "2020-01-01T00:00:00Z",
    }

    found = whole.call("GET", f"{WEBHOOKS}/", params=query).json()
    fresh = whole.call("POST", "/api/manage/group-0/restart").text
    purged = whole.call("POST", "/api/manage/group-0/purge").text

    assert [one["instanceId"] for one in found] == ["group-0", "group-1", "group-2"]
    assert purged == "1"
    assert whole.reach(fresh)["name"] == "sleeps"
    assert whole.call("DELETE", f"{WEBHOOKS}/group-0").status_code == 404


def test_an_orchestration_started_by_http_gets_its_body_as_input(whole):
    made = whole.call("POST", "/runtime/webhooks/durabletask/orchestrators/waits/by-webhook", json={"a": 1})

    assert (made.status_code, made.json()["id"]) == (202, "by-webhook")
    whole.reach("by-webhook", "Running")
    post(whole, "by-webhook", "raiseEvent/go", json=1)
    assert whole.reach("by-webhook")["output"]["input"] == {"a": 1}


def test_no_more_activities_run_at_once_than_host_json_allows(whole):
    output = whole.run("fans_out", "fan", {"count": 40, "seconds": 0.05})

    assert sorted(output["values"]) == list(range(40))
    assert 2 <= output["most"] <= 12


def test_the_history_lists_each_task_once_with_its_times(whole):
    whole.run("mixed", "listed", {"key": 1, "failures": 0})

    events = whole.status("listed", "?showHistory=true&showHistoryOutput=true")["historyEvents"]

    assert events[0]["EventType"] == "ExecutionStarted"
    assert events[-1]["EventType"] == "ExecutionCompleted"
    doubled = [event for event in events if event.get("FunctionName") == "double"]
    assert sorted(event["Result"] for event in doubled) == [2, 2, 2]


def test_replays_are_not_logged_as_invocations(whole):
    whole.run("mixed", "quiet", {"key": 1, "failures": 0})

    assert "Function.mixed" not in whole.log()
    assert "instance=quiet status=Completed" in whole.log()


def test_slices_of_a_leg_overlap_and_each_runs_once(whole):
    began = time.monotonic()

    output = whole.run("leg", "leg", {"slices": 8, "seconds": 0.5, "every": 0.1})

    assert output == {"done": list(range(8)), "stopped": False}
    assert time.monotonic() - began < 8 * 0.5
    assert [len(whole.effect(f"leg.{n}")) for n in range(8)] == [1] * 8


def test_a_stopped_leg_lets_its_running_slices_end_and_begins_no_more(whole, until):
    whole.start("leg", "stopped-leg", {"slices": 100, "seconds": 0.3, "every": 0.1})
    until(lambda: whole.effect("stopped-leg.2"), "the third slice")

    whole.call("POST", "/api/events/stopped-leg/stop", json={})

    output = whole.reach("stopped-leg", "Completed")["output"]
    assert output["stopped"] is True
    assert output["done"] == list(range(len(output["done"])))
    assert whole.effect(f"stopped-leg.{len(output['done'])}") == []


def test_a_window_of_legs_comes_out_whole(whole):
    plan = {"legs": 6, "leg": {"slices": 6, "seconds": 0.02, "every": 0.05}}

    output = whole.run("window", "window", plan)

    assert output == [{"done": list(range(6)), "stopped": False}] * 6
    assert whole.status("window.leg3")["runtimeStatus"] == "Completed"
