"""A platform that runs only in its description."""

import pytest

from emulators.entra.identities import make_identities
from emulators.storage.account import STANDARD_PORTS, connection_string
from local.platform.running import Running
from local.platform.state import State

STORAGE = {name: f"http://127.0.0.1:{port}" for name, port in STANDARD_PORTS.items()}


@pytest.fixture
def running(tmp_path):
    return Running(
        state=State(tmp_path / "up"),
        identities=make_identities(),
        addresses={
            "storage": STORAGE | {"connection_string": connection_string(STORAGE)},
            "entra": {"authority": "https://localhost:20001", "issuer": "https://localhost:20001/t/"},
            "event_hubs": {"amqps": "amqps://localhost:5671", "admin": "http://127.0.0.1:20002"},
            "exchange": {"websocket": "wss://localhost:20003", "rest": "https://localhost:20003"},
            "notification_hubs": {"hub": "https://localhost:20014/phones", "inboxes": "http://127.0.0.1:20015/"},
        },
        process_ids={},
    )
