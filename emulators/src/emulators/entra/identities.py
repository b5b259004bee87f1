"""Who may do what: the tenant, its service principals, and the shared access keys of the event hubs."""

import secrets
import uuid
from pathlib import Path
from typing import Literal

import msgspec

Role = Literal["Sender", "Receiver"]
Claim = Literal["Send", "Listen"]

_ROLES: tuple[Role, ...] = ("Sender", "Receiver")
_SECRET_BYTES = 32


class HubRole(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A role on one event hub alone."""

    role: Role
    hub: str


class Client(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One service principal and its role on all event hubs: a Sender may send, a Receiver may listen.

    hub_roles: what it may do on single hubs besides.
    """

    client_id: str
    secret: str
    event_hubs_role: Role
    hub_roles: tuple[HubRole, ...] = ()

    def __repr__(self) -> str:
        """Leave the secret out."""
        return f"Client({self.client_id!r}, {self.event_hubs_role!r}, {self.hub_roles!r})"


class SharedAccessKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One shared access policy of the event hubs."""

    name: str
    key: str
    claims: tuple[Claim, ...]

    def __repr__(self) -> str:
        """Leave the key out."""
        return f"SharedAccessKey({self.name!r}, {self.claims!r})"


class Identities(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One tenant with everyone it knows."""

    tenant: str
    clients: tuple[Client, ...]
    sas: tuple[SharedAccessKey, ...]

    def client(self, client_id: str) -> Client | None:
        """Find a client by its id, in any case; None where the tenant has no such client."""
        return next((client for client in self.clients if client.client_id.lower() == client_id.lower()), None)

    def client_in_role(self, role: Role) -> Client:
        """Find the first client that has `role`; LookupError where no client has it."""
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


def _guid() -> str:
    return str(uuid.uuid4())


def _secret() -> str:
    return secrets.token_urlsafe(_SECRET_BYTES)


def write_identities(identities: Identities, path: Path) -> None:
    """Write the identities as JSON that only this user can read."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(identities), indent=2) + b"\n")


def read_identities(path: Path) -> Identities:
    """Read what `write_identities` wrote; ValueError names the file and the field at fault."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Identities)
    except msgspec.DecodeError as error:
        raise ValueError(f"{path} does not describe identities: {error}") from error
