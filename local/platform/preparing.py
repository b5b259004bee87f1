"""Makes the folder of a platform ready: its logs, its keys, and who may do what."""

import json
import shutil

from emulators.entra.identities import Identities, make_identities, read_identities, write_identities
from emulators.key_files import make_base64_key, make_key, write_key
from local.platform.state import State


def prepare(state: State, *, clear: bool) -> Identities:
    """Make the folder ready, emptied first where `clear` says so, and give its identities, kept or newly made."""
    if clear and state.folder.exists():
        shutil.rmtree(state.folder)
    state.logs.mkdir(parents=True, exist_ok=True)
    _make_keys(state)
    if not state.identities.exists():
        write_identities(make_identities(), state.identities)
    return read_identities(state.identities)


def _make_keys(state: State) -> None:
    """Make the keys of the topic, of the assets API, of personal data and of Cosmos DB, where this folder has none."""
    pii_keys = json.dumps({"keys": [{"version": "v1", "key": make_key()}]})
    made = {
        state.topic_key: make_key(),
        state.assets_key: make_key(),
        state.pii_keys: pii_keys,
        state.cosmos_key: make_base64_key(),
    }
    for path, key in made.items():
        if not path.exists():
            write_key(key, path)
