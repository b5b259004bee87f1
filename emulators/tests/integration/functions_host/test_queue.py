"""Queue triggers on Azurite: what the storage extension does with a message, this host does."""

import base64
import json
import os
import subprocess
import sys
from datetime import datetime, timedelta

import pytest
from azure.storage.queue import QueueClient, QueueServiceClient, TextBase64EncodePolicy

from emulators.testing import running_service
from tests.integration.functions_host.conftest import APPS, Host, until

TIMEOUT = "AzureFunctionsJobHost__functionTimeout"


@pytest.fixture(scope="module")
def storage(tmp_path_factory):
    free = ("--blob-port", 0, "--queue-port", 0, "--table-port", 0)
    with running_service("storage", *free, "--location", tmp_path_factory.mktemp("azurite")) as addresses:
        yield addresses["connection_string"]


@pytest.fixture(scope="module")
def queues(storage):
    with QueueServiceClient.from_connection_string(storage) as service:
        yield service


def queue(queues, name) -> QueueClient:
    """Give a queue into which text goes as base64, made where it is not there."""
    client = queues.get_queue_client(name, message_encode_policy=TextBase64EncodePolicy())
    if name not in {found.name for found in queues.list_queues()}:
        client.create_queue()
    return client


def texts(queues, name) -> list[str]:
    """Give the visible messages of a queue as they are stored."""
    return [message.content for message in queues.get_queue_client(name).peek_messages(32)]


def length(queues, name) -> int:
    return queues.get_queue_client(name).get_queue_properties().approximate_message_count


@pytest.fixture(scope="module")
def host(storage, queues, tmp_path_factory):
    queue(queues, "work")
    host = Host(APPS / "queues", tmp_path_factory.mktemp("queues") / "state.sqlite", WORK=storage, WORK_QUEUE="work")
    yield host
    host.stop()


@pytest.fixture
def work(queues):
    return queue(queues, "work")


def runs(host, name) -> list[dict]:
    return [json.loads(line) for line in host.effect(name)]


def test_a_message_is_decoded_handed_over_with_its_metadata_and_deleted(host, work, queues):
    sent = work.send_message("first")

    until(lambda: host.effect("first.ended"), "the run")
    until(lambda: length(queues, "work") == 0, "the deletion")

    (run,) = runs(host, "first")
    hidden = datetime.fromisoformat(run["time_next_visible"]) - datetime.fromisoformat(run["insertion_time"])
    assert (run["id"], run["dequeue_count"]) == (sent.id, 1)
    assert run["pop_receipt"]
    assert datetime.fromisoformat(run["insertion_time"]) == sent.inserted_on
    assert datetime.fromisoformat(run["expiration_time"]) == sent.expires_on
    assert timedelta(minutes=10) <= hidden < timedelta(minutes=11)
    assert "New queue message detected on 'work'." in host.log()


def test_a_message_whose_function_failed_comes_back_at_once(host, work, queues):
    work.send_message("twice fail 2")

    until(lambda: host.effect("twice.ended"), "the third run")
    until(lambda: length(queues, "work") == 0, "the deletion")

    assert [run["dequeue_count"] for run in runs(host, "twice")] == [1, 2, 3]


def test_a_message_that_failed_five_times_is_moved_to_the_poison_queue_as_it_is(host, work, queues):
    work.send_message("never fail 99")

    stored = base64.b64encode(b"never fail 99").decode()
    until(lambda: queue(queues, "work-poison") and stored in texts(queues, "work-poison"), "the poison message")
    until(lambda: length(queues, "work") == 0, "the deletion")

    assert [run["dequeue_count"] for run in runs(host, "never")] == [1, 2, 3, 4, 5]


def test_a_text_that_is_no_base64_is_moved_to_the_poison_queue_and_no_function_is_called(host, queues):
    queue(queues, "work-poison")
    queues.get_queue_client("work").send_message("undecodable text!")

    until(lambda: "undecodable text!" in texts(queues, "work-poison"), "the poison message")
    until(lambda: length(queues, "work") == 0, "the deletion")

    assert host.effect("undecodable") == []


def test_a_queue_that_is_made_later_is_waited_for_and_its_function_gets_its_durable_client(host, queues):
    assert "orders" not in {found.name for found in queues.list_queues()}
    queue(queues, "orders").send_message("order-1")

    assert host.reach("order-1")["output"] == "done"


def test_a_message_can_be_given_by_hand_and_is_in_no_queue(host, queues):
    response = host.call("POST", "/admin/functions/on_work", json={"input": "handmade"})

    until(lambda: host.effect("handmade.ended"), "the run")
    (run,) = runs(host, "handmade")
    assert (response.status_code, run["dequeue_count"]) == (202, 1)
    assert "This function was programmatically called" in host.log()


