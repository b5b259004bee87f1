"""The settings are listed in three places, and all three say the same."""

import json
import re

import pytest

from shared.errors import SettingsError
from shared.settings.keys import KEYS
from shared.settings.model import read_settings
from tests.architecture.tree import text

HOST = json.loads(text("host.json"))
SAMPLE = json.loads(text("local.settings.sample.json"))
DEFAULTS = {key.name: key.default for key in KEYS}
ROW = re.compile(r"^\| `(?P<name>[^`]+)` \| (?P<default>[^|]*) \| (?P<meaning>[^|]*) \|$", re.MULTILINE)
DOCUMENTED = list(ROW.finditer(text("docs/settings.md")))

# What the sample says beside its defaults: the words by which Functions tools know a local project.
WORKER = {"FUNCTIONS_WORKER_RUNTIME": "python"}
LOCAL = {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}
GIVEN_BY_THE_PLATFORM = {
    "EVENT_HUBS__fullyQualifiedNamespace": "local.servicebus.windows.net",
    "EVENT_HUBS__tenantId": "tenant",
    "EVENT_HUBS__clientId": "client",
    "EVENT_HUBS__clientSecret": "made at the start of the platform",
}


def test_no_setting_is_listed_twice():
    documented = [row["name"] for row in DOCUMENTED]
    sampled = re.findall(r'^ {4}"(\w+)":', text("local.settings.sample.json"), re.MULTILINE)

    assert len(DEFAULTS) == len(KEYS)
    assert len(documented) == len(set(documented))
    assert len(sampled) == len(SAMPLE["Values"])


def test_the_sample_lists_every_setting_with_its_default():
    expected = {name: default or "" for name, default in DEFAULTS.items()}

    assert SAMPLE["Values"] == expected | WORKER | LOCAL


def test_the_documents_list_every_setting_with_its_default():
    cells = {None: "must be set", "": "–"}
    expected = {name: cells.get(default, f"`{default}`") for name, default in DEFAULTS.items()}

    assert {row["name"]: row["default"].strip() for row in DOCUMENTED} == expected


def test_the_documents_say_what_each_setting_means():
    assert [row["name"] for row in DOCUMENTED if len(row["meaning"].split()) < 3] == []


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


def test_the_host_file_keeps_the_noise_of_sdks_out_of_the_log():
    levels = HOST["logging"]["logLevel"]

    assert {name for name, level in levels.items() if level == "Warning"} >= {"Azure.Core", "DurableTask.Core"}


def test_settings_meant_for_one_machine_are_empty_in_azure_by_default():
    local_only = ("EVENT_HUBS__authorityHost", "EVENT_HUBS__customEndpointAddress", "CA_BUNDLE", "AzureWebJobsStorage")

    assert {DEFAULTS[name] for name in local_only} == {""}
