import pytest
from azure.core.exceptions import ServiceResponseError
from azure.cosmos.exceptions import CosmosHttpResponseError

from shared.clients.cosmos.connection import CosmosConnection
from shared.clients.cosmos.gateway import GatewayLink
from shared.clients.identity.fake import FakeIdentity
from shared.clients.links import LinkFault


class RefusingContainer:
    def __init__(self, error: Exception) -> None:
        self.error = error

    async def execute_item_batch(self, operations, partition_key):
        raise self.error


@pytest.mark.parametrize(
    "error", [CosmosHttpResponseError(503, "busy"), ServiceResponseError("connection lost"), OSError("reset")]
)
async def test_a_fault_holds_on_to_nothing_that_knows_the_key(error):
    link = GatewayLink(CosmosConnection("https://localhost:1", "payments"), "transactions", FakeIdentity())
    link._container = RefusingContainer(error)

    with pytest.raises(LinkFault) as caught:
        await link.upsert("BR", [{"id": "1"}])

    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
