"""From an event to the rows of its alerts, at 500 events a second: the functions' flow between four partitions' readers
and the tables of Azurite, views and stars as the web shop draws them.
"""

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from time import perf_counter, sleep

import numpy as np

from benchmarks.interleaved import Row
from emulators.testing import running_service
from shared.clients.identity.fake import FakeIdentity
from shared.clients.storage.account import Account
from shared.clients.storage.recent_views import table_recent_views
from shared.clients.storage.view_alerts import table_view_alerts
from shared.domain.delivery import Event
from shared.domain.windows.window import microseconds
from shared.feeds.feed import Position
from shared.feeds.shop import tables
from shared.feeds.shop.building import build
from shared.feeds.shop.feed import Shop
from shared.feeds.shop.people import vips
from shared.flows.alert_of_views import ViewAlertTools, alert_of_stars, alert_of_views

RATE, SECONDS, READERS = 500, 20, 4
MOST = 100
"""So many events a batch has at most; the default of the trigger's `maxEventBatchSize`."""
BAR = 2.0
VIPS: frozenset[int] = frozenset(vips(np.arange(1, tables.VIPS + 1), tables.USERS).tolist())
"""Those of the shop: one in twenty users."""


@dataclass(frozen=True, slots=True)
class Due:
    """An event of a stream, and when it is there: seconds from the beginning."""

    at: float
    stream: str
    event: Event


def rows() -> list[Row]:
    """Read at the pace of the events, and say how late the slowest twentieth was."""
    with running_tools() as tools:
        alert_of_views(tools, [])
        due = _drawn()
        begun = perf_counter()
        with ThreadPoolExecutor(READERS) as pool:
            parts = pool.map(lambda reader: _read(tools, due[reader::READERS], begun), range(READERS))
            late = [seconds for part in parts for seconds in part]
        spent = perf_counter() - begun
    found = quantiles(late, n=20, method="inclusive")
    note = f"median {quantiles(late, n=2)[0]:.3g} s, {len(late) / spent:.0f} events/s over {spent:.0f} s"
    return [Row(f"event → alert row, {RATE} events/s, p95 s", "-", found[-1], BAR, at_most=True, note=note)]


@contextmanager
def running_tools() -> Iterator[ViewAlertTools]:
    """Run tables for the length of a block, and alert into them."""
    ports = ("--blob-port", 0, "--queue-port", 0, "--table-port", 0)
    with tempfile.TemporaryDirectory() as folder, running_service("storage", "--location", folder, *ports) as storage:
        account = Account(storage["connection_string"], "", FakeIdentity())
        yield ViewAlertTools(
            table_recent_views(account),
            table_view_alerts(account),
            lambda: VIPS,
            timedelta(hours=3),
            lambda: datetime.now(UTC),
        )


def _drawn() -> list[Due]:
    """Draw views, and the stars of their sessions, each as an event when its place in the stream comes."""
    position = Position("shop-bench", 0, 0, RATE * SECONDS, microseconds(datetime.now(UTC)), float(RATE))
    drawn = Shop(build(1)).draw(position)
    due = [
        Due(SECONDS * number / len(lines), stream, Event(line, 1, {"contract": f"{stream}/1"}))
        for stream in ("pageviews", "stars")
        for lines in [drawn[stream].lines.to_pylist()]
        for number, line in enumerate(lines)
    ]
    return sorted(due, key=lambda one: one.at)


def _read(tools: ViewAlertTools, due: Sequence[Due], begun: float) -> list[float]:
    """Hand what is there to the flows, batch by batch, as a partition's reader does; give how late each event was."""
    late: list[float] = []
    while len(late) < len(due):
        first, now = len(late), perf_counter() - begun
        there = [one for one in due[first : first + MOST] if one.at <= now]
        if not there:
            sleep(due[first].at - now)
            continue
        for stream, alert in (("pageviews", alert_of_views), ("stars", alert_of_stars)):
            batch = [one.event for one in there if one.stream == stream]
            if batch:
                alert(tools, batch)
        done = perf_counter() - begun
        late += [done - one.at for one in there]
    return late


if __name__ == "__main__":
    for row in rows():
        print(f"{row.name}: {row.ratio:.3g} (bar {row.bar}), {row.note}, met: {row.met}")
