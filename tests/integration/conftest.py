"""Tables as every contract over them is tested: those of an account (Azurite), and the fake."""

import pytest
from azure.data.tables import TableServiceClient

from shared.clients.storage.fake import FakeTables
from shared.clients.storage.tables import Tables
from tests.azurite import running_azurite


@pytest.fixture(scope="module")
def tables_of_account(tmp_path_factory):
    with (
        running_azurite(tmp_path_factory.mktemp("azurite")) as connection,
        TableServiceClient.from_connection_string(connection, retry_total=0) as service,
    ):
        yield Tables(lambda: service)


@pytest.fixture(params=["fake", "tables"])
def store(request):
    return FakeTables() if request.param == "fake" else request.getfixturevalue("tables_of_account")
