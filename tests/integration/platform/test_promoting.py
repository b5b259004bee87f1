"""What a start of the platform does with the checkpoints of an earlier one."""

import pytest
from azure.storage.blob import ContainerClient

from local.platform.listening import forget_checkpoints
from tests.azurite import running_azurite


@pytest.fixture
def storage(tmp_path):
    with running_azurite(tmp_path) as connection:
        yield {"connection_string": connection}


def test_checkpoints_of_an_earlier_start_are_forgotten_and_nothing_else(storage):
    with (
        ContainerClient.from_connection_string(storage["connection_string"], "azure-webjobs-eventhub") as checkpoints,
        ContainerClient.from_connection_string(storage["connection_string"], "azure-webjobs-hosts") as hosts,
    ):
        for container in (checkpoints, hosts):
            container.create_container()
            container.upload_blob("one", b"")

        forget_checkpoints(storage)

        assert not checkpoints.exists()
        assert [*hosts.list_blob_names()] == ["one"]
        checkpoints.create_container()


def test_a_storage_without_checkpoints_is_left_as_it_is(storage):
    forget_checkpoints(storage)

    with ContainerClient.from_connection_string(storage["connection_string"], "azure-webjobs-eventhub") as checkpoints:
        assert not checkpoints.exists()
