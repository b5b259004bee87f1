"""Event Hubs triggers on the hub emulator and Azurite: batches in order, checkpoints in blob, at least once."""

import json
import re
from contextlib import ExitStack

import pytest
from azure.eventhub import EventData, EventHubProducerClient
from azure.storage.blob import ContainerClient

from emulators.entra.identities import Client, HubRole, Identities, SharedAccessKey, write_identities
from emulators.testing import running_service
from emulators.tls import make_tls_files
from tests.integration.functions_host.conftest import APPS, Host, until

HUBS = "main:4,failing:1,restarted:1,killed:1,shared:4,late:1,few:1,single:2,retried:1,secret:1,grouped:1"
POLICY = SharedAccessKey("root", "a-key-for-tests-only", ("Send", "Listen"))
TENANT = "22222222-0000-0000-0000-000000000000"
APP = Client(
    "11111111-0000-0000-0000-000000000000", "a-secret-for-tests-only", "Sender", (HubRole("Receiver", "secret"),)
)
NAMESPACE = "local.servicebus.windows.net"
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    """Azurite and a hub with plain AMQP; gives the settings HUB and AzureWebJobsStorage.

    The settings LOGIN__… are those of a connection by client secret, over TLS.
    """
    folder = tmp_path_factory.mktemp("services")
    free = ("--blob-port", 0, "--queue-port", 0, "--table-port", 0)
    write_identities(Identities(TENANT, (APP,), (POLICY,)), folder / "identities.json")
    tls = make_tls_files(folder)
    files = ("--identities", folder / "identities.json", "--certificate", tls.server)
    ports = ("--amqps-port", 0, "--amqp-port", 0, "--admin-port", 0, "--authority", tls.authority)
    with ExitStack() as stack:
        storage = stack.enter_context(running_service("storage", *free, "--location", folder / "azurite"))
        entra = stack.enter_context(running_service("entra", "--port", 0, *files))
        issuer = ("--issuer", entra["issuer"])
        hubs = ("--hubs", HUBS, "--consumer-groups", "$Default,second")
        hub = stack.enter_context(running_service("event_hubs", *hubs, *files, *issuer, *ports))
        login = {
            "fullyQualifiedNamespace": NAMESPACE,
            "customEndpointAddress": hub["amqps"].replace("amqps://", "sb://"),
            "tenantId": TENANT,
            "clientId": APP.client_id,
            "clientSecret": APP.secret,
            "authorityHost": entra["authority"],
        }
        endpoint = hub["amqp"].replace("amqp://", "sb://")
        key = f"SharedAccessKeyName={POLICY.name};SharedAccessKey={POLICY.key}"
        yield {
            "HUB": f"Endpoint={endpoint};{key};UseDevelopmentEmulator=true",
            "AzureWebJobsStorage": storage["connection_string"],
            "SSL_CERT_FILE": str(tls.authority),
            **{f"LOGIN__{name}": value for name, value in login.items()},
        }


def send(services, hub, *bodies, **where):
    """Send events in one batch."""
    producer = EventHubProducerClient.from_connection_string(services["HUB"], eventhub_name=hub, retry_total=0)
    with producer:
        producer.send_batch([body if isinstance(body, EventData) else EventData(body) for body in bodies], **where)


@pytest.fixture
def start(launch, services):
    """Start a host on the app, its batch function on the hub of this name."""
    return lambda hub, *flags, **more: launch("hubs", *flags, BATCHES=hub, **services, **more)


def batches(host) -> list[dict]:
    return [json.loads(line) for line in host.effect("batches")]


def bodies(host) -> list[str]:
    return [event["body"] for batch in batches(host) for event in batch["events"]]


