"""The contract of reference data in the lake: what holds for blob storage (Azurite) must hold for the fake."""

import itertools

import pytest
from azure.storage.blob import BlobServiceClient

from shared.clients.identity.fake import FakeIdentity
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.clients.storage.account import Account
from shared.clients.storage.drawn_files import blob_drawn_files
from shared.clients.storage.fake import FakeDrawnFiles
from shared.clients.storage.lake_files import CONTAINER
from shared.errors import Unavailable
from tests.azurite import running_azurite

QUICK = RetryPolicy(Timeouts(total=2.0, attempt=1.0, ordinary=Backoff(0.01, 0.03), throttled=Backoff(0.01, 0.03)))
OLD, NEW = "0" * 32, "f" * 32
folders = (f"people{number}/" for number in itertools.count())


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    with running_azurite(tmp_path_factory.mktemp("azurite")) as connection:
        yield connection


@pytest.fixture(params=["fake", "blobs"])
def files(request):
    if request.param == "fake":
        return FakeDrawnFiles()
    account = Account(request.getfixturevalue("connection"), "", FakeIdentity())
    return blob_drawn_files(account, QUICK)


@pytest.fixture
def content(request, files):
    """Give what reads a file whole."""
    if isinstance(files, FakeDrawnFiles):
        return lambda path: files.files[path][1]
    service = BlobServiceClient.from_connection_string(request.getfixturevalue("connection"))
    return lambda path: service.get_blob_client(CONTAINER, path).download_blob().readall()


@pytest.fixture
def folder():
    return next(folders)


def test_where_nothing_is_nothing_is_found(files, folder):
    assert files.edition(f"{folder}a") == ""
    assert files.read(f"{folder}a") is None
    assert files.editions(folder) == {}
    assert files.staged(f"{folder}a", OLD) == frozenset()


def test_blocks_are_a_file_once_they_are_committed_and_in_the_order_of_their_numbers(files, content, folder):
    path = f"{folder}a"
    for number in (2, 0, 1):
        files.stage(path, OLD, number, f"{number}\n".encode())
    before = files.edition(path), files.editions(folder), files.staged(path, OLD)

    files.commit(path, OLD, 3)

    assert before == ("", {}, {0, 1, 2})
    assert (files.edition(path), files.staged(path, OLD)) == (OLD, frozenset())
    assert content(path) == files.read(path) == b"0\n1\n2\n"


def test_a_block_that_is_staged_twice_counts_once(files, content, folder):
    for _ in range(2):
        files.stage(f"{folder}a", OLD, 0, b"x")

    files.commit(f"{folder}a", OLD, 1)

    assert content(f"{folder}a") == b"x"


def test_a_file_is_read_as_it_was_until_another_edition_is_whole(files, content, folder):
    path = f"{folder}a"
    files.stage(path, OLD, 0, b"old")
    files.commit(path, OLD, 1)

    files.stage(path, NEW, 0, b"new")

    assert (files.edition(path), content(path)) == (OLD, b"old")
    assert (files.staged(path, OLD), files.staged(path, NEW)) == (frozenset(), {0})
    files.commit(path, NEW, 1)
    assert (files.edition(path), content(path)) == (NEW, b"new")


def test_blocks_of_another_edition_are_never_taken_for_ones_own(files, content, folder):
    path = f"{folder}a"
    files.stage(path, OLD, 0, b"old")
    files.stage(path, NEW, 0, b"new")

    assert files.staged(path, NEW) == {0}
    files.commit(path, NEW, 1)

    assert content(path) == b"new"
    assert files.staged(path, OLD) == frozenset()


def test_a_file_can_not_be_made_of_blocks_that_are_not_there(files, folder):
    files.stage(f"{folder}a", OLD, 0, b"x")

    with pytest.raises(Unavailable):
        files.commit(f"{folder}a", OLD, 2)

    assert files.edition(f"{folder}a") == ""


def test_a_file_may_have_no_blocks(files, content, folder):
    files.commit(f"{folder}a", OLD, 0)

    assert (files.edition(f"{folder}a"), content(f"{folder}a")) == (OLD, b"")


def test_small_files_are_listed_with_their_editions(files, content, folder):
    files.write(f"{folder}1", OLD, b"one")
    files.write(f"{folder}2", OLD, b"two")
    files.write(f"{folder}2", NEW, b"zwei")

    assert files.editions(folder) == {f"{folder}1": OLD, f"{folder}2": NEW}
    assert content(f"{folder}2") == b"zwei"
