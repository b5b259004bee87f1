"""Makes the folder of a platform ready: its logs, its keys, and who may do what."""

import json
import shutil
from collections.abc import Iterable

from msgspec.structs import replace

from emulators.entra.identities import HubRole, Identities, make_identities, read_identities, write_identities
from emulators.key_files import make_base64_key, make_key, write_key
from local.platform.state import State


def prepare(state: State, *, clear: bool, listened: Iterable[str] = ()) -> Identities:
    """Make the folder ready, emptied first where `clear` says so, and give its identities, kept or newly made.

    listened: the hubs that the app, which may send to all, may read besides.
    """
    if clear and state.folder.exists():
        shutil.rmtree(state.folder)
    state.logs.mkdir(parents=True, exist_ok=True)
    _make_keys(state)
    kept = read_identities(state.identities) if state.identities.exists() else make_identities()
    identities = _with_hub_roles(kept, tuple(HubRole("Receiver", hub) for hub in listened))
    write_identities(identities, state.identities)
    return identities


def _with_hub_roles(identities: Identities, roles: tuple[HubRole, ...]) -> Identities:
    app = identities.client_in_role("Sender")
    clients = tuple(replace(one, hub_roles=roles) if one is app else one for one in identities.clients)
    return replace(identities, clients=clients)


def _make_keys(state: State) -> None:
    """Make the keys of the topic, the assets API, personal data, Cosmos DB and pushes, where this folder has none."""
    pii_keys = json.dumps({"keys": [{"version": "v1", "key": make_key()}]})
    made = {
        state.topic_key: make_key(),
        state.assets_key: make_key(),
        state.pii_keys: pii_keys,
        state.cosmos_key: make_base64_key(),
        state.push_key: make_key(),
    }
    for path, key in made.items():
        if not path.exists():
            write_key(key, path)
