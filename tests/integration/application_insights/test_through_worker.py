"""The app as Azure's own worker library runs it: what it says reaches an ingestion endpoint, once."""

import json
import os
import subprocess
import sys

import pytest

from tests.architecture.tree import ROOT
from tests.integration.application_insights.endpoint import endpoint

SETTINGS = {
    "FEEDS": "trades,payments",
    "TRADES_HUB": "the_same",
    "TRANSACTIONS_HUB": "the_same",
    "EVENT_HUBS__fullyQualifiedNamespace": "name.servicebus.windows.net",
    "EVENT_HUBS__credential": "managedidentity",
    "AzureWebJobsStorage__accountName": "account",
    "PYTHON_ENABLE_OPENTELEMETRY": "true",
    "TELEMETRY_ROLE": "the-app",
}


def ticked(**settings):
    """Let the app's timers tick in a worker; gives what it loaded to send, and whether the host leaves lines to it."""
    given = SETTINGS | settings | {"PATH": os.environ["PATH"]}
    command = [sys.executable, "-B", "-m", "tests.integration.application_insights.through_worker"]
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def insights():
    with endpoint() as kept:
        ticked(APPLICATIONINSIGHTS_CONNECTION_STRING=kept.connection)
        yield kept


def test_a_line_that_a_thread_of_an_invocation_told_arrives_once_with_its_properties(insights):
    (line,) = insights.of("MessageData")

    assert line["properties"]["event"] == "feed.unusable"
    assert line["message"].startswith("feed.unusable reason=Feed payments can't run")


def test_the_ticks_of_timers_are_counted(insights):
    ticks = {
        point["properties"]["timer"]: point["metrics"][0]["value"]
        for point in insights.of("MetricData")
        if point["metrics"][0]["name"] == "ingestion.ticks"
    }

    assert ticks == {"retry_pending_alerts": 2, "write_reference_data": 1}


def test_nothing_but_the_apps_own_is_told_and_by_its_role(insights):
    names = {point["metrics"][0]["name"] for point in insights.of("MetricData")}

    assert {name for name in names if not name.startswith("ingestion.")} == set()
    assert {each["tags"]["ai.cloud.role"] for each in insights.envelopes} == {"the-app"}
    assert insights.of("RemoteDependencyData") == []


def test_without_a_connection_string_nothing_that_sends_is_even_loaded():
    said = ticked()
    loaded = said["loaded"]

    assert said["host_leaves_lines"]
    assert "opentelemetry.trace" in loaded
    assert [name for name in loaded if name.startswith(("azure.monitor", "opentelemetry.sdk"))] == []
