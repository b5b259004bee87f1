"""How an end-to-end test waits: it looks again and again, up to a deadline that says what it waited for."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import requests

_LOOK_EVERY = 0.2
_LATENESS = 30.0


def eventually[Found](look: Callable[[], Found], what: str, *, within: float = 60.0) -> Found:
    """Look until something true comes back; AssertionError, saying what was awaited, after `within` seconds.

    A host that is being replaced breaks its connections off: that is no answer yet.
    """
    deadline = time.monotonic() + within
    while not (found := _looked(look)):
        if time.monotonic() > deadline:
            raise AssertionError(f"within {within:.0f} s it did not happen that {what}")
        time.sleep(_LOOK_EVERY)
    return found


def until(instant: datetime) -> None:
    """Wait for an instant of the wall clock."""
    seconds = (instant - datetime.now(UTC)).total_seconds()
    eventually(lambda: datetime.now(UTC) >= instant, f"the clock showed {instant}", within=max(0, seconds) + _LATENESS)


def _looked[Found](look: Callable[[], Found]) -> Found | None:
    try:
        return look()
    except requests.ConnectionError:
        return None
