"""Connection strings of the development account."""

from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient

from emulators.storage.account import DEVELOPMENT_STORAGE, STANDARD_PORTS, connection_string

ENDPOINTS = {name: f"http://127.0.0.1:{port}" for name, port in STANDARD_PORTS.items()}


def test_clients_take_their_endpoint_from_the_connection_string():
    text = connection_string(
        {"blob": "http://127.0.0.1:1", "queue": "http://127.0.0.1:2", "table": "http://127.0.0.1:3"}
    )

    assert BlobServiceClient.from_connection_string(text).url == "http://127.0.0.1:1/devstoreaccount1/"
    assert TableServiceClient.from_connection_string(text).url == "http://127.0.0.1:3/devstoreaccount1"


def test_standard_ports_are_those_of_development_storage():
    ours = BlobServiceClient.from_connection_string(connection_string(ENDPOINTS))
    short = BlobServiceClient.from_connection_string(DEVELOPMENT_STORAGE)

    assert (ours.url, ours.credential.account_key) == (short.url, short.credential.account_key)
