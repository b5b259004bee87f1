"""Who may use the hub: the clients, secrets and keys of `identities.json`."""

from pathlib import Path
from typing import Literal

import msgspec

Claim = Literal["Send", "Listen"]


class Client(msgspec.Struct, frozen=True):
    """A service principal; it may send (Sender) or listen (Receiver)."""

    client_id: str
    secret: str
    event_hubs_role: Literal["Sender", "Receiver"]


class SharedKey(msgspec.Struct, frozen=True):
    """A shared access policy."""

    name: str
    key: str
    claims: tuple[Claim, ...]


class Identities(msgspec.Struct, frozen=True):
    """Everyone the local platform knows."""

    tenant: str
    clients: tuple[Client, ...] = ()
    sas: tuple[SharedKey, ...] = ()


def read_identities(path: Path) -> Identities:
    """Read `identities.json`; raise ValueError that names the file and the field at fault."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Identities)
    except msgspec.DecodeError as error:
        raise ValueError(f"{path} does not describe identities: {error}") from error
