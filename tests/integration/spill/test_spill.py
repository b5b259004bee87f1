"""The contract of the spill: what holds for blobs and queues (Azurite) must hold for the fake."""

import base64
import itertools
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.blob import BlobLeaseClient, BlobServiceClient
from azure.storage.queue import QueueClient

from shared.clients.identity.fake import FakeIdentity
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.clients.storage.account import Account
from shared.clients.storage.fake_spill import FakeSpill
from shared.clients.storage.spill import CONTAINER, DEAD_QUEUE, POISON_QUEUE, QUEUE, blob_spill
from shared.domain.spill import SpilledBatch, batch_path
from shared.errors import LoginRefused, ServiceRefused, Unavailable
from tests.azurite import running_azurite
from tests.integration.jobs_client.peer import Answer, running_peer

QUICK = RetryPolicy(Timeouts(total=2.0, attempt=1.0, ordinary=Backoff(0.02, 0.1), throttled=Backoff(0.02, 0.1)))
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
WINDOW = "call_centre-20261122T120000Z"
streams = (f"calls{number}" for number in itertools.count())


def now():
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    with running_azurite(tmp_path_factory.mktemp("azurite")) as connection:
        yield connection


def stored(connection):
    access = Account(connection, "", FakeIdentity())
    return blob_spill(access, access, retry=QUICK)


@pytest.fixture(params=["fake", "storage"])
def spill(request):
    return FakeSpill(now) if request.param == "fake" else stored(request.getfixturevalue("connection"))


@pytest.fixture
def stream():
    return next(streams)


def batch(stream, number=0, part="7.1", **values):
    path = batch_path(stream, f"{WINDOW}/{part}", number)
    return replace(SpilledBatch(path, "call_centre", "centre-calls", 5, 2, "ab", NOON), **values)


def messages(connection, name=QUEUE):
    """Every visible message, as the bytes that are in the queue."""
    with QueueClient.from_connection_string(connection, name) as queue:
        return [message.content for message in queue.receive_messages(visibility_timeout=1)]


def paths(found):
    return [one.path for one in found]


def test_a_batch_that_is_kept_is_listed_looked_up_and_read(spill, stream):
    one = batch(stream, reason="Überlastet:\n100 %")

    assert spill.keep(one, b"content") == one
    assert (spill.batches(f"{stream}/"), spill.batch(one.path), spill.read(one.path)) == ([one], one, b"content")


def test_what_was_made_ready_twice_keeps_batches(spill, stream):
    spill.prepare()
    spill.prepare()

    spill.keep(batch(stream), b"content")

    assert spill.batches(f"{stream}/") == [batch(stream)]


def test_what_is_not_there_is_none(spill, stream):
    one = batch(stream)

    assert (spill.batches(f"{stream}/"), spill.batch(one.path), spill.read(one.path)) == ([], None, None)
    assert spill.mark(one) is None
    assert not spill.delete(one)


def test_a_batch_that_is_kept_twice_is_one(spill, stream):
    kept = [spill.keep(batch(stream), b"content") for _ in range(2)]

    assert kept == [batch(stream)] * 2
    assert len(spill.batches(f"{stream}/")) == 1


def test_a_batch_whose_path_has_another_is_kept_under_the_next_number(spill, stream):
    for sha256 in ("first", "second"):
        spill.keep(batch(stream, sha256=sha256), sha256.encode())

    kept = spill.keep(batch(stream, sha256="third"), b"third")

    assert kept == batch(stream, 2, sha256="third")
    assert [spill.read(path) for path in paths(spill.batches(f"{stream}/"))] == [b"first", b"second", b"third"]


def test_batches_are_listed_in_the_order_of_their_paths_by_prefix_and_state(spill, stream):
    for part, number in (("close.1", 0), ("11.1", 0), ("7.1", 1), ("7.1", 0)):
        spill.keep(batch(stream, number, part), b"content")
    spill.mark(batch(stream, 1, state="dead"))

    every, dead = spill.batches(f"{stream}/"), spill.batches(f"{stream}/", ("dead", "discarded"))

    assert [path.split("/", 2)[2] for path in paths(every)] == [
        "0007.1/000000.ndjson.zst",
        "0007.1/000001.ndjson.zst",
        "0011.1/000000.ndjson.zst",
        "close.1/000000.ndjson.zst",
    ]
    assert dead == [batch(stream, 1, state="dead")]


