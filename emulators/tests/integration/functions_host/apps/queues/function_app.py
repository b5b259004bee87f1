"""An app that is woken by storage queues."""

import asyncio
import json
import os
import time
from pathlib import Path

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp()
EFFECTS = Path(os.environ["EFFECTS"])


def leave(name: str, facts: object) -> None:
    with (EFFECTS / name).open("a") as effects:
        effects.write(json.dumps(facts, default=str) + "\n")


@app.queue_trigger(arg_name="message", queue_name="%WORK_QUEUE%", connection="WORK")
async def on_work(message: func.QueueMessage) -> None:
    """Do what the text says: `<name> fail <times>`, `<name> wait` until the gate is open, `<name> sleep <seconds>`."""
    name, word, *rest = [*message.get_body().decode().split(), "", ""]
    times = ("insertion_time", "expiration_time", "time_next_visible")
    facts = {field: getattr(message, field) for field in ("id", "dequeue_count", "pop_receipt", *times)}
    leave(name, {**facts, "began": time.time()})
    if word == "fail" and message.dequeue_count <= int(rest[0]):
        raise RuntimeError("told to fail")
    if word == "sleep":
        await asyncio.sleep(float(rest[0]))
    while word == "wait" and not (EFFECTS / "gate.open").exists():  # noqa: ASYNC110 - a file is no event
        await asyncio.sleep(0.02)
    leave(f"{name}.ended", message.dequeue_count)


@app.queue_trigger(arg_name="message", queue_name="orders", connection="WORK")
@app.durable_client_input(client_name="client")
async def on_order(message: func.QueueMessage, client: df.DurableOrchestrationClient) -> None:
    await client.start_new("order", message.get_body().decode())


@app.orchestration_trigger(context_name="context")
def order(context: df.DurableOrchestrationContext):
    return "done"
    yield