def blobs(services, hub, kind, group="$default") -> dict[str, dict]:
    """Give the metadata of the blobs of one kind by partition; their names begin with the namespace."""
    with ContainerClient.from_connection_string(services["AzureWebJobsStorage"], "azure-webjobs-eventhub") as container:
        if not container.exists():
            return {}
        found = {blob.name: blob.metadata for blob in container.list_blobs(include=["metadata"])}
    path = re.compile(rf"(?:localhost:\d+|{NAMESPACE})/{hub}/{re.escape(group)}/{kind}/(\d+)")
    return {match[1]: facts for name, facts in found.items() if (match := path.fullmatch(name))}


def is_checkpointed(services, hub, sequence_number) -> bool:
    return blobs(services, hub, "checkpoint").get("0", {}).get("sequencenumber") == str(sequence_number)


def test_each_partition_is_delivered_in_order_in_batches_no_larger_than_host_json_says(start, services):
    for partition in "0123":
        send(services, "main", *(f"{partition}/{n}" for n in range(35)), partition_id=partition)

    host = start("main")
    until(lambda: len(bodies(host)) >= 140, "all events")

    by_partition = {partition: [one for one in bodies(host) if one[0] == partition] for partition in "0123"}
    assert by_partition == {partition: [f"{partition}/{n}" for n in range(35)] for partition in "0123"}
    assert max(len(batch["events"]) for batch in batches(host)) == 10
    for batch in batches(host):
        assert {event["body"][0] for event in batch["events"]} == {batch["context"]["PartitionId"]}


def test_an_event_comes_with_its_metadata_and_the_checkpoint_has_its_place(start, services):
    event = EventData("whole")
    event.properties = {"contract": "trade/1", "rows": 2}
    send(services, "few", event, partition_key="BTC")

    host = start("few")
    until(lambda: is_checkpointed(services, "few", 0), "the checkpoint")

    (batch,) = batches(host)
    (found,) = batch["events"]
    context = batch["context"]
    assert (found["sequence_number"], found["partition_key"]) == (0, "BTC")
    assert found["enqueued_time"].startswith("20")
    assert (context["EventHubName"], context["ConsumerGroup"], context["PartitionId"]) == ("few", "$Default", "0")
    assert context["IsCheckpointingAfterInvocation"] is True
    assert json.loads(host.effect("properties")[0]) == [{"contract": "trade/1", "rows": 2}]
    assert blobs(services, "few", "checkpoint")["0"] == {"sequencenumber": "0", "offset": str(found["offset"])}


def test_a_batch_whose_function_fails_is_passed_by_the_checkpoint(start, services):
    host = start("failing")
    send(services, "failing", "fail")
    until(lambda: is_checkpointed(services, "failing", 0), "the checkpoint")
    send(services, "failing", "next")

    until(lambda: is_checkpointed(services, "failing", 1), "the next checkpoint")

    assert bodies(host) == ["fail", "next"]


def test_a_host_goes_on_at_the_checkpoint_of_the_one_before_it(start, services):
    send(services, "restarted", "a", "b")
    first = start("restarted")
    until(lambda: is_checkpointed(services, "restarted", 1), "the checkpoint")

    assert first.stop() < 30
    send(services, "restarted", "c")
    second = start("restarted")
    until(lambda: "c" in bodies(second), "the event after the restart", seconds=10)

    assert bodies(second) == ["a", "b", "c"]


def test_the_batch_of_a_host_that_was_killed_comes_again_once_its_partitions_are_free(start, services):
    send(services, "killed", "before")
    host = start("killed")
    until(lambda: is_checkpointed(services, "killed", 0), "the checkpoint")
    send(services, "killed", "wait")
    until(lambda: "wait" in bodies(host), "the run")

    host.kill()
    (host.effects / "gate.open").touch()
    until(lambda: is_checkpointed(services, "killed", 1), "the checkpoint of the second run")

    assert bodies(host) == ["before", "wait", "wait"]
    assert host.effect("ended") == ['["before"]', '["wait"]']


