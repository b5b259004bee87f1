"""A hub and an identity provider in processes of their own, as the sender meets them on one machine."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulators.entra.identities import make_identities, write_identities
from emulators.testing import running_service
from emulators.tls import make_tls_files
from tests.integration.sending.stage import HUBS, Platform

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
    folder = tmp_path_factory.mktemp("sending")
    tls, identities, who = make_tls_files(folder), make_identities(), folder / "identities.json"
    write_identities(identities, who)
    shown = ["--certificate", str(tls.server), "--identities", str(who)]
    with running_service("entra", "--port", "0", *shown) as entra:
        hub = [
            "--hubs",
            ",".join(f"{name}:{count}" for name, count in HUBS.items()),
            "--amqps-port",
            "0",
            "--websocket-port",
            "0",
        ]
        trust = ["--admin-port", "0", "--issuer", entra["issuer"], "--authority", str(tls.authority)]
        with running_service("event_hubs", *hub, *trust, *shown) as addresses:
            served = (addresses["amqps"], addresses["websockets"], addresses["admin"])
            yield Platform(entra["authority"], *served, tls, identities)


@pytest.fixture
def platform(services: Platform) -> Iterator[Platform]:
    yield services
    services.clear()
    services.order("throttle", units=None)
    services.order("latency", seconds=0)
