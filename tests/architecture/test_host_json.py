"""host.json as the host and its extensions read it: what they do not know, they pass over in silence."""

import json
import re

import pytest

from tests.architecture.tree import text

HOST = json.loads(text("host.json"))

KNOWN = {
    "": {"version", "functionTimeout", "extensionBundle", "extensions", "logging", "telemetryMode"},
    "extensionBundle": {"id", "version"},
    "extensions": {"durableTask", "queues", "eventHubs", "http"},
    # Azure/azure-functions-durable-extension: DurableTaskOptions, and AzureStorageOptions for `storageProvider`.
    "extensions.durableTask": {
        *("hubName", "storageProvider", "tracing", "notifications", "httpSettings", "maxConcurrentActivityFunctions"),
        *("maxConcurrentOrchestratorFunctions", "maxConcurrentEntityFunctions", "localRpcEndpointEnabled"),
        *("extendedSessionsEnabled", "extendedSessionIdleTimeoutInSeconds", "maxOrchestrationActions"),
        *("overridableExistingInstanceStates", "useAppLease", "useGracefulShutdown"),
        "storeInputsInOrchestrationHistory",
    },
    "extensions.durableTask.storageProvider": {
        *("type", "connectionName", "trackingStoreConnectionName", "trackingStoreNamePrefix", "partitionCount"),
        *("controlQueueBatchSize", "controlQueueBufferThreshold", "controlQueueVisibilityTimeout"),
        *("workItemQueueVisibilityTimeout", "maxQueuePollingInterval", "useTablePartitionManagement"),
        "fetchLargeMessagesAutomatically",
    },
    # Azure/azure-sdk-for-net: QueuesOptions.
    "extensions.queues": {
        *("batchSize", "newBatchThreshold", "maxDequeueCount", "visibilityTimeout", "maxPollingInterval"),
        "messageEncoding",
    },
    # Azure/azure-sdk-for-net: EventHubOptions.
    "extensions.eventHubs": {
        *("maxEventBatchSize", "minEventBatchSize", "maxWaitTime", "batchCheckpointFrequency", "prefetchCount"),
        *("transportType", "initialOffsetOptions", "loadBalancingStrategy", "partitionOwnershipExpirationInterval"),
        *(
            "loadBalancingUpdateInterval",
            "clientRetryOptions",
            "trackLastEnqueuedEventProperties",
            "enableCheckpointing",
        ),
    },
    "logging": {"logLevel", "fileLoggingMode", "console"},  # with OpenTelemetry, `applicationInsights` is passed over
}


def sections(found, path=""):
    """Give the objects of a document by their paths, but those whose keys are names of categories."""
    yield path, found
    for name, value in found.items():
        if isinstance(value, dict) and name != "logLevel":
            yield from sections(value, f"{path}.{name}".lstrip("."))


@pytest.mark.parametrize(("path", "section"), [*sections(HOST)])
def test_every_key_stands_where_its_reader_looks_for_it(path, section):
    assert set(section) <= KNOWN[path]


def test_the_host_sends_by_opentelemetry_where_it_leaves_the_apps_lines_to_the_app():
    assert HOST["telemetryMode"] == "OpenTelemetry"


def test_the_extensions_own_events_are_kept_by_which_the_portal_finds_instances():
    assert HOST["logging"]["logLevel"]["Host.Triggers.DurableTask"] == "Information"


def test_slots_on_one_account_have_task_hubs_of_their_own():
    assert re.fullmatch(r"%\w+%", HOST["extensions"]["durableTask"]["hubName"])


def test_each_key_has_its_reason_in_the_page_of_deployment():
    written = text("docs/deploy.md")
    keys = {key for path, section in sections(HOST) for key in section if not isinstance(section[key], dict)}

    assert {key for key in keys if f"`{key}`" not in written} == {"version", "id"}
