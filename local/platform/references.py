"""What the app writes of itself by a timer, every five minutes, and is asked for as soon as it runs here."""

from http import HTTPStatus
from typing import Final

import requests

from emulators.functions_host.keys import read_keys
from local.platform.running import Running
from local.platform.services import FUNCTIONS

TIMERS: Final = ("write_daily_lookups", "write_reference_data")
_ASK_SECONDS = 10


def ask_for_references(running: Running) -> None:
    """Run the timers that write lookups and reference data; an app without them has nothing to write.

    An app that `func start` runs writes them at its own time.
    """
    if FUNCTIONS not in running.addresses:
        return
    key = read_keys(running.state.functions).master
    for timer in TIMERS:
        address = f"{running.addresses[FUNCTIONS]['http']}/admin/functions/{timer}"
        answer = requests.post(address, json={}, headers={"x-functions-key": key}, timeout=_ASK_SECONDS)
        if answer.status_code != HTTPStatus.NOT_FOUND:
            answer.raise_for_status()
