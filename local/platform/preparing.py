"""Makes the folder of a platform ready: its logs, its keys, and who may do what."""

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
    """Make the keys of the topic, of the assets API and of the Cosmos DB account, where this folder has none."""
    for path in (state.topic_key, state.assets_key):
        if not path.exists():
            write_key(make_key(), path)
    if not state.cosmos_key.exists():
        write_key(make_base64_key(), state.cosmos_key)
