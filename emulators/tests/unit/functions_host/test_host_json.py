import json
from datetime import timedelta

import pytest

from emulators.functions_host.errors import AppRefused
from emulators.functions_host.host_json import HostConfig, parse_timespan, read_host_json


@pytest.fixture
def read(tmp_path):
    def write_and_read(tree, **environment):
        (tmp_path / "host.json").write_text(tree if isinstance(tree, str) else json.dumps(tree))
        return read_host_json(tmp_path, environment)

    return write_and_read


def test_a_bare_host_json_has_core_tools_defaults(read):
    assert read({"version": "2.0"}) == HostConfig()


def test_every_honoured_value_is_read_whatever_the_case_of_its_name(read):
    durable = {"hubName": "Hub", "maxConcurrentActivityFunctions": 7, "MAXConcurrentOrchestratorFunctions": 3}
    tree = {"functionTimeout": "00:10:00", "extensions": {"HTTP": {"routePrefix": ""}, "durableTask": durable}}

    assert read(tree) == HostConfig(timedelta(minutes=10), "", "Hub", 7, 3)


def test_the_environment_overrides_the_file(read):
    config = read(
        {"functionTimeout": "00:10:00", "logging": {"logLevel": {"default": "Information", "Host.Results": "Error"}}},
        AzureFunctionsJobHost__functionTimeout="-1",
        AzureFunctionsJobHost__extensions__durableTask__hubName="Other",
        AzureFunctionsJobHost__logging__logLevel__default="Debug",
    )

    assert (config.timeout, config.hub) == (None, "Other")
    assert config.log_levels == {"default": "Debug", "Host.Results": "Error"}


def test_a_hub_name_may_be_an_app_setting(read):
    tree = {"extensions": {"durableTask": {"hubName": "%HUB%"}}}

    assert read(tree, HUB="Mine").hub == "Mine"
    with pytest.raises(AppRefused, match="%HUB%"):
        read(tree)


@pytest.mark.parametrize(
    ("tree", "named"),
    [
        ("{", "not JSON"),
        ({"functionTimeout": "soon"}, "functionTimeout"),
        (
            {"extensions": {"durableTask": {"maxConcurrentActivityFunctions": 0}}},
            "extensions.durableTask.maxConcurrentActivityFunctions",
        ),
    ],
)
def test_a_wrong_value_is_refused_by_name(read, tree, named):
    with pytest.raises(AppRefused, match=named):
        read(tree)


def test_an_app_without_host_json_is_refused(tmp_path):
    with pytest.raises(AppRefused, match=r"host\.json is missing"):
        read_host_json(tmp_path, {})


def test_a_time_span_may_have_days():
    assert parse_timespan("2.01:30:00") == timedelta(days=2, hours=1, minutes=30)
