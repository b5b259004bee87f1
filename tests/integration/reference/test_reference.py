"""The contract of the reference container: what holds for blob storage (Azurite) must hold for the fake."""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient

from shared.clients.identity.fake import FakeIdentity
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.clients.storage.account import Account
from shared.clients.storage.fake import FakeReference
from shared.clients.storage.reference import CONTAINER, blob_reference
from shared.errors import LoginRefused, Unavailable
from tests.azurite import running_azurite
from tests.integration.jobs_client.peer import Answer, running_peer

QUICK = RetryPolicy(Timeouts(total=2.0, attempt=1.0, ordinary=Backoff(0.02, 0.1), throttled=Backoff(0.02, 0.1)))
folders = (f"folder{number}" for number in itertools.count())


def now():
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    with running_azurite(tmp_path_factory.mktemp("azurite")) as connection:
        yield connection


def blobs(connection, ca_bundle=None):
    return blob_reference(Account(connection, "", FakeIdentity(), ca_bundle), QUICK)


@pytest.fixture(params=["fake", "blobs"])
def reference(request):
    return FakeReference(now) if request.param == "fake" else blobs(request.getfixturevalue("connection"))


@pytest.fixture
def folder():
    return next(folders)


def next_second():
    """Wait until blobs get another time: storage keeps whole seconds."""
    time.sleep(1.0 - time.time() % 1.0 + 0.01)


def test_what_is_written_is_read_back(reference, folder):
    content = bytes(range(256)) * 20_000

    reference.write(f"{folder}/a.parquet", content)

    assert reference.read(f"{folder}/a.parquet") == content
    assert reference.has(f"{folder}/a.parquet")
    assert not reference.has(f"{folder}/a.parq")


def test_what_is_not_there_is_none(reference, folder):
    assert reference.read(f"{folder}/a") is None
    assert not reference.has(f"{folder}/a")
    assert reference.newest(f"{folder}/") is None
    assert reference.delete_older(f"{folder}/", now(), 9) == 0


def test_a_second_write_replaces_the_first(reference, folder):
    for content in (b"first and longer", b"second"):
        reference.write(f"{folder}/a", content)

    assert reference.read(f"{folder}/a") == b"second"


def test_a_blob_is_added_once_and_the_first_one_stays(reference, folder):
    added = [reference.add(f"{folder}/pool.arrow", content) for content in (b"first", b"second")]

    assert added == [True, False]
    assert reference.read(f"{folder}/pool.arrow") == b"first"


def test_of_many_that_add_a_blob_at_once_one_does(reference, folder):
    with ThreadPoolExecutor(8) as threads:
        added = list(threads.map(lambda number: reference.add(f"{folder}/one", b"%d" % number), range(8)))

    assert sorted(added) == [False] * 7 + [True]
    assert reference.read(f"{folder}/one") == b"%d" % added.index(True)


def test_the_newest_is_the_one_written_last_whatever_its_name(reference, folder):
    reference.write(f"{folder}/z", b"old")
    next_second()
    reference.write(f"{folder}/a", b"new")
    reference.write(f"{next(folders)}/b", b"of another folder")

    assert reference.newest(f"{folder}/") == f"{folder}/a"


def test_only_old_blobs_of_the_folder_are_deleted(reference, folder):
    other = next(folders)
    for path in (f"{folder}/a", f"{folder}/b", f"{other}/a"):
        reference.write(path, b"old")
    next_second()
    limit = now()
    next_second()
    reference.write(f"{folder}/c", b"new")

    assert reference.delete_older(f"{folder}/", limit, 9) == 2
    assert [reference.read(f"{folder}/{name}") for name in "abc"] == [None, None, b"new"]
    assert reference.read(f"{other}/a") == b"old"


def test_of_old_blobs_so_many_are_deleted_and_the_one_to_keep_stays(reference, folder):
    for name in "abcd":
        reference.write(f"{folder}/{name}", b"old")
    next_second()

    deleted = [reference.delete_older(f"{folder}/", now(), 2, keep=f"{folder}/b") for _ in range(3)]

    assert deleted == [2, 1, 0]
    assert reference.newest(f"{folder}/") == f"{folder}/b"


def test_a_deleted_blob_is_gone(reference, folder):
    reference.write(f"{folder}/a", b"content")

    assert [reference.delete(f"{folder}/a"), reference.delete(f"{folder}/a")] == [True, False]
    assert reference.read(f"{folder}/a") is None


def test_many_threads_write_at_once(reference, folder):
    paths = [f"{folder}/{number}" for number in range(12)]

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda path: reference.write(path, path.encode()), paths))

    assert [reference.read(path) for path in paths] == [path.encode() for path in paths]


def test_the_container_is_made_at_the_first_write_and_not_before(tmp_path):
    with running_azurite(tmp_path) as connection:
        reference = blobs(connection)
        with BlobServiceClient.from_connection_string(connection) as service:
            assert (reference.read("a"), reference.newest(""), reference.delete_older("", now(), 9)) == (None, None, 0)
            assert list(service.list_containers()) == []

            reference.write("a", b"content")

            assert [container.name for container in service.list_containers()] == [CONTAINER]
            with pytest.raises(ResourceExistsError):
                service.create_container(CONTAINER)
        assert reference.read("a") == b"content"


def test_storage_that_is_not_there_is_unavailable(connection):
    with running_peer() as peer:
        gone = peer
    began = time.monotonic()

    with pytest.raises(Unavailable, match="container reference can't be reached"):
        blobs(elsewhere(connection, gone)).read("a")

    assert time.monotonic() - began < 4


@pytest.mark.parametrize(("status", "error"), [(403, LoginRefused), (400, Unavailable)])
def test_a_refusal_is_final_and_named(connection, status, error):
    with running_peer(Answer(status, b"")) as peer, pytest.raises(error, match=f"answered {status}"):
        blobs(elsewhere(connection, peer)).write("a", b"content")

    assert len(peer.asked) == 1


def test_busy_storage_is_asked_again(connection):
    answers = (Answer(503, b"", {"Retry-After": "0.05"}), Answer(500, b""), Answer(403, b""))
    with running_peer(*answers) as peer, pytest.raises(LoginRefused):
        blobs(elsewhere(connection, peer)).read("a")

    assert len(peer.asked) == 3


def elsewhere(connection, peer):
    """Point the connection string's blob endpoint at a peer."""
    parts = dict(part.split("=", 1) for part in connection.rstrip(";").split(";"))
    return ";".join(f"{name}={value}" for name, value in (parts | {"BlobEndpoint": f"{peer.url}/account"}).items())


def test_the_identity_is_asked_for_a_token_of_storage_and_its_refusal_is_told():
    identity = FakeIdentity(refusal="expired")
    reference = blob_reference(Account(None, "https://account.blob.example", identity), QUICK)

    with pytest.raises(LoginRefused, match="expired"):
        reference.read("a")

    assert identity.scopes == ["https://storage.azure.com/.default"]
