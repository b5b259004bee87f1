"""Cosmos DB and an identity provider in processes of their own, as the sender meets them on one machine."""

from collections.abc import Iterator

import pytest

from tests.integration.cosmos.stage import Platform, running_platform


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with running_platform(tmp_path_factory.mktemp("cosmos")) as platform:
        yield platform


@pytest.fixture
def platform(services: Platform) -> Iterator[Platform]:
    services.calm()
    yield services
    services.calm()