def test_a_batch_is_marked_with_its_state_tries_and_reason(spill, stream):
    spill.keep(batch(stream), b"content")
    waits = batch(stream, tries=3, reason="the hub is away", waits_for=batch(stream, 9).path)

    assert spill.mark(waits) == waits
    assert spill.batch(waits.path) == waits
    assert spill.read(waits.path) == b"content"


def test_a_batch_that_was_redriven_stays_so_whoever_marks_it_later(spill, stream):
    spill.keep(batch(stream), b"content")
    redriven = spill.mark(batch(stream, state="redriven"))

    later = [spill.mark(batch(stream, state=state)) for state in ("waiting", "dead", "discarded")]

    assert later == [redriven] * 3
    assert spill.batch(redriven.path) == redriven


def test_of_many_that_mark_a_batch_at_once_the_hubs_acknowledgement_stays(spill, stream):
    spill.keep(batch(stream), b"content")
    states = ["discarded", "waiting", "redriven", "dead"] * 2

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda state: spill.mark(batch(stream, state=state)), states))

    assert spill.batch(batch(stream).path).state == "redriven"


def test_one_at_a_time_has_the_lock_of_a_stream(spill, stream):
    with spill.lock(stream) as first, spill.lock(stream) as second, spill.lock(next(streams)) as other:
        held = [first is not None, second is not None, other is not None]
        first.renew()

    with spill.lock(stream) as again:
        assert again is not None
    assert held == [True, False, True]
    assert spill.batches(f"{stream}/") == []


def test_of_many_that_want_the_lock_at_once_one_has_it(spill, stream):
    def taken(_):
        with spill.lock(stream) as lock:
            time.sleep(0.5 if lock else 0)
            return lock is not None

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(taken, range(6))) == 1


def test_a_batch_is_deleted_unless_it_was_written_since_it_was_listed(spill, stream):
    for number in range(2):
        spill.keep(batch(stream, number), b"content")
    listed = spill.batches(f"{stream}/")
    spill.mark(batch(stream, 1, state="discarded"))

    deleted = [spill.delete(one) for one in [*listed, listed[0]]]

    assert deleted == [True, False, False]
    assert paths(spill.batches(f"{stream}/")) == [batch(stream, 1).path]


def test_a_batch_says_when_it_was_last_written(spill, stream):
    begun = now().replace(microsecond=0)
    spill.keep(batch(stream), b"content")

    (listed,) = spill.batches(f"{stream}/")

    assert begun <= listed.written_at <= now() + timedelta(seconds=2)
    assert spill.batch(listed.path).written_at == listed.written_at


def test_messages_are_counted(spill, stream):
    waiting, dead = spill.waiting_messages()

    spill.keep(batch(stream), b"content")
    spill.remind(batch(stream), timedelta(days=7))
    spill.bury(batch(stream))

    assert spill.waiting_messages() == (waiting + 2, dead + 1)


def test_a_reminder_of_more_than_seven_days_is_refused(spill, stream):
    with pytest.raises(ServiceRefused, match="answered 400"):
        spill.remind(batch(stream), timedelta(days=7, seconds=1))


def test_a_message_is_what_a_queue_trigger_reads(connection, stream):
    spill = stored(connection)

    spill.keep(batch(stream), b"content")
    spill.bury(batch(stream, state="dead", reason="no such hub"))

    read = [json.loads(base64.b64decode(text, validate=True)) for text in messages(connection)]
    (buried,) = [json.loads(base64.b64decode(text, validate=True)) for text in messages(connection, DEAD_QUEUE)][-1:]
    assert {
        "version": 1,
        "path": batch(stream).path,
        "feed": "call_centre",
        "hub": "centre-calls",
        "rows": 5,
        "tries": 0,
    } in read
    assert buried["reason"] == "no such hub"


