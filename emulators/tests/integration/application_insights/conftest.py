"""A running endpoint, and the official exporter, kept from calling Microsoft."""

import asyncio
from contextlib import contextmanager
from threading import Thread

import msgspec
import pytest
import requests

from emulators.application_insights.server import ApplicationInsights, running

SECONDS = 10


class Endpoint:
    """A running endpoint: what it keeps, and what it is told to do wrong."""

    def __init__(self, addresses):
        self.connection_string = addresses["connection_string"]
        self.ingestion, self.admin = addresses["ingestion"], addresses["admin"]

    def rows(self, table):
        text = requests.get(f"{self.admin}/tables/{table}", timeout=SECONDS).text
        return [msgspec.json.decode(line) for line in text.splitlines()]

    def page(self, path):
        answer = requests.get(self.admin + path, timeout=SECONDS)
        assert answer.status_code == 200
        return answer.text

    def requests(self):
        return requests.get(f"{self.admin}/health", timeout=SECONDS).json()["requests"]

    def fail(self, kind, **fields):
        requests.post(f"{self.admin}/faults", json={"kind": kind} | fields, timeout=SECONDS).raise_for_status()


@contextmanager
def running_endpoint(state):
    """Serve in a thread, since the exporter blocks the one that it is called in."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    service = running(ApplicationInsights(state))

    def wait(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(SECONDS)

    try:
        yield Endpoint(wait(service.__aenter__()))
        wait(service.__aexit__(None, None, None))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def endpoint(tmp_path):
    with running_endpoint(tmp_path / "state") as one:
        yield one


@pytest.fixture(autouse=True)
def exporter_calls_nobody_else(monkeypatch):
    for name in ("STATSBEAT_DISABLED_ALL", "CONTROLPLANE_DISABLED", "SDKSTATS_DISABLED"):
        monkeypatch.setenv(f"APPLICATIONINSIGHTS_{name}", "true")
    monkeypatch.setenv("APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED", "true")
