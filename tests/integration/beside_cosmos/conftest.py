"""A hub and Cosmos DB, each with its identity provider, as a stream meets them that goes to both."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.integration.cosmos.stage import Platform as CosmosPlatform
from tests.integration.cosmos.stage import running_platform as running_cosmos
from tests.integration.sending.stage import Platform as HubPlatform
from tests.integration.sending.stage import running_platform as running_hub


@dataclass(frozen=True)
class Both:
    """The two platforms."""

    hub: HubPlatform
    cosmos: CosmosPlatform


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with (
        running_hub(tmp_path_factory.mktemp("hub"), {"transactions": 4}) as hub,
        running_cosmos(tmp_path_factory.mktemp("cosmos")) as cosmos,
    ):
        yield Both(hub, cosmos)


@pytest.fixture
def both(services: Both) -> Iterator[Both]:
    services.cosmos.calm()
    yield services
    services.cosmos.calm()
    services.hub.calm()
