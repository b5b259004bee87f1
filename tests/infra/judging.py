"""What is wrong with what the configuration would make, in sentences; nothing is none."""

import json
import re
from collections.abc import Iterable

from infra.checks.terraform import ROOT
from shared.errors import SettingsError
from shared.feeds.catalogue import FEEDS
from shared.settings.keys import settings_of
from shared.settings.model import read_settings
from tests.infra.state import State

SETTINGS = settings_of(FEEDS)
OF_THE_HOST = {
    "AzureWebJobsStorage__credential",
    "DURABLE_TASK_SCHEDULER_CONNECTION_STRING",
    "FUNCTIONS_WORKER_RUNTIME",
    "PYTHON_ENABLE_OPENTELEMETRY",
}
OF_ONE_MACHINE = {
    "AzureWebJobsStorage",
    "CA_BUNDLE",
    "EVENT_HUBS__authorityHost",
    "EVENT_HUBS__customEndpointAddress",
    "ONE_MACHINE",
}
IN_THE_VAULT = {
    "ALERT_INGESTION_URL": "https://prod-01.westeurope.logic.azure.com/workflows/1/triggers/manual/paths/invoke?sig=x",
    "ASSETS__key": "a key",
}
REFERENCE = re.compile(r"@Microsoft\.KeyVault\(SecretUri=https://[a-z0-9-]{3,24}\.vault\.azure\.net/secrets/[a-z-]+\)")


def bound_names() -> set[str]:
    """Give the settings that triggers and host.json refer to by %NAME%: the host starts nothing without them."""
    texts = [path.read_text() for path in [*(ROOT / "blueprints").glob("*.py"), ROOT / "host.json"]]
    return {name for text in texts for name in re.findall(r"%([A-Z_]+)%", text)}


def wrong_settings(state: State) -> list[str]:
    """Judge the app's settings as the app reads them, once its references to the vault are resolved."""
    given = state.app_settings
    problems = [f"{name} is not set" for name in sorted(bound_names() - set(given))]
    switches = {name for name in SETTINGS if name.startswith("AzureWebJobs.")}
    problems += [f"{name} is not set, so its function runs" for name in sorted(switches - set(given))]
    problems += [f"{name} is for one machine" for name in sorted(OF_ONE_MACHINE & set(given))]
    known = set(SETTINGS) | OF_THE_HOST
    problems += [f"{name} is no setting" for name in given if name not in known and not name.startswith("ALERT_")]
    problems += [f"{name} is a secret" for name in _secrets(given) if not REFERENCE.fullmatch(given[name])]
    resolved = {name: IN_THE_VAULT[name] if REFERENCE.fullmatch(text) else text for name, text in given.items()}
    try:
        read_settings(resolved, json.loads((ROOT / "host.json").read_text()))
    except SettingsError as error:
        problems.append(str(error))
    return problems + _places_not_set(given)


def _secrets(given: Iterable[str]) -> list[str]:
    return [
        name
        for name in given
        if name.endswith("_URL") or (name in SETTINGS and SETTINGS[name].secret and name != "SQL__url")
    ]


