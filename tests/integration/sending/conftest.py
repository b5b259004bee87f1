"""A hub and an identity provider in processes of their own, as the sender meets them on one machine."""

from collections.abc import Iterator

import pytest

from tests.integration.sending.stage import HUBS, Platform, running_platform


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with running_platform(tmp_path_factory.mktemp("sending"), HUBS) as platform:
        yield platform


@pytest.fixture
def platform(services: Platform) -> Iterator[Platform]:
    yield services
    services.calm()
