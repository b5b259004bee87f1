"""What Event Grid and Databricks add to the platform: the app's settings, the services' secrets, the subscription."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import requests

from emulators.entra.identities import Identities
from emulators.key_files import read_key
from local.clone import JARS
from local.platform.running import NAMESPACE, Running
from local.platform.services import (
    COSMOS,
    DATABRICKS,
    EVENT_GRID,
    FUNCTIONS,
    LAKEHOUSE_SECRETS,
    LOGIC_APP,
    STORAGE_VARIABLE,
    Addresses,
)
from local.platform.state import State

CORE_TOOLS = "http://127.0.0.1:7071"
_ALERT_WORKFLOW = "ingestion_alert"
_SUBSCRIBE_SECONDS = 10


def enrichment_settings(running: Running) -> dict[str, str]:
    """Write the settings of an app that announces its windows, has them enriched and measured, and alerts."""
    if DATABRICKS not in running.addresses:
        return {}
    return {
        "EVENT_GRID__topicEndpoint": running.addresses[EVENT_GRID]["topic"],
        "EVENT_GRID__topicKey": read_key(running.state.topic_key),
        "DATABRICKS__host": running.addresses[DATABRICKS]["workspace"],
        "ASSETS__url": f"{running.addresses['exchange']['rest']}/coincap/v3",
        "ASSETS__key": read_key(running.state.assets_key),
        "ALERT_INGESTION_URL": running.addresses[LOGIC_APP][_ALERT_WORKFLOW],
        "ALERT_HOSTS": "localhost",
    }


def service_secrets(service: str, running: Running) -> dict[str, str]:
    """Write the environment that hands a service its secrets, which no command line may show."""
    connection = running.addresses.get("storage", {}).get("connection_string", "")
    if service == EVENT_GRID:
        return {STORAGE_VARIABLE: connection}
    if service == DATABRICKS:
        receiver = running.identities.client_in_role("Receiver")
        values = (connection, receiver.secret, read_key(running.state.pii_keys))
        return dict(zip(LAKEHOUSE_SECRETS, values, strict=True))
    return {}


def job_variables(addresses: Addresses, state: State, identities: Identities) -> Mapping[str, str]:
    """Give the bundle's variables that only the running platform knows.

    The app, which starts the runs, is the Sender; the jobs read the hub as the Receiver.
    """
    lake = state.databricks / "lake"
    cosmos = {"cosmos_endpoint": addresses[COSMOS]["account"]} if COSMOS in addresses else {}
    return {
        **cosmos,
        "event_hubs_namespace": NAMESPACE,
        "event_hubs_endpoint": urlsplit(addresses["event_hubs"]["amqps"]).netloc,
        "authority_host": addresses["entra"]["authority"],
        "ca_bundle": str(state.authority),
        "tenant_id": identities.tenant,
        "client_id": identities.client_in_role("Receiver").client_id,
        "app_principal": identities.client_in_role("Sender").client_id,
        "lake_root": str(lake),
        "checkpoint_root": str(lake / "checkpoints"),
        "reference_url": f"{addresses['storage']['blob']}/devstoreaccount1/reference",
        "files_url": f"{addresses['storage']['blob']}/devstoreaccount1/lake",
        "sql_url": f"jdbc:sqlite:{state.sql}",
        "jars": str(JARS),
    }


def subscribe_app(running: Running) -> None:
    """Let Event Grid deliver openings to the app's trigger: the platform's own host, or `func start` at its port."""
    if EVENT_GRID not in running.addresses:
        return
    admin = running.addresses[EVENT_GRID]["admin"]
    app = running.addresses.get(FUNCTIONS, {}).get("http", CORE_TOOLS)
    subscription = {
        "endpoint": f"{app}/runtime/webhooks/EventGrid?functionName=start_enrichment",
        "subjectBeginsWith": "ADF_Trigger_",
        "includedEventTypes": ["ADF_Event"],
        "deadLetterContainer": "dead-letters",
    }
    answer = requests.put(f"{admin}/subscriptions/openings", json=subscription, timeout=_SUBSCRIBE_SECONDS)
    answer.raise_for_status()


def lakehouse_is_installed(python: Path, jars: Path = JARS) -> bool:
    """Say whether Spark runs can be started at all."""
    return python.is_file() and any(jars.glob("delta-spark*.jar"))
