"""Where recordings lie: the fake, blob storage (Azurite), and a server of files by TLS."""

import itertools
import ssl
from dataclasses import dataclass
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient

from emulators.tls import make_tls_files
from shared.clients.identity.fake import FakeIdentity
from shared.clients.recordings.fake import FakeRemote
from shared.clients.recordings.web import WebRecordings
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.clients.storage.account import Account
from shared.clients.storage.recordings import BlobRecordings
from shared.domain.recording import recording_location
from tests.azurite import running_azurite
from tests.integration.recordings.file_server import running_file_server

STEADY = RetryPolicy(Timeouts(total=30.0, attempt=15.0, ordinary=Backoff(0.02, 0.1), throttled=Backoff(0.02, 0.1)))
numbers = itertools.count()


@dataclass
class Place:
    """One kind of place: its client, what puts a file there, and the location that a setting names."""

    remote: Any
    put: Any
    location: Any
    kind: str


@pytest.fixture(scope="session")
def connection(tmp_path_factory):
    with running_azurite(tmp_path_factory.mktemp("azurite")) as connection:
        BlobServiceClient.from_connection_string(connection).create_container("recordings")
        yield connection


@pytest.fixture(scope="session")
def tls(tmp_path_factory):
    return make_tls_files(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def server(tls):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.server)
    with running_file_server(context) as files:
        yield files


@pytest.fixture
def files(server):
    server.clear()
    return server


@pytest.fixture
def web(files, tls):
    """Give the client of the server; the file `/signed.csv` needs a signature."""
    return WebRecordings({f"{files.url}/signed.csv": "sig=hidden"}, str(tls.authority), STEADY)


@pytest.fixture(params=["fake", "blob", "https"])
def place(request):
    name = f"payments-{next(numbers)}.csv"
    match request.param:
        case "fake":
            location, remote = recording_location(f"blob:recordings/{name}"), FakeRemote()
            return Place(remote, lambda content: remote.files.update({location.address: content}), location, "blob")
        case "blob":
            connection = request.getfixturevalue("connection")
            blob = BlobServiceClient.from_connection_string(connection).get_blob_client("recordings", name)
            remote = BlobRecordings(Account(connection, "", FakeIdentity(), None), STEADY)
            put = lambda content: blob.upload_blob(content, overwrite=True)  # noqa: E731
            return Place(remote, put, recording_location(f"blob:recordings/{name}"), "blob")
        case _:
            files, web = request.getfixturevalue("files"), request.getfixturevalue("web")
            location = recording_location(f"{files.url}/{name}")
            return Place(web, lambda content: files.files.update({f"/{name}": content}), location, "https")
