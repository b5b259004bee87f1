"""A host as a process, spoken to by HTTP alone."""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

APPS = Path(__file__).parent / "apps"
FINAL = {"Completed", "Failed", "Terminated"}
WEBHOOKS = "/runtime/webhooks/durabletask/instances"


def until(probe: Callable[[], Any], what: str, seconds: float = 20.0) -> Any:
    """Ask `probe` until it gives something true, and give that; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (answer := probe()):
        if time.monotonic() > deadline:
            pytest.fail(f"{what} was not seen within {seconds} s")
        time.sleep(0.04)
    return answer


class Host:
    """One supervised host on an app, with a state file and a folder where functions leave their effects."""

    def __init__(self, app: Path, state: Path, *flags: str, **environment: str) -> None:
        self.effects = state.parent / "effects"
        self.effects.mkdir(exist_ok=True)
        self.log_path = state.parent / "host.log"
        command = [sys.executable, "-m", "emulators.functions_host", "--app", str(app), "--state", str(state)]
        ports = ["--port", "0", "--rpc-port", "0", "--settings", str(app / "app_settings.json")]
        with self.log_path.open("a") as log:
            self.process = subprocess.Popen(
                [*command, *ports, *flags],
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "EFFECTS": str(self.effects), **environment},
            )
        self.url = json.loads(self._first_line(30))["addresses"]["http"]
        self.session = requests.Session()

    def _first_line(self, seconds: float) -> str:
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            assert selector.select(seconds), f"no ready line; log: {self.log()}"
        line = self.process.stdout.readline().decode()
        assert line, f"the host ended; log: {self.log()}"
        return line

    def stop(self) -> float:
        """Send SIGTERM and give the seconds until the end."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.process.stdout.close()
        self.session.close()
        return time.monotonic() - began

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send one request; sent again where the host died under it, as any client of Azure has to."""

        def answered() -> list[requests.Response]:
            try:
                return [self.session.request(method, f"{self.url}{path}", timeout=20, **options)]
            except requests.ConnectionError:
                return []

        return until(answered, f"an answer to {method} {path}")[0]

    def start(self, name: str, instance: str, given: Any = None) -> requests.Response:
        return self.call("POST", f"/api/start/{name}", json={"id": instance, "input": given})

    def status(self, instance: str, query: str = "") -> dict[str, Any]:
        response = self.call("GET", f"{WEBHOOKS}/{instance}{query}")
        return response.json() if response.content else {}

    def reach(self, instance: str, *statuses: str, seconds: float = 30.0) -> dict[str, Any]:
        """Wait until the instance has one of `statuses` (any final one if none are named)."""
        wanted = set(statuses) or FINAL

        def seen() -> dict[str, Any] | None:
            status = self.status(instance)
            return status if status.get("runtimeStatus") in wanted else None

        return until(seen, f"{instance} in {wanted}", seconds)

    def run(self, name: str, instance: str, given: Any = None) -> Any:
        """Start an orchestration, wait for its end, and give its output; fails unless it completed."""
        assert self.start(name, instance, given).status_code == 202
        ended = self.reach(instance)
        assert ended["runtimeStatus"] == "Completed", ended
        return ended["output"]

    def process_id(self) -> int:
        return self.call("GET", "/admin/host/status").json()["processId"]

    def kill(self) -> int:
        """SIGKILL the worker process; gives its id."""
        process_id = self.process_id()
        os.kill(process_id, signal.SIGKILL)
        return process_id

    def effect(self, name: str) -> list[str]:
        path = self.effects / name
        return path.read_text().splitlines() if path.exists() else []

    def log(self) -> str:
        return self.log_path.read_text()


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """The app that uses everything, on one host for all tests that don't end it."""
    host = Host(APPS / "whole", tmp_path_factory.mktemp("whole") / "state.sqlite", OVERRIDDEN="from the environment")
    yield host
    host.stop()


@pytest.fixture
def launch(tmp_path):
    """Start hosts that share one state file, one after the other; all are stopped at the end."""
    hosts = []

    def start(app: str = "whole", *flags: str, **environment: str) -> Host:
        hosts.append(Host(APPS / app, tmp_path / "state.sqlite", *flags, **environment))
        return hosts[-1]

    yield start
    for host in hosts:
        if host.process.returncode is None:
            host.stop()


@pytest.fixture(name="until")
def until_fixture():
    return until
