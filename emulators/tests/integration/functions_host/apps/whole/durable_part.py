"""Orchestrations of every kind that the host serves, and the activities under them."""

import json
import os
import threading
import time
from datetime import timedelta
from pathlib import Path

import azure.durable_functions as df
import azure.functions as func

bp = df.Blueprint(http_auth_level=func.AuthLevel.ANONYMOUS)
RETRY = df.RetryOptions(first_retry_interval_in_milliseconds=20, max_number_of_attempts=3)
_counts, _lock = {"running": 0, "most": 0}, threading.Lock()


def leave(effect: str) -> int:
    """Add a line to the file of this effect, and say how many there are."""
    path = Path(os.environ["EFFECTS"], effect)
    with path.open("a") as file:
        file.write(f"{time.time()}\n")
    return len(path.read_text().splitlines())


def payload(value: object) -> object:
    """Decode an event: the SDK's client hands over JSON text."""
    return json.loads(value) if isinstance(value, str) else value


@bp.activity_trigger(input_name="job")
def work(job: dict) -> dict:
    count = leave(job["effect"]) if "effect" in job else 0
    with _lock:
        _counts["running"] += 1
        _counts["most"] = max(_counts.values())
    time.sleep(job.get("seconds", 0))
    with _lock:
        _counts["running"] -= 1
    if count and count <= job.get("failures", 0):
        raise ValueError(f"failure {count}")
    return {"value": job.get("value"), "runs": count, "most": _counts["most"]}


@bp.activity_trigger(input_name="gate")
def wait_for_gate(gate: str) -> int:
    runs = leave(f"{gate}.begun")
    while not Path(os.environ["EFFECTS"], f"{gate}.open").exists():
        time.sleep(0.02)
    return runs


@bp.activity_trigger(input_name="value")
async def double(value: int) -> int:
    return value * 2


@bp.orchestration_trigger(context_name="context")
def mixed(context: df.DurableOrchestrationContext):
    job = context.get_input()
    key, failures = job["key"], job["failures"]
    first, second = yield context.task_all([context.call_activity("double", key), context.call_activity("double", 1)])
    retried = {"effect": f"mixed-{key}", "failures": failures, "value": key}
    quick = context.call_activity("double", key)
    slow = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
    winner = yield context.task_any([quick, slow])
    slow.cancel()
    try:
        outcome = (yield context.call_activity_with_retry("work", RETRY, retried))["runs"]
    except Exception as error:
        outcome = f"gave up: {'failure 3' in str(error)}"
    child = yield context.call_sub_orchestrator("child", {"key": key, "failures": min(failures, 2)})
    yield context.create_timer(context.current_utc_datetime + timedelta(milliseconds=10 * (key % 4)))
    return {"sum": first + second, "winner": winner is quick, "outcome": outcome, "child": child}


@bp.orchestration_trigger(context_name="context")
def child(context: df.DurableOrchestrationContext):
    job = context.get_input()
    context.set_custom_status({"at": "grandchild"})
    options = df.RetryOptions(10, 3)
    return (yield context.call_sub_orchestrator_with_retry("grandchild", options, job))


@bp.orchestration_trigger(context_name="context")
def grandchild(context: df.DurableOrchestrationContext):
    job = context.get_input()
    work_item = {"effect": f"grandchild-{job['key']}", "failures": job["failures"], "value": [job["key"], None]}
    done = yield context.call_activity("work", work_item)
    return done["value"]


@bp.orchestration_trigger(context_name="context")
def waits(context: df.DurableOrchestrationContext):
    context.set_custom_status("waiting")
    go = yield context.wait_for_external_event("go")
    return {"input": context.get_input(), "go": go}


@bp.orchestration_trigger(context_name="context")
def fails_once(context: df.DurableOrchestrationContext):
    yield context.call_activity("work", {"effect": f"{context.instance_id}.work", "failures": 1})


@bp.orchestration_trigger(context_name="context")
def has_a_child(context: df.DurableOrchestrationContext):
    return (yield context.call_sub_orchestrator("waits", "given", f"{context.instance_id}-child"))


@bp.orchestration_trigger(context_name="context")
def gated(context: df.DurableOrchestrationContext):
    gate = context.get_input()
    before = yield context.call_activity("work", {"effect": f"{gate}.before"})
    runs = yield context.call_activity("wait_for_gate", gate)
    return [before["runs"], runs]


@bp.orchestration_trigger(context_name="context")
def sleeps(context: df.DurableOrchestrationContext):
    seconds = context.get_input()
    began = context.current_utc_datetime
    yield context.create_timer(began + timedelta(seconds=seconds))
    return (context.current_utc_datetime - began).total_seconds()


