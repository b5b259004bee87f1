"""The one folder that holds all state of a platform: `.local/<name>`."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO


class AlreadyRunning(Exception):
    """A platform of this name runs already."""


@dataclass(frozen=True, slots=True)
class State:
    """The places below the folder of one platform."""

    folder: Path

    @property
    def logs(self) -> Path:
        """One log file a service."""
        return self.folder / "logs"

    @property
    def tls(self) -> Path:
        """The authority's and the servers' PEM files."""
        return self.folder / "tls"

    @property
    def authority(self) -> Path:
        """The certificate that clients trust."""
        return self.tls / "ca.pem"

    @property
    def identities(self) -> Path:
        """Who may do what: `identities.json`."""
        return self.folder / "identities.json"

    @property
    def topic_key(self) -> Path:
        """The key of the Event Grid topic."""
        return self.folder / "topic.key"

    @property
    def assets_key(self) -> Path:
        """The key of the assets API."""
        return self.folder / "assets.key"

    @property
    def pii_keys(self) -> Path:
        """The keys of the tokens that the lake has for personal data: as old as the lake, which is useless without."""
        return self.folder / "pii-keys.json"

    @property
    def cosmos_key(self) -> Path:
        """The key of the Cosmos DB account."""
        return self.folder / "cosmos.key"

    @property
    def push_key(self) -> Path:
        """The key of the policy by which the notification hub is sent to."""
        return self.folder / "push.key"

    @property
    def databricks(self) -> Path:
        """Runs and logs of the Jobs service, and below it the lake."""
        return self.folder / "databricks"

    @property
    def sql(self) -> Path:
        """The SQLite file that stands for Azure SQL."""
        return self.folder / "sql.sqlite"

    @property
    def functions(self) -> Path:
        """The Functions host's SQLite file: its task hub, timers and keys."""
        return self.folder / "functions.sqlite"

    @property
    def outbox(self) -> Path:
        """The mails that the Logic Apps would have sent."""
        return self.folder / "outbox"

    @property
    def telemetry(self) -> Path:
        """The tables of Application Insights, and its instrumentation key."""
        return self.folder / "telemetry"

    @property
    def pools(self) -> Path:
        """Where the app keeps the pools of its synthetic feeds: beside the folders of all platforms, never emptied."""
        return self.folder.parent / "pools"

    @property
    def running(self) -> Path:
        """The mark of a platform that runs: its process id, locked while it does; empty after a clean end."""
        return self.folder.with_name(f"{self.folder.name}.running")


@contextmanager
def held_state(folder: Path) -> Iterator[State]:
    """Take the folder for one platform as it is; AlreadyRunning if another holds it."""
    state = State(folder.resolve())
    folder.parent.mkdir(parents=True, exist_ok=True)
    with state.running.open("a+") as mark:
        _lock(mark.fileno(), state)
        _write_holder(mark, str(os.getpid()))
        try:
            yield state
        finally:
            _write_holder(mark, "")


def is_running(state: State) -> bool:
    """Tell whether a platform holds this folder now."""
    try:
        with state.running.open() as mark:
            _lock(mark.fileno(), state)
    except FileNotFoundError:
        return False
    except AlreadyRunning:
        return True
    return False


def was_killed(state: State) -> bool:
    """Tell whether the last platform of this folder ended without cleaning up."""
    return state.running.exists() and not is_running(state) and bool(state.running.read_text())


def _write_holder(mark: TextIO, holder: str) -> None:
    mark.truncate(0)
    mark.write(holder)
    mark.flush()


def _lock(descriptor: int, state: State) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = state.running.read_text() or "unknown"
        raise AlreadyRunning(
            f"A platform already runs in {state.folder} (process {holder}): stop it, or use another --name."
        ) from None
