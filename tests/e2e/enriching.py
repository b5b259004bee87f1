"""What enriches the windows of an app, as callers and operators see it: topic, runs, lookups, and a light bundle."""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from azure.core.credentials import AzureKeyCredential
from azure.eventgrid import EventGridEvent, EventGridPublisherClient
from azure.storage.blob import BlobServiceClient, ContainerClient

from local.clone import LAKEHOUSE_PYTHON, ROOT
from local.platform.enrichment import lakehouse_is_installed
from tests.e2e.running_app import RunningApp, planned
from tests.e2e.waiting import eventually

needs_spark = pytest.mark.skipif(
    not lakehouse_is_installed(LAKEHOUSE_PYTHON), reason="the lakehouse is not installed: scripts/setup-lakehouse"
)
RUN_ENDED = frozenset({"succeeded", "failed", "superseded"})
TRADES_BACK, PAYMENTS_BACK = 6, 200
"""How many windows of the grid lie back to the first past one that is asked for: trades have an hour of history."""

_BUNDLE = ROOT / "databricks"
_LIGHT = Path(__file__).with_name("light_bundle")


@dataclass
class Enrichment:
    """The second half of an app: what becomes of its windows after they open."""

    app: RunningApp
    _asked: dict[str, int] = field(default_factory=lambda: {"trades": TRADES_BACK + 1, "payments": PAYMENTS_BACK})

    def alone(self) -> "Enrichment":
        """Give the same for a thread of its own, which has the windows with trades to itself."""
        own = RunningApp(self.app.running, self.app.grid, self.app.markets)
        return Enrichment(own, {"trades": TRADES_BACK, "payments": PAYMENTS_BACK})

    def past(self, feed: str, order: str = "") -> str:
        """Open the next past window of the grid; `order` says how its light runs go."""
        grid = self.app.grid
        start = grid.next_start(datetime.now(UTC)) - self._asked[feed] * grid.every
        self._asked[feed] -= 1
        if order:
            self.order(f"{feed}-{start:%Y%m%dT%H%M%SZ}", order)
        (window,) = self.app.post(feed, start, grid.length).json()["windows"]
        return window["id"]

    def order(self, window_id: str, order: str) -> None:
        """Say how the light runs of a window go: see `light_lakehouse.following`."""
        self._lake.mkdir(parents=True, exist_ok=True)
        (self._lake / f"{window_id}.order").write_text(order, encoding="utf-8")

    def let_go(self, window_id: str) -> None:
        """Let the lingering run of a window end."""
        (self._lake / f"{window_id}.go").touch()

    def runs(self, window_id: str) -> list[dict[str, Any]]:
        """Give the window's runs as the app shows them."""
        return self.app.window(window_id)["enrichment"]["runs"]

    def run(self, window_id: str, number: int = 1) -> dict[str, Any] | None:
        return next((run for run in self.runs(window_id) if run["number"] == number), None)

    def ended(self, window_id: str, number: int = 1, *, within: float = 90.0) -> dict[str, Any]:
        """Wait for the end of a run of the window and show it."""
        return eventually(
            lambda: self._if_ended(window_id, number), f"run {number} of {window_id} ended", within=within
        )

    def active(self, window_id: str, number: int = 1) -> dict[str, Any]:
        """Wait until Databricks carries a run of the window out."""
        return eventually(partial(self._if_begun, window_id, number), f"run {number} of {window_id} began")

    def in_databricks(self, window_id: str) -> list[dict[str, Any]]:
        """Give the window's runs as the Jobs service knows them, the newest first."""
        runs = self.app.admin("databricks", "GET", "/runs")["runs"]
        return [run for run in runs if run["parameters"]["window_id"] == window_id]

    def rerun(self, window_id: str) -> requests.Response:
        """Ask for the window's enrichment once more."""
        return self.app.call("POST", f"/api/windows/{window_id}/enrichment")

    def publish(self, *events: Mapping[str, Any]) -> None:
        """Publish to the topic with the official client and the topic's key."""
        state = self.app.running.state
        key = AzureKeyCredential(state.topic_key.read_text(encoding="utf-8"))
        topic = self.app.running.addresses["event_grid"]["topic"]
        with EventGridPublisherClient(topic, key) as client:
            client.send([EventGridEvent(**event) for event in events], connection_verify=str(state.authority))

    def subscribe(self, name: str, **filters: Any) -> None:
        """Let Event Grid deliver to the app what the filters let through, in place of a subscription of that name."""
        endpoint = f"{self.app.url}/runtime/webhooks/EventGrid?functionName=start_enrichment"
        self.app.admin("event_grid", "PUT", f"/subscriptions/{name}", {"endpoint": endpoint} | filters)

    def listen(self, feed: str) -> None:
        """Let the openings of a feed be delivered, by a subscription of its name."""
        self.subscribe(feed, subjectBeginsWith=f"ADF_Trigger_{feed.capitalize()}", includedEventTypes=["ADF_Event"])

    def unsubscribe(self, *names: str) -> None:
        for name in names:
            self.app.admin("event_grid", "DELETE", f"/subscriptions/{name}")

    def deliveries(self, event_id: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until an event was delivered so often, whatever the answer, and show how."""

        def delivered() -> list[dict[str, Any]] | None:
            found = self.app.admin("event_grid", "GET", f"/deliveries?event_id={event_id}")["deliveries"]
            return found if len(found) >= count else None

        return eventually(delivered, f"{event_id} was delivered {count} times")

    def marker(self, window_id: str) -> dict[str, Any]:
        """Read the file that marks the window's end."""
        with self._reference() as container:
            return json.loads(container.download_blob(f"windows/{window_id}/closed.json").readall())

    def databricks_log(self) -> str:
        """What the Jobs service has logged so far."""
        return (self.app.running.state.logs / "databricks.log").read_text(encoding="utf-8")

    def lookups(self) -> list[str]:
        """List the lookups, the newest last."""
        with self._reference() as container:
            blobs = container.list_blobs(name_starts_with="assets/") if container.exists() else ()
            return [blob.name for blob in sorted(blobs, key=lambda blob: blob.last_modified)]

    @contextmanager
    def _reference(self):
        connection = self.app.running.addresses["storage"]["connection_string"]
        with (
            BlobServiceClient.from_connection_string(connection) as account,
            account.get_container_client("reference") as container,
        ):
            assert isinstance(container, ContainerClient)
            yield container

    @property
    def _lake(self) -> Path:
        return self.app.running.state.databricks / "lake"

    def _if_ended(self, window_id: str, number: int) -> dict[str, Any] | None:
        run = self.run(window_id, number)
        return run if run and run["state"] in RUN_ENDED else None

    def _if_begun(self, window_id: str, number: int) -> dict[str, Any] | None:
        run = self.run(window_id, number)
        known = {one["run_id"]: one for one in self.in_databricks(window_id)}
        begun = run and run["run_id"] in known and known[run["run_id"]]["tasks"][0]["pid"]
        return run if begun else None


def light_arguments(folder: Path) -> Sequence[str]:
    """Make a bundle of the real job definitions around the program of `light_bundle`; give the Jobs service's words.

    A task that fails is not tried again within its run, which would take half a minute.
    """
    shutil.copytree(_LIGHT, folder)
    shutil.copytree(_BUNDLE / "resources", folder / "resources")
    bundle = yaml.safe_load((_BUNDLE / "databricks.yml").read_text(encoding="utf-8"))
    once = {"tasks": [{"task_key": "follow_window", "max_retries": 0}]}
    bundle["targets"]["local"]["resources"] = {"jobs": {"follow_window": once}}
    (folder / "databricks.yml").write_text(yaml.safe_dump(bundle), encoding="utf-8")
    return ["--bundle", str(folder), "--python", sys.executable, "--kill-after", "2"]


def opening_event(window: Mapping[str, Any]) -> dict[str, Any]:
    """Write the event that the opening of a window publishes."""
    return {
        "id": window["id"],
        "event_type": "ADF_Event",
        "subject": f"ADF_Trigger_{window['feed'].capitalize()}",
        "event_time": planned(window)[0],
        "data_version": "1.0",
        "data": {"window": window["id"], "feed": window["feed"], "start": window["start"], "end": window["end"]},
    }


def seconds_between(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)) / timedelta(seconds=1)
