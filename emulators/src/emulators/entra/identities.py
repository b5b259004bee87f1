"""Who may do what on the local platform: the tenant, its service principals and the hub's shared access keys."""

import json
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

Role = Literal["Sender", "Receiver"]

_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Client:
    """One service principal and its role on the event hubs."""

    client_id: str
    secret: str = field(repr=False)
    event_hubs_role: Role


@dataclass(frozen=True, slots=True)
class SharedAccessKey:
    """One shared access policy of the event hubs; claims are `Send` and `Listen`."""

    name: str
    key: str = field(repr=False)
    claims: Sequence[str]


@dataclass(frozen=True, slots=True)
class Identities:
    """Everyone the local platform knows."""

    tenant: str
    clients: Sequence[Client]
    sas: Sequence[SharedAccessKey]

    def client(self, client_id: str) -> Client | None:
        """Find a client by its id, in any case; None where the tenant has no such client."""
        return next((client for client in self.clients if client.client_id.lower() == client_id.lower()), None)

    def client_in_role(self, role: Role) -> Client:
        """Find the first client that has `role`; LookupError where nobody has."""
        for client in self.clients:
            if client.event_hubs_role == role:
                return client
        raise LookupError(f"No client has the role {role!r} on the event hubs: add one to identities.json.")


def make_identities() -> Identities:
    """Draw a tenant with one sender, one receiver and one shared access key, all secrets fresh."""
    return Identities(
        tenant=_guid(),
        clients=tuple(Client(_guid(), _secret(), role) for role in _ROLES),
        sas=(SharedAccessKey("SendListen", _secret(), ("Send", "Listen")),),
    )


_ROLES: tuple[Role, ...] = ("Sender", "Receiver")


def _guid() -> str:
    return str(uuid.uuid4())


def _secret() -> str:
    return secrets.token_urlsafe(_SECRET_BYTES)


def write_identities(identities: Identities, path: Path) -> None:
    """Write the identities as JSON that only this user can read."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(asdict(identities), indent=2) + "\n", encoding="utf-8")


def read_identities(path: Path) -> Identities:
    """Read what `write_identities` wrote; KeyError or TypeError where a field is missing or unknown."""
    found = json.loads(path.read_text(encoding="utf-8"))
    return Identities(
        tenant=found["tenant"],
        clients=tuple(Client(**client) for client in found["clients"]),
        sas=tuple(SharedAccessKey(**policy) for policy in found["sas"]),
    )