def test_a_delayed_message_is_seen_when_its_time_has_come(connection, stream):
    spill = stored(connection)
    spill.keep(batch(stream), b"content")
    messages(connection)

    spill.remind(batch(stream, 1), timedelta(seconds=2))

    first = {json.loads(base64.b64decode(text))["path"] for text in messages(connection)}
    time.sleep(2.2)
    then = {json.loads(base64.b64decode(text))["path"] for text in messages(connection)}
    assert batch(stream, 1).path not in first
    assert batch(stream, 1).path in then


def test_more_batches_than_one_page_are_listed(connection, stream, monkeypatch):
    spill = stored(connection)
    for number in range(7):
        spill.keep(batch(stream, number), b"content")
    monkeypatch.setattr("shared.clients.storage.leased_blobs._PAGE", 3)

    assert len(spill.batches(f"{stream}/")) == 7


def test_a_blob_written_by_hand_is_listed_as_dead(connection, stream):
    spill = stored(connection)
    with BlobServiceClient.from_connection_string(connection) as service:
        spill.keep(batch(stream), b"content")
        service.get_blob_client(CONTAINER, batch(stream, 1).path).upload_blob(b"by hand")

    waiting, dead = spill.batches(f"{stream}/")

    assert (waiting.state, dead.state, dead.rows) == ("waiting", "dead", 0)
    assert "metadata can't be read" in dead.reason


def test_a_lost_lease_is_told(connection, stream):
    spill = stored(connection)
    with spill.lock(stream) as lock, BlobServiceClient.from_connection_string(connection) as service:
        blob = service.get_blob_client(CONTAINER, f"{stream}/.lock")
        BlobLeaseClient(blob).break_lease(0)
        other = blob.acquire_lease(15)

        with pytest.raises(Unavailable, match="was lost to another"):
            lock.renew()
        other.release()


def test_where_the_queue_is_away_the_batch_is_not_kept(connection, stream):
    access = Account(connection, "", FakeIdentity())
    with running_peer(Answer(403, b"")) as peer:
        spill = blob_spill(
            access, Account(elsewhere(connection, "QueueEndpoint", peer), "", FakeIdentity()), retry=QUICK
        )

        with pytest.raises(LoginRefused, match="The queue spill answered 403"):
            spill.keep(batch(stream), b"content")

    assert spill.batches(f"{stream}/") == []


@pytest.mark.parametrize("endpoint", ["BlobEndpoint", "QueueEndpoint"])
def test_storage_that_is_not_there_is_unavailable(connection, stream, endpoint):
    with running_peer() as peer:
        gone = peer
    began = time.monotonic()

    with pytest.raises(Unavailable, match="spill can't be reached"):
        stored(elsewhere(connection, endpoint, gone)).keep(batch(stream), b"content")

    assert time.monotonic() - began < 5


def test_a_container_that_is_being_deleted_is_unavailable_and_no_batch_of_another(connection, stream):
    being_deleted = Answer(409, b"", {"x-ms-error-code": "ContainerBeingDeleted"})
    with running_peer(*[being_deleted] * 200) as peer, pytest.raises(Unavailable, match="ContainerBeingDeleted"):
        stored(elsewhere(connection, "BlobEndpoint", peer)).keep(batch(stream), b"content")


@pytest.mark.parametrize("verb", ["keep", "remind", "lock"])
def test_the_fake_fails_in_every_verb(verb, stream):
    spill = FakeSpill(now)
    spill.failure = Unavailable("The container spill can't be reached.")

    with pytest.raises(Unavailable):
        {"keep": lambda: spill.keep(batch(stream), b""), "remind": lambda: spill.remind(batch(stream))}.get(
            verb, lambda: spill.lock(stream).__enter__()
        )()


def test_the_fakes_queue_alone_fails_is_full_and_loses_messages(stream):
    spill = FakeSpill(now)
    spill.queue_failure = Unavailable("The queue spill can't be reached.")
    with pytest.raises(Unavailable):
        spill.keep(batch(stream), b"content")
    spill.queue_failure, spill.queue.losing, spill.queue.most = None, 1, 1

    spill.keep(batch(stream, 1), b"content")
    spill.keep(batch(stream, 2), b"content")
    with pytest.raises(ServiceRefused):
        spill.keep(batch(stream, 3), b"content")

    assert paths(spill.batches()) == [batch(stream, 1).path, batch(stream, 2).path]
    assert [message["path"] for message in spill.queue.documents()] == [batch(stream, 2).path]


