"""The local Entra, served over TLS."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from emulators.entra.identities import Client, Identities, make_identities
from emulators.entra.server import running
from emulators.tls import make_tls_files


@dataclass(frozen=True)
class ServedEntra:
    """Where the local Entra is, and whom it knows."""

    authority: str
    issuer: str
    identities: Identities
    ca: Path

    @property
    def sender(self) -> Client:
        """The client that may send."""
        return self.identities.client_in_role("Sender")


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    return make_tls_files(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def entra(tls):
    identities = make_identities()
    async with running(identities, tls.server) as addresses:
        yield ServedEntra(addresses["authority"], addresses["issuer"], identities, tls.authority)