def test_each_consumer_group_is_given_all_events_and_has_checkpoints_of_its_own(start, services):
    send(services, "grouped", "fail", "fail")

    host = start("grouped")
    until(lambda: is_checkpointed(services, "grouped", 1), "the checkpoint of the usual group")
    until(lambda: len(host.effect("second")) == 2, "the events of the second group")

    checkpoint = until(lambda: blobs(services, "grouped", "checkpoint", "second"), "the checkpoint of the second group")
    assert bodies(host) == [json.loads(line) for line in host.effect("second")] == ["fail", "fail"]
    assert checkpoint["0"]["sequencenumber"] in {"0", "1"}


def test_two_hosts_share_the_partitions(services, tmp_path):
    hosts = []
    for n in range(2):
        (tmp_path / str(n)).mkdir()
        hosts.append(Host(APPS / "hubs", tmp_path / str(n) / "state.sqlite", BATCHES="shared", **services))

    def is_balanced():
        owners = [facts["ownerid"] for facts in blobs(services, "shared", "ownership").values()]
        return len(owners) == 4 and sorted(map(owners.count, set(owners))) == [2, 2]

    try:
        until(is_balanced, "two owners of two partitions each", 30)
        for partition in "0123":
            send(services, "shared", partition, partition_id=partition)
        until(lambda: {*bodies(hosts[0]), *bodies(hosts[1])} == {*"0123"}, "all events")
    finally:
        for host in hosts:
            host.stop()

    assert sorted(len(set(bodies(host))) for host in hosts) == [2, 2]


def test_a_hub_is_read_from_its_end_where_host_json_says_so(start, services):
    send(services, "late", "before")
    options = {"AzureFunctionsJobHost__extensions__eventHubs__initialOffsetOptions__type": "fromEnd"}

    host = start("late", **options)

    def is_heard():
        send(services, "late", "after")
        return bodies(host)

    until(is_heard, "an event that came after the start")
    assert set(bodies(host)) == {"after"}


def test_single_events_come_one_by_one_with_a_durable_client(start, services):
    send(services, "single", "s-1", "s-2", partition_key="k")

    host = start("few")

    assert host.reach("s-1")["output"] == host.reach("s-2")["output"] == "done"
    first, second = (json.loads(line) for line in host.effect("single"))
    assert [first["body"], second["body"]] == ["s-1", "s-2"]
    assert second["sequence_number"] == first["sequence_number"] + 1
    assert (first["partition_key"], first["context"]["EventHubName"]) == ("k", "single")


def test_a_retry_policy_runs_the_batch_again_and_is_over_at_last(start, services):
    send(services, "retried", "never")
    host = start("few")
    until(lambda: is_checkpointed(services, "retried", 0), "the checkpoint")
    send(services, "retried", "once")

    until(lambda: is_checkpointed(services, "retried", 1), "the next checkpoint")

    runs = [json.loads(line) for line in host.effect("retried")]
    assert [(run["bodies"], run["now"]) for run in runs] == [
        (["never"], 0), (["never"], 1), (["never"], 2), (["once"], 0), (["once"], 1),
    ]  # fmt: skip
    assert {run["most"] for run in runs} == {2}


def test_a_hub_is_read_over_tls_by_a_sender_that_may_receive_from_it_alone_under_its_own_namespace(start, services):
    send(services, "secret", "confidential")

    host = start("few")
    until(lambda: is_checkpointed(services, "secret", 0), "the checkpoint")

    (line,) = host.effect("secret")
    context = json.loads(line)
    assert (context["FullyQualifiedNamespace"], context["EventHubName"]) == (NAMESPACE, "secret")
    assert APP.secret not in host.log()


def test_an_event_can_be_given_by_hand(start, services):
    host = start("few")

    assert host.call("POST", "/admin/functions/on_event", json={"input": "by-hand"}).status_code == 202
    assert host.call("POST", "/admin/functions/on_batch", json={"input": "one of a batch"}).status_code == 202

    assert host.reach("by-hand")["output"] == "done"
    until(lambda: "one of a batch" in bodies(host), "the batch of one")
