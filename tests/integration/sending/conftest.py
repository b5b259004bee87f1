"""A hub and an identity provider in processes of their own, as the sender meets them on one machine."""

from collections.abc import Iterator

import pytest

from emulators.entra.identities import make_identities, write_identities
from emulators.testing import running_service
from emulators.tls import make_tls_files
from tests.integration.sending.stage import HUBS, Platform


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("sending")
    tls, identities, who = make_tls_files(folder), make_identities(), folder / "identities.json"
    write_identities(identities, who)
    shown = ["--certificate", str(tls.server), "--identities", str(who)]
    with running_service("entra", "--port", "0", *shown) as entra:
        hub = ["--hubs", ",".join(f"{name}:{count}" for name, count in HUBS.items()), "--amqps-port", "0"]
        trust = ["--admin-port", "0", "--issuer", entra["issuer"], "--authority", str(tls.authority)]
        with running_service("event_hubs", *hub, *trust, *shown) as addresses:
            yield Platform(entra["authority"], addresses["amqps"], addresses["admin"], tls, identities)


@pytest.fixture
def platform(services: Platform) -> Iterator[Platform]:
    yield services
    services.clear()
    services.order("throttle", units=None)
    services.order("latency", seconds=0)