def test_a_batch_that_an_earlier_try_has_kept_is_not_taken_back(stream):
    spill = FakeSpill(now)
    spill.keep(batch(stream), b"content")
    spill.queue_failure = Unavailable("The queue spill can't be reached.")

    with pytest.raises(Unavailable):
        spill.keep(batch(stream), b"content")

    assert spill.batch(batch(stream).path) == batch(stream)


def test_the_first_batch_of_a_stream_and_hub_is_noted_until_it_is_noted_anew(spill, stream):
    noted = [spill.noted_first(stream, "a-hub")]
    spill.note_first(stream, "A.hub_2", batch(stream, 7).path)

    for path in (batch(stream).path, batch(stream).path, batch(stream, 1).path, ""):
        spill.note_first(stream, "a-hub", path)
        noted.append(spill.noted_first(stream, "a-hub"))

    assert spill.noted_first(stream, "A.hub_2") == batch(stream, 7).path
    assert noted == [None, batch(stream).path, batch(stream).path, batch(stream, 1).path, ""]
    assert spill.batches(f"{stream}/") == []


def test_a_batch_that_can_not_be_read_never_waits_but_may_be_given_up_and_keeps_its_metadata(connection, stream):
    spill = stored(connection)
    spill.keep(batch(stream), b"content")
    with BlobServiceClient.from_connection_string(connection) as service:
        blob = service.get_blob_client(CONTAINER, batch(stream).path)
        blob.set_blob_metadata(blob.get_blob_properties().metadata | {"rows": "many"})
        dead = spill.batch(batch(stream).path)

        waiting, discarded = (spill.mark(replace(dead, state=state, reason="-")) for state in ("waiting", "discarded"))

        metadata = blob.get_blob_properties().metadata
    assert (waiting, discarded.state, spill.batch(dead.path)) == (dead, "discarded", discarded)
    assert (metadata["rows"], metadata["sha256"], metadata["spilled_at"]) == ("many", "ab", NOON.isoformat())


def test_the_fakes_messages_are_hidden_from_others_and_its_locks_expire_by_its_clock(stream):
    time_now = [NOON]
    spill = FakeSpill(lambda: time_now[0])
    spill.keep(batch(stream), b"content")
    spill.lock(stream).__enter__()

    handed = [[message.dequeued for message in spill.queue.receive()] for _ in range(2)]
    time_now[0] += timedelta(seconds=61)
    (again,) = spill.queue.receive()
    spill.queue.delete(again)

    assert (handed, again.dequeued, spill.waiting_messages()) == ([[1], []], 2, (0, 0))
    with spill.lock(stream) as lock:
        assert lock is not None


def elsewhere(connection, endpoint, peer):
    """Point one of the connection string's endpoints at a peer."""
    parts = dict(part.split("=", 1) for part in connection.rstrip(";").split(";"))
    return ";".join(f"{name}={value}" for name, value in (parts | {endpoint: f"{peer.url}/account"}).items())


def test_the_identity_is_asked_for_a_token_of_storage_and_its_refusal_is_told(stream):
    identity = FakeIdentity(refusal="expired")
    spill = blob_spill(*(Account(None, f"https://a.{kind}.example", identity) for kind in ("blob", "queue")))

    for verb in (spill.batches, lambda: spill.remind(batch(stream))):
        with pytest.raises(LoginRefused, match="expired"):
            verb()

    assert identity.scopes == ["https://storage.azure.com/.default"] * 2


def test_poison_is_handed_out_once_until_it_is_deleted(spill):
    spill._poison.put("poison 1")

    (message,) = spill.poison(32)
    assert message.body == b"poison 1"
    assert list(spill.poison(32)) == []

    spill.forget(message)
    spill.forget(message)


def test_poison_that_was_not_written_in_base64_is_given_as_it_is(connection):
    spill = stored(connection)
    with QueueClient.from_connection_string(connection, POISON_QUEUE) as queue:
        queue.send_message("{not base64}")

    (message,) = spill.poison(32)

    assert message.body == b"{not base64}"
    spill.forget(message)


def test_where_nothing_was_ever_poison_none_is_handed_out():
    assert list(FakeSpill(now).poison(1)) == []