@bp.orchestration_trigger(context_name="context")
def fans_out(context: df.DurableOrchestrationContext):
    plan = context.get_input()
    jobs = [context.call_activity("work", {"seconds": plan["seconds"], "value": n}) for n in range(plan["count"])]
    results = yield context.task_all(jobs)
    return {"values": [r["value"] for r in results], "most": max(r["most"] for r in results)}


@bp.orchestration_trigger(context_name="context")
def calls_missing(context: df.DurableOrchestrationContext):
    yield context.call_activity("no_such_activity", 1)


@bp.orchestration_trigger(context_name="context")
def begins_again(context: df.DurableOrchestrationContext):
    generation = context.get_input()
    yield context.call_activity("double", generation)
    if generation < 3:
        context.continue_as_new(generation + 1)
        return None
    return (yield context.wait_for_external_event("go"))


@bp.orchestration_trigger(context_name="context")
def times_out(context: df.DurableOrchestrationContext):
    """Race a call with retries against a timer: the shape that Azure's own replay takes for non-deterministic."""
    flaky = context.call_activity_with_retry("work", RETRY, {"effect": context.instance_id, "failures": 1})
    slow = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
    yield context.task_any([flaky, slow])
    slow.cancel()
    yield context.call_activity("double", 1)


@bp.orchestration_trigger(context_name="context")
def signals(context: df.DurableOrchestrationContext):
    context.signal_entity(df.EntityId("counter", "one"), "add", 1)
    yield context.call_activity("double", 1)


@bp.orchestration_trigger(context_name="context")
def asks_the_web(context: df.DurableOrchestrationContext):
    yield context.call_http("GET", "http://127.0.0.1:1/")


@bp.orchestration_trigger(context_name="context")
def leg(context: df.DurableOrchestrationContext):
    plan = context.get_input()
    begin = context.current_utc_datetime
    stop = context.wait_for_external_event("stop")
    running, done, stopped, following = [], [], False, 0
    timer = context.create_timer(begin)
    while running or not (stopped or following == plan["slices"]):
        timers = [] if stopped or following == plan["slices"] else [timer]
        winner = yield context.task_any([*timers, *running, *([] if stopped else [stop])])
        if winner is stop:
            stopped = True
            if timers:
                timer.cancel()
        elif winner is timer:
            job = {"effect": f"{context.instance_id}.{following}", "seconds": plan["seconds"], "value": following}
            running.append(context.call_activity_with_retry("work", RETRY, job))
            following += 1
            if following < plan["slices"]:
                timer = context.create_timer(begin + timedelta(seconds=plan["every"] * following))
        else:
            running.remove(winner)
            done.append((winner.result)["value"])
    return {"done": sorted(done), "stopped": stopped}


@bp.orchestration_trigger(context_name="context")
def window(context: df.DurableOrchestrationContext):
    plan = context.get_input()
    legs = [
        context.call_sub_orchestrator("leg", plan["leg"], f"{context.instance_id}.leg{n}") for n in range(plan["legs"])
    ]
    return (yield context.task_all(legs))


@bp.route(route="start/{name}", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def start(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    body = req.get_json()
    try:
        instance = await client.start_new(req.route_params["name"], body.get("id"), body.get("input"))
    except Exception as error:
        return func.HttpResponse(str(error), status_code=409)
    return client.create_check_status_response(req, instance)


@bp.route(route="events/{id}/{name}", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def send(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    await client.raise_event(req.route_params["id"], req.route_params["name"], req.get_json())
    return func.HttpResponse("sent", status_code=202)


@bp.route(route="look/{id}", methods=["GET"])
@bp.durable_client_input(client_name="client")
async def look(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    status = await client.get_status(req.route_params["id"], show_history=True)
    by_prefix = await client.get_status_by(instance_id_prefix=req.route_params["id"])
    seen = {"known": bool(status), "status": status.to_json() if status else None, "same": len(by_prefix)}
    return func.HttpResponse(json.dumps(seen, default=str), mimetype="application/json")


@bp.route(route="manage/{id}/{verb}", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def manage(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    instance, verb = req.route_params["id"], req.route_params["verb"]
    if verb == "purge":
        return func.HttpResponse(str((await client.purge_instance_history(instance)).instances_deleted))
    if verb == "restart":
        # SDK 1.7 hands over the whole answer of the extension, though it says that it gives the id.
        return func.HttpResponse((await client.restart(instance, restart_with_new_instance_id=True))["id"])
    await getattr(client, verb)(instance, "as asked")
    return func.HttpResponse("done")
