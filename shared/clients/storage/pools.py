"""Keeps the pools that drawn feeds draw from: one for each version of a feed, shared by all instances of the app.

The container `reference` has the pool that counts, so that every instance draws the same records and an upgrade of a
library changes nothing for windows already planned. A folder of this machine has a copy, which spares the next storage
account (or the next start, while the container does not answer) the seconds of building.
"""

import logging
import os
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from shared import telemetry
from shared.clients.storage.reference import Reference
from shared.errors import FeedUnusable, Unavailable, origin_of
from shared.feeds.drawing.pool import Pool
from shared.feeds.feed import Drawing, Drawn

logger = logging.getLogger(__name__)


class Pools(Protocol):
    """Where drawn feeds get their pools."""

    def drawing(self, feed: str, drawn: Drawn) -> Drawing:
        """Give a feed ready to draw, the same object at each call; raises FeedUnusable, Unavailable, LoginRefused."""


@dataclass(slots=True)
class SharedPools:
    """Pools in the container `reference`, with copies in `folder`; for any number of threads and processes."""

    folder: Path
    reference: Reference
    _ready: dict[str, Drawing] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def drawing(self, feed: str, drawn: Drawn) -> Drawing:
        """Read the pool in milliseconds, or build it in seconds where there is none yet."""
        name = f"{feed}-v{drawn.version}-s{drawn.seed}.arrow"
        with self._lock:
            if name not in self._ready:
                pool = self._pool(name, feed, drawn)
                self._ready[name] = Drawing(pool, drawn.draw(pool))
            return self._ready[name]

    def _pool(self, name: str, feed: str, drawn: Drawn) -> Pool:
        """Take the container's pool; where it has none, offer it ours, and take the one that was there first."""
        path, copy = f"pools/{name}", self.folder / name
        try:
            shared = self._shared(path)
        except Unavailable as error:
            return _copy_instead(copy, error)
        if shared is None:
            ours = _read_copy(copy) or _build(feed, drawn)
            shared = ours if self.reference.add(path, ours.to_bytes()) else self._shared(path) or ours
        _keep_copy(shared, copy)
        return shared

    def _shared(self, path: str) -> Pool | None:
        content = self.reference.read(path)
        try:
            return None if content is None else Pool.from_buffer(pa.py_buffer(content))
        except (ValueError, OSError) as error:
            raise FeedUnusable(f"{path} in the container reference is damaged; delete it: {error}") from error


def _copy_instead(copy: Path, error: Unavailable) -> Pool:
    """Draw from the copy while the container is away: a slice whose plan names another pool will refuse it."""
    pool = _read_copy(copy)
    if pool is None:
        raise error
    telemetry.warning(logger, "pools.copy_used", path=copy, cause=error)
    return pool


def _build(feed: str, drawn: Drawn) -> Pool:
    telemetry.info(logger, "pools.building", feed=feed, version=drawn.version, seed=drawn.seed)
    try:
        return drawn.build(drawn.seed, _report)
    except Exception as fault:  # noqa: BLE001 - whatever the feed's own code does
        raise FeedUnusable(f"The pool of feed {feed} can't be built: {origin_of(fault)}.") from None


def _read_copy(path: Path) -> Pool | None:
    if not path.exists():
        return None
    try:
        return Pool.from_buffer(pa.memory_map(str(path)).read_buffer())
    except (ValueError, OSError) as error:  # pyarrow's own errors are kinds of these
        telemetry.warning(logger, "pools.damaged", path=path, reason=error)
        return None


def _keep_copy(pool: Pool, path: Path) -> None:
    """Write the copy beside its place, then move it there at once: a reader sees all of it or none."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=path.name, suffix=".partial", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(pool.to_bytes())
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:  # a read-only package: this process goes on with what it has
        telemetry.warning(logger, "pools.not_kept", path=path, reason=error)


def _report(kind: str) -> None:
    telemetry.info(logger, "pools.drawing", kind=kind)