def _places_not_set(given: Iterable[str]) -> list[str]:
    """Name the parts of the app that do nothing, and say so to nobody, where no place is set for them."""
    needed = {"ALERT_INGESTION_URL", "DATABRICKS__host", "EVENT_GRID__topicEndpoint", "LAKE__accountName", "SQL__url"}
    needed |= {"AzureWebJobsStorage__clientId", "AzureWebJobsStorage__credential", "EVENT_HUBS__clientId"}
    needed |= {"APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "APPLICATIONINSIGHTS_CONNECTION_STRING"}
    needed |= {"PYTHON_ENABLE_OPENTELEMETRY", "TELEMETRY_ROLE"}
    return [f"{name} is not set" for name in sorted(needed - set(given))]


NEEDED = {
    # who, role, on what: the code that needs it
    ("app", "Storage Blob Data Owner", "host"): "host.json",
    ("app", "Storage Queue Data Contributor", "host"): "shared/clients/storage/queues.py",
    ("app", "Storage Table Data Contributor", "host"): "shared/clients/storage/windows.py",
    ("app", "Storage Blob Data Contributor", "lake"): "shared/clients/storage/containers.py",
    ("app", "Azure Event Hubs Data Sender", "namespace"): "shared/clients/event_hubs/hubs.py",
    ("app", "EventGrid Data Sender", "topic"): "shared/clients/event_grid/topic.py",
    ("app", "Monitoring Metrics Publisher", "insights"): "shared/clients/application_insights/exporting.py",
    ("event_grid", "Storage Blob Data Contributor", "dead-letters"): "infra/event_grid.tf",
    ("lakehouse", "Azure Event Hubs Data Receiver", "namespace"): "databricks/src/lakehouse/sources/kafka.py",
    ("databricks", "Key Vault Secrets User", "vault"): "databricks/src/lakehouse/building.py",
    ("connector", "Storage Blob Data Contributor", "lake"): "databricks/resources/schemas.yml",
    ("connector", "Azure Event Hubs Data Receiver", "namespace"): "databricks/src/lakehouse/sources/kafka.py",
    ("factory", "Storage Blob Data Contributor", "lake"): "definitions/data_factory/linkedService/Lake.json",
    ("factory", "Key Vault Secrets User", "vault"): "definitions/data_factory/linkedService/KeyVault.json",
    ("deployer", "Key Vault Secrets Officer", "vault"): "infra/hooks/secrets.sh",
    ("alert", "Storage Table Data Contributor", "host"): "definitions/logic_apps/ingestion_alert/workflow.json",
}
ON_FLEX = {("app's system", "Key Vault Secrets User", "vault"): "infra/settings.tf"}
ON_PREMIUM = {("app", "Key Vault Secrets User", "vault"): "infra/settings.tf"}
OF_PROMOTIONS = {("app", "Azure Event Hubs Data Receiver", "namespace"): "blueprints/promotions.py"}
OF_SCHEDULER = {("app", "Durable Task Data Contributor", "scheduler"): "infra/durable.tf"}
OF_ANALYTICS = dict.fromkeys(
    (
        ("analytics", "Azure Event Hubs Data Receiver", "namespace"),
        ("analytics", "Storage Blob Data Reader", "container lake"),
        ("analytics", "Storage Blob Data Contributor", "stream-analytics"),
    ),
    "definitions/stream_analytics/job.json",
)
OF_CAPTURE = {("capture", "Storage Blob Data Contributor", "capture"): "infra/event_hubs.tf"}


def granted(state: State) -> set[tuple[str, str, str]]:
    """Give who has which role on what."""
    who, what = _principals(state), _scopes(state)
    return {
        (who[each["principal_id"]], each["role_definition_name"], what[each["scope"]])
        for each in state.all_of("role_assignment")
    }


def wrong_roles(state: State, needed: set[tuple[str, str, str]]) -> list[str]:
    """Judge who may do what: neither less nor more than the code needs."""
    found = granted(state)
    problems = [f"{who} has no {role} on {what}" for who, role, what in sorted(needed - found)]
    return problems + [f"{who} needs no {role} on {what}" for who, role, what in sorted(found - needed)]


def _principals(state: State) -> dict[str, str]:
    apps = [*state.all_of("function_app_flex_consumption"), *state.all_of("linux_function_app")]
    of_systems = {
        "app's system": apps[0],
        "capture": state.one("eventhub_namespace"),
        "connector": state.one("databricks_access_connector"),
        "event_grid": state.one("eventgrid_topic"),
        "factory": state.one("data_factory"),
    }
    of_systems |= dict(zip(["analytics"], state.all_of("stream_analytics_job"), strict=False))
    found = {each["identity"][0]["principal_id"]: name for name, each in of_systems.items()}
    alert = json.loads(state.at("resource_group_template_deployment.alert")["output_content"])["principalId"]["value"]
    given = {"33333333-3333-3333-3333-333333333333": "deployer", "88888888-8888-8888-8888-888888888888": "lakehouse"}
    given |= {"99999999-9999-9999-9999-999999999999": "databricks", alert: "alert"}
    return found | given | {state.one("user_assigned_identity")["principal_id"]: "app"}


def _scopes(state: State) -> dict[str, str]:
    found = {
        "host": state.at("storage_account.host")["id"],
        "lake": state.at("storage_account.lake")["id"],
        "namespace": state.one("eventhub_namespace")["id"],
        "topic": state.one("eventgrid_topic")["id"],
        "vault": state.one("key_vault")["id"],
        "insights": state.one("application_insights")["id"],
    }
    outputs = json.loads(state.at("resource_group_template_deployment.alert")["output_content"])
    found["scheduler"] = outputs["schedulerId"]["value"]
    containers = {each["name"]: each["resource_manager_id"] for each in state.all_of("storage_container")}
    containers["container lake"] = containers.pop("lake")
    return {identifier: name for name, identifier in (containers | found).items()}