def test_sixteen_messages_are_fetched_at_once_and_more_when_half_of_them_are_done(launch, storage, queues):
    crowd = queue(queues, "crowd")
    for n in range(20):
        crowd.send_message(f"gated{n} wait")
    host = launch("queues", WORK=storage, WORK_QUEUE="crowd")

    until(lambda: sum(bool(host.effect(f"gated{n}")) for n in range(20)) == 16, "sixteen runs")
    waiting = len(texts(queues, "crowd"))
    (host.effects / "gate.open").touch()

    until(lambda: all(host.effect(f"gated{n}.ended") for n in range(20)), "all runs")
    assert waiting == 4
    assert all(len(host.effect(f"gated{n}")) == 1 for n in range(20))


def test_a_message_stays_hidden_while_its_function_runs_however_long(launch, storage, queues):
    queue(queues, "long").send_message("patient sleep 8")
    host = launch("queues", "--message-lock", "6", WORK=storage, WORK_QUEUE="long")

    until(lambda: host.effect("patient.ended"), "the end of the run")
    until(lambda: length(queues, "long") == 0, "the deletion")

    assert [run["dequeue_count"] for run in runs(host, "patient")] == [1]


def test_a_message_of_a_host_that_was_killed_comes_back_when_its_lock_ends(launch, storage, queues):
    queue(queues, "killed").send_message("again wait")
    host = launch("queues", "--message-lock", "3", WORK=storage, WORK_QUEUE="killed")
    until(lambda: host.effect("again"), "the first run")

    host.kill()
    (host.effects / "gate.open").touch()
    until(lambda: host.effect("again.ended"), "the second run")
    until(lambda: length(queues, "killed") == 0, "the deletion")

    first, second = runs(host, "again")
    assert (first["dequeue_count"], second["dequeue_count"]) == (1, 2)
    assert second["began"] - first["began"] > 1.9


def test_a_function_that_exceeds_its_time_ends_the_host_and_its_message_comes_back(launch, storage, queues):
    queue(queues, "slow").send_message("endless sleep 60")
    host = launch("queues", "--message-lock", "3", WORK=storage, WORK_QUEUE="slow", **{TIMEOUT: "00:00:01"})

    until(lambda: len(host.effect("endless")) == 2, "the second run", 40)

    assert [run["dequeue_count"] for run in runs(host, "endless")] == [1, 2]
    assert "Timeout value of 00:00:01 exceeded by function 'Functions.on_work'" in host.log()


def test_a_host_that_stops_settles_what_it_still_finishes(launch, storage, queues):
    queue(queues, "stopped").send_message("last sleep 1")
    host = launch("queues", WORK=storage, WORK_QUEUE="stopped")
    until(lambda: host.effect("last"), "the run")

    assert host.stop() < 30

    assert host.effect("last.ended") == ["1"]
    assert length(queues, "stopped") == 0


def test_plain_text_and_a_pause_after_a_failure_are_as_host_json_says(launch, storage, queues):
    section = "AzureFunctionsJobHost__extensions__queues__"
    options = {f"{section}messageEncoding": "none", f"{section}visibilityTimeout": "00:00:02"}
    queue(queues, "plain")
    queues.get_queue_client("plain").send_message("slowly fail 1")
    host = launch("queues", WORK=storage, WORK_QUEUE="plain", **options)

    until(lambda: host.effect("slowly.ended"), "the second run")

    first, second = runs(host, "slowly")
    assert 1.9 < second["began"] - first["began"] < 30


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"WORK_QUEUE": "work"}, "function 'on_work': the connection 'WORK' is no app setting"),
        ({"WORK": "UseDevelopmentStorage=true"}, "function 'on_work': %WORK_QUEUE% names an app setting that does not"),
        (
            {"WORK__queueServiceUri": "https://localhost:1/", "WORK__credential": "managedidentity", "WORK_QUEUE": "w"},
            "WORK__credential is 'managedidentity': this host knows no login but a client secret",
        ),
    ],
)
def test_what_no_app_setting_gives_ends_the_host_by_name(tmp_path, settings, words):
    command = [sys.executable, "-m", "emulators.functions_host", "--app", APPS / "queues", "--state", tmp_path / "s"]
    environment = {**os.environ, "EFFECTS": str(tmp_path), **settings}

    ended = subprocess.run(
        [*command, "--port", "0", "--rpc-port", "0"],
        capture_output=True, env=environment, timeout=30, check=False, text=True,
    )  # fmt: skip

    assert (ended.returncode, words in ended.stderr) == (1, True), ended.stderr
