"""The lists of settings for people are the ones that `make settings` writes from the settings themselves."""

import json
import re

import pytest

from shared.errors import SettingsError
from shared.feeds.catalogue import FEEDS
from shared.settings.keys import groups_of
from shared.settings.listing import documented, sample
from shared.settings.model import read_settings
from tests.architecture.tree import text

HOST = json.loads(text("host.json"))
SAMPLE = json.loads(text("local.settings.sample.json"))
GROUPS = groups_of(FEEDS)
SETTINGS = [each for group in GROUPS for each in group.settings]
DEFAULTS = {each.name: each.default for each in SETTINGS}

# What the local platform adds to the sample.
GIVEN_BY_THE_PLATFORM = {
    "EVENT_HUBS__fullyQualifiedNamespace": "local.servicebus.windows.net",
    "EVENT_HUBS__tenantId": "tenant",
    "EVENT_HUBS__clientId": "client",
    "EVENT_HUBS__clientSecret": "made at the start of the platform",
}


def test_no_setting_is_declared_twice():
    assert len(DEFAULTS) == len(SETTINGS)


def test_the_sample_is_what_make_settings_writes():
    assert text("local.settings.sample.json") == sample(GROUPS)


def test_the_documents_are_what_make_settings_writes():
    assert text("docs/settings.md") == documented(text("docs/settings.md"), GROUPS)


def test_every_setting_says_what_it_means():
    assert [each.name for each in SETTINGS if len(each.meaning.split()) < 3] == []


def test_the_sample_is_plain_and_ready_for_both_hosts():
    assert SAMPLE["IsEncrypted"] is False
    assert all(isinstance(value, str) for value in SAMPLE["Values"].values())


def test_the_sample_with_what_the_platform_gives_is_valid():
    settings = read_settings(SAMPLE["Values"] | GIVEN_BY_THE_PLATFORM, HOST)

    assert list(settings.feeds) == SAMPLE["Values"]["FEEDS"].split(",")


@pytest.mark.parametrize("name", sorted(GIVEN_BY_THE_PLATFORM))
def test_the_sample_alone_names_what_is_still_missing(name):
    with pytest.raises(SettingsError, match=name):
        read_settings(SAMPLE["Values"], HOST)


def test_the_platform_gives_only_settings_that_exist():
    given = re.findall(r'"(EVENT_HUBS__\w+|AzureWebJobs\w+|CA_BUNDLE)"', text("local/platform/running.py"))

    assert set(given) <= set(DEFAULTS)
    assert "CA_BUNDLE" in given


def test_the_host_file_says_itself_what_the_settings_rules_ask_of_it():
    durable = HOST["extensions"]["durableTask"]

    assert HOST["functionTimeout"] == "00:10:00"
    assert durable["maxConcurrentActivityFunctions"] < int(SAMPLE["Values"]["PYTHON_THREADPOOL_THREAD_COUNT"])
    assert HOST["extensionBundle"] == {"id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "[4.*, 5.0.0)"}


def test_the_host_file_hands_an_instance_few_spill_messages_at_once_and_each_comes_five_times_at_most():
    """One redriver works at a stream, so more messages at once than there are busy streams would only be put off."""
    queues = HOST["extensions"]["queues"]

    assert (queues["batchSize"], queues["newBatchThreshold"]) == (4, 2)
    assert (queues["maxDequeueCount"], queues["visibilityTimeout"]) == (5, "00:00:30")
    assert "messageEncoding" not in queues  # base64, in which the app writes too


def test_the_host_file_keeps_the_noise_of_sdks_out_of_the_log():
    levels = HOST["logging"]["logLevel"]

    assert {name for name, level in levels.items() if level == "Warning"} >= {"Azure.Core", "DurableTask.Core"}


def test_what_the_documented_queries_of_orchestrations_read_is_logged():
    assert HOST["logging"]["logLevel"]["Host.Triggers.DurableTask"] == "Information"


def test_deployment_slots_on_one_storage_account_can_have_task_hubs_of_their_own():
    assert HOST["extensions"]["durableTask"]["hubName"] == "%TASKHUB_NAME%"
    assert SAMPLE["Values"]["TASKHUB_NAME"] == DEFAULTS["TASKHUB_NAME"]
    assert '"TASKHUB_NAME"' in text("local/platform/running.py")


def test_settings_meant_for_one_machine_are_empty_in_azure_by_default():
    local_only = ("EVENT_HUBS__authorityHost", "EVENT_HUBS__customEndpointAddress", "CA_BUNDLE", "AzureWebJobsStorage")

    assert {DEFAULTS[name] for name in local_only} == {""}
