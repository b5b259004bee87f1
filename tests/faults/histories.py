"""The histories of a release's orchestrations, and whether the present code can go on with them.

`python -m tests.faults.histories` records those of the version in pyproject.toml, once that version is released. A file
may go when no orchestration of its release can be alive any more.
"""

import gzip
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import azure.durable_functions as df

from emulators.functions_host.durable.history import EventType, read_failure, read_reply, trigger_input
from emulators.functions_host.durable.model import Instance, Parent, Reply
from emulators.functions_host.durable.polling import Polling
from emulators.functions_host.durable.replay import replay
from tests.replay.app import ORCHESTRATORS, PAST, PLAN, World
from tests.replay.task_hub import TaskHub
from tests.replay.worlds import Outage

FOLDER = Path(__file__).parent / "histories"
LEG = f"{PLAN.instance}-leg0"
ENRICHMENT = {"window_id": PLAN.window.id, "number": 1, "mode": "automatic"}
WORLDS = {
    "fair": World(),
    "hub-away": World("hub", Outage(420, 900)),
    "topic-away": World("topic", Outage(0, 1200)),
    "ledger-away": World("ledger", Outage(355, 600)),
    "login-away": World("login", Outage(600, 300)),
    "databricks-away": World("databricks", Outage(500, 1800), run_ends=6 * 3600),
    "refused": World(refuses=3),
    "stopped": World(),
    "worker-dies": World(),
}
_ARRIVED = frozenset(EventType) - {
    EventType.TASK_SCHEDULED,
    EventType.CHILD_CREATED,
    EventType.TIMER_CREATED,
    EventType.ORCHESTRATOR_STARTED,
    EventType.ORCHESTRATOR_COMPLETED,
    EventType.EXECUTION_COMPLETED,
}

type Row = Mapping[str, Any]
"""One instance: its `world`, `instance` (as the task hub knows it) and `history`."""


def record() -> Iterator[Row]:
    """Run a live window, a past one and an enrichment in each world, and give what the task hub kept of them."""
    for name, world in WORLDS.items():
        with TaskHub(ORCHESTRATORS, world.play, Polling(10.0, 1)) as tasks:
            tasks.start("ingest_window", PLAN.instance, {"plan": PLAN.as_wire()})
            tasks.start("ingest_window", PAST.instance, {"plan": PAST.as_wire()})
            tasks.start("enrich_window", f"enrich-{PLAN.window.id}", ENRICHMENT)
            if name == "stopped":
                tasks.at(700, lambda tasks=tasks: [tasks.raise_event(f"{LEG}-slice{n}", "stop") for n in range(6)])
            if name == "worker-dies":
                tasks.at(500, tasks.kill_worker)
            tasks.run()
            for instance in tasks.instances():
                kept = asdict(instance) | {"created": "", "updated": ""}
                yield {"world": name, "instance": kept, "history": tasks.history(instance.id)}


def departures(row: Row, orchestrators: Mapping[str, Any]) -> list[str]:
    """Say where an orchestrator departs from what it did under the release: asked at every point of the history."""
    instance = _instance(row["instance"])
    function = df.Orchestrator.create(orchestrators[instance.name])
    found = []
    for past, new in _episodes(row["history"]):
        reply = _asked(function, trigger_input(instance, [json.dumps(one) for one in past], new))
        fault = replay(instance.execution, [*past, *new], reply).fault or _raised(reply, instance)
        if fault:
            found.append(f"{instance.name} ({row['world']}), after {len(past)} events: {fault}")
    return found


def recorded() -> dict[str, list[Row]]:
    """Read the histories of every release that is kept."""
    return {path.name.removesuffix(".jsonl.gz"): _read(path) for path in sorted(FOLDER.glob("*.jsonl.gz"))}


def _read(path: Path) -> list[Row]:
    with gzip.open(path, "rt") as lines:
        return [json.loads(line) for line in lines]


def _instance(kept: Mapping[str, Any]) -> Instance:
    parent = kept["parent"]
    return Instance(**{**kept, "parent": Parent(**parent) if parent else None})


def _episodes(history: list[dict[str, Any]]) -> Iterator[tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """Give, of each episode, the events before it and those that it was given, as the extension marks them."""
    for first, event in enumerate(history):
        if event["EventType"] != EventType.ORCHESTRATOR_STARTED:
            continue
        end = first + 1
        while end < len(history) and history[end]["EventType"] in _ARRIVED:
            end += 1
        yield history[:first], [{**one, "IsPlayed": False} for one in history[first:end]]


def _asked(function: Any, text: str) -> Reply:
    try:
        return read_reply(function(text))
    except Exception as error:
        return read_failure(f"Exception: {error}")


def _raised(reply: Reply, instance: Instance) -> str | None:
    return reply.error if instance.status != "Failed" else None


def main() -> None:
    """Write the histories of the present version."""
    version = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["version"]
    path = FOLDER / f"{version}.jsonl.gz"
    text = "".join(f"{json.dumps(row, separators=(',', ':'))}\n" for row in record())
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{text.count('\n')} histories are in {path.relative_to(Path.cwd())}.")


if __name__ == "__main__":
    main()
