"""An app that is woken by Event Grid, in both schemas."""

import json
import os
from pathlib import Path

import azure.functions as func

app = func.FunctionApp()


def leave(name: str, facts: dict) -> None:
    with (Path(os.environ["EFFECTS"]) / name).open("a") as effects:
        effects.write(json.dumps(facts) + "\n")


@app.event_grid_trigger(arg_name="event")
def on_grid_event(event: func.EventGridEvent) -> None:
    leave("grid", event.to_dict())
    if event.get_json().get("fail"):
        raise RuntimeError("told to fail")


@app.event_grid_trigger(arg_name="event")
async def on_cloud_event(event: func.CloudEvent) -> None:
    leave("cloud", event.to_dict())
