import json
from datetime import UTC, datetime, timedelta

import pytest

from emulators.functions_host.errors import AppRefused
from emulators.functions_host.host_json import EventHubOptions, HostConfig, QueueOptions, parse_timespan, read_host_json


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


def test_the_options_of_queue_and_event_hubs_triggers_are_read(read):
    queues = {
        "batchSize": 6,
        "newBatchThreshold": 0,
        "maxPollingInterval": "00:00:00.500",
        "visibilityTimeout": "00:00:30",
        "maxDequeueCount": 3,
        "messageEncoding": "None",
    }
    hubs = {
        "maxEventBatchSize": 50,
        "minEventBatchSize": 20,
        "maxWaitTime": "00:00:05",
        "batchCheckpointFrequency": 4,
        "prefetchCount": 60,
        "initialOffsetOptions": {"type": "fromEnqueuedTime", "enqueuedTimeUtc": "2026-11-22T10:00:00Z"},
        "loadBalancingUpdateInterval": "00:00:10",
        "partitionOwnershipExpirationInterval": "00:01:00",
        "customEndpointAddress": "sb://localhost:5671",
        "transportType": "amqpWebSockets",
    }

    config = read({"extensions": {"queues": queues, "eventHubs": hubs}})

    seconds = timedelta(seconds=1)
    noon = datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert config.queues == QueueOptions(6, 0, seconds / 2, 30 * seconds, 3, base64=False)
    assert config.event_hubs == EventHubOptions(
        50, 20, 5 * seconds, 4, 60, noon, 10 * seconds, 60 * seconds, "sb://localhost:5671", websockets=True
    )


def test_a_smaller_batch_of_messages_halves_its_threshold_too(read):
    assert read({"extensions": {"queues": {"batchSize": 4}}}).queues.new_batch_threshold == 2


@pytest.mark.parametrize(("kind", "position"), [("fromStart", "-1"), ("fromEnd", "@latest")])
def test_where_a_hub_is_read_from_without_a_checkpoint_is_an_option(read, kind, position):
    config = read({}, AzureFunctionsJobHost__extensions__eventHubs__initialOffsetOptions__type=kind)

    assert config.event_hubs.initial_position == position


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
        ({"extensions": {"queues": {"batchSize": 33}}}, "queues.batchSize: '33' is not a whole number from 1 to 32"),
        ({"extensions": {"queues": {"newBatchThreshold": -1}}}, "queues.newBatchThreshold: '-1'"),
        (
            {"extensions": {"queues": {"maxPollingInterval": "00:00:00.05"}}},
            "maxPollingInterval: 0:00:00.050000 is not",
        ),
        ({"extensions": {"queues": {"visibilityTimeout": "30"}}}, "visibilityTimeout: '30' is not a time span"),
        ({"extensions": {"queues": {"messageEncoding": "utf8"}}}, "messageEncoding: 'utf8' is none of base64, none"),
        ({"extensions": {"eventHubs": {"maxEventBatchSize": 0}}}, "eventHubs.maxEventBatchSize: '0'"),
        ({"extensions": {"eventHubs": {"minEventBatchSize": 101}}}, "minEventBatchSize: '101' is not .* from 1 to 100"),
        ({"extensions": {"eventHubs": {"maxWaitTime": "00:11:00"}}}, "maxWaitTime: 0:11:00 is not between"),
        ({"extensions": {"eventHubs": {"transportType": "kafka"}}}, "transportType: 'kafka'"),
        ({"extensions": {"eventHubs": {"initialOffsetOptions": {"type": "fromNow"}}}}, "initialOffsetOptions.type"),
        (
            {"extensions": {"eventHubs": {"initialOffsetOptions": {"type": "fromEnqueuedTime"}}}},
            "initialOffsetOptions.enqueuedTimeUtc: '' is not a time",
        ),
    ],
)
def test_a_wrong_value_is_refused_by_name(read, tree, named):
    with pytest.raises(AppRefused, match=named):
        read(tree)


def test_an_app_without_host_json_is_refused(tmp_path):
    with pytest.raises(AppRefused, match=r"host\.json is missing"):
        read_host_json(tmp_path, {})


def test_a_time_span_may_have_days_or_a_fraction():
    assert parse_timespan("00:00:00.2500000") == timedelta(seconds=0.25)
    assert parse_timespan("2.01:30:00") == timedelta(days=2, hours=1, minutes=30)
