"""An app with a functionTimeout of one second, and timers that fire often."""

import asyncio
import json
import os
import time
from pathlib import Path

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)


def leave(effect: str, line: object) -> int:
    """Add a line to the file of this effect, and say how many there are."""
    path = Path(os.environ["EFFECTS"], effect)
    with path.open("a") as file:
        file.write(f"{json.dumps(line)}\n")
    return len(path.read_text().splitlines())


@app.activity_trigger(input_name="name")
def slow_at_first(name: str) -> int:
    runs = leave(name, time.time())
    time.sleep(60 if runs == 1 else 0)
    return runs


@app.orchestration_trigger(context_name="context")
def outlives(context: df.DurableOrchestrationContext):
    return (yield context.call_activity("slow_at_first", context.instance_id))


@app.route(route="start/{name}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def start(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    body = req.get_json()
    return client.create_check_status_response(req, await client.start_new(req.route_params["name"], body["id"]))


@app.timer_trigger(arg_name="timer", schedule="%OFTEN%")
async def often(timer: func.TimerRequest) -> None:
    leave("often", {"began": time.time(), "late": timer.past_due, "last": timer.schedule_status["Last"]})
    await asyncio.sleep(0.4)
    leave("often.ended", time.time())


@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *", run_on_startup=True)
def at_start(timer: func.TimerRequest) -> None:
    leave("at_start", timer.past_due)
