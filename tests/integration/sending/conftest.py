"""A hub and an identity provider in processes of their own, as the sender meets them on one machine."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.sending.stage import HUBS, Platform, running_platform

CLIENTS_OWN = (
    "ignore:Unclosed client session:ResourceWarning",  # of a WebSocket that could not be opened: the client forgets it
    "ignore:BasicAuth is deprecated:DeprecationWarning",  # this one and the next: how the client logs in at a proxy
    "ignore:The 'proxy_auth' parameter:DeprecationWarning",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the client have its own slips."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            for warning in CLIENTS_OWN:
                item.add_marker(pytest.mark.filterwarnings(warning))


@pytest.fixture(scope="module", autouse=True)
def swept() -> Iterator[None]:
    """Collect what the client forgot here, so that no test elsewhere is blamed for it."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with running_platform(tmp_path_factory.mktemp("sending"), HUBS) as platform:
        yield platform


@pytest.fixture
def platform(services: Platform) -> Iterator[Platform]:
    yield services
    services.calm()
