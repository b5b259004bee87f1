"""An app that is woken by event hubs: by batches, by single events, and by batches with a retry policy."""

import asyncio
import json
import os
import typing
from pathlib import Path

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp()
EFFECTS = Path(os.environ["EFFECTS"])


def leave(name: str, facts: object) -> None:
    with (EFFECTS / name).open("a") as effects:
        effects.write(json.dumps(facts, default=str) + "\n")


def facts_of(event: func.EventHubEvent) -> dict:
    fields = ("sequence_number", "offset", "partition_key", "enqueued_time")
    return {"body": event.get_body().decode(), **{field: getattr(event, field) for field in fields}}


@app.event_hub_message_trigger(
    arg_name="events", event_hub_name="%BATCHES%", connection="HUB", cardinality="many", consumer_group="$Default"
)
async def on_batch(events: typing.List[func.EventHubEvent]) -> None:  # noqa: UP006 - as the worker asks
    """Note the batch; fail at a body `fail`, start a run for `order …`, wait at `wait` until the gate is open."""
    metadata = events[0].metadata
    leave("batches", {"context": metadata["PartitionContext"], "events": [facts_of(event) for event in events]})
    leave("properties", metadata["PropertiesArray"])
    bodies = [event.get_body() for event in events]
    if b"fail" in bodies:
        raise RuntimeError("told to fail")
    while b"wait" in bodies and not (EFFECTS / "gate.open").exists():  # noqa: ASYNC110 - a file is no event
        await asyncio.sleep(0.02)
    leave("ended", [body.decode() for body in bodies])


@app.event_hub_message_trigger(arg_name="event", event_hub_name="single", connection="HUB", cardinality="one")
@app.durable_client_input(client_name="client")
async def on_event(event: func.EventHubEvent, client: df.DurableOrchestrationClient) -> None:
    leave("single", {**facts_of(event), "context": event.metadata["PartitionContext"]})
    await client.start_new("order", event.get_body().decode())


@app.event_hub_message_trigger(arg_name="events", event_hub_name="retried", connection="HUB", cardinality="many")
@app.retry(strategy="fixed_delay", max_retry_count="2", delay_interval="00:00:01")
def on_retried(events: typing.List[func.EventHubEvent], context: func.Context) -> None:  # noqa: UP006
    retries = context.retry_context
    bodies = [event.get_body().decode() for event in events]
    leave("retried", {"bodies": bodies, "now": retries.retry_count, "most": retries.max_retry_count})
    if "never" in bodies or (retries.retry_count < 1 and "once" in bodies):
        raise RuntimeError("told to fail")


@app.event_hub_message_trigger(
    arg_name="events", event_hub_name="secret", connection="LOGIN", cardinality="many", data_type="binary"
)
def on_secret(events: typing.List[func.EventHubEvent]) -> None:  # noqa: UP006
    leave("secret", events[0].metadata["PartitionContext"])


@app.event_hub_message_trigger(
    arg_name="events", event_hub_name="grouped", connection="HUB", cardinality="many", consumer_group="second"
)
def on_second(events: typing.List[func.EventHubEvent]) -> None:  # noqa: UP006
    for event in events:
        leave("second", event.get_body().decode())


@app.orchestration_trigger(context_name="context")
def order(context: df.DurableOrchestrationContext):
    return "done"
    yield
