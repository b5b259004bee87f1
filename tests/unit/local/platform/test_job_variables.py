"""What the platform tells the Databricks bundle."""

from pathlib import Path

import pytest

from emulators.databricks.bundle import read_bundle
from emulators.databricks.declaration import read_declaration
from emulators.entra.identities import make_identities
from local.clone import ROOT
from local.platform.enrichment import job_variables
from local.platform.services import LAKEHOUSE_SECRETS
from local.platform.state import State

IDENTITIES = make_identities()
ADDRESSES = {
    "event_hubs": {"amqps": "amqps://localhost:20002"},
    "entra": {"authority": "https://localhost:20001"},
    "storage": {"blob": "http://127.0.0.1:20003"},
}
GIVEN = job_variables(ADDRESSES, State(Path("/state/up")), IDENTITIES)


@pytest.fixture(scope="module")
def follow_window():
    jobs = read_bundle(ROOT / "databricks", "local", GIVEN).jobs.values()
    return next(job for job in jobs if job.key == "follow_window")


def test_the_app_finds_the_job_by_its_name_and_may_start_it(follow_window):
    (permission,) = follow_window.definition.permissions

    assert follow_window.definition.name == "follow_window"
    assert (permission.level, permission.name) == ("CAN_MANAGE_RUN", IDENTITIES.client_in_role("Sender").client_id)


def test_the_job_reads_the_hub_as_the_receiver(follow_window):
    told = follow_window.definition.tasks[0].python_wheel_task.named_parameters

    assert told["client_id"] == IDENTITIES.client_in_role("Receiver").client_id
    assert told["event_hubs_endpoint"] == "localhost:20002"
    assert set(GIVEN) - set(told) == {"app_principal"}
    assert told | GIVEN == GIVEN | told


def test_the_secrets_that_the_job_asks_for_are_those_in_its_environment():
    variables = read_declaration(ROOT / "databricks", "local").variables({})

    asked = [variables[name] for name in ("storage_secret", "event_hubs_secret", "pii_secret")]
    assert [f"LAKEHOUSE_SECRET_{name.upper().replace('-', '_')}" for name in asked] == list(LAKEHOUSE_SECRETS)
