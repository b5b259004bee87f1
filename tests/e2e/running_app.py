"""The whole platform with the app on it, run in a thread of its own and reached from outside alone: HTTP and SDKs."""

import asyncio
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from emulators.functions_host.keys import read_keys
from local.clone import ROOT
from local.demo.hub_reader import hubs_of, key_columns, read_hub
from local.demo.polling import trades_that_happened
from local.demo.verification import Record, Source, StreamCheck, check_stream
from local.platform.ports import Ports
from local.platform.running import Running
from local.platform.services import Choices
from local.platform.starting import running_platform
from tests.e2e.waiting import eventually

ENDED = frozenset({"closed", "incomplete", "stopped", "failed", "missed"})
LEAD = timedelta(seconds=3)
AHEAD = LEAD + timedelta(seconds=2)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
_MIDNIGHT = datetime(1970, 1, 1, tzinfo=UTC)
_NEXT_PAGE = "x-ms-continuation-token"
_CALL_SECONDS = 30.0


@dataclass(frozen=True)
class Grid:
    """The grid on which the timer opens windows; a window that a test asks for must stay clear of it."""

    every: timedelta
    offset: timedelta
    length: timedelta

    @classmethod
    def beginning(cls, first: datetime, every: timedelta, length: timedelta) -> "Grid":
        """Move the grid so that a window begins at `first`."""
        return cls(every, (first - _MIDNIGHT) % every // SECOND * SECOND, length)

    @classmethod
    def never(cls) -> "Grid":
        """Keep the grid's windows half a day away."""
        return cls.beginning(datetime.now(UTC) + DAY / 2, DAY, timedelta(seconds=10))

    def settings(self, feeds: Sequence[str]) -> dict[str, str]:
        """Write it as app settings of the feeds."""
        lengths = {"EVERY": self.every, "OFFSET": self.offset, "LENGTH": self.length}
        return {f"{feed}_WINDOW_{name}": written(length) for feed in feeds for name, length in lengths.items()}

    def next_start(self, now: datetime) -> datetime:
        """Give the next start of a window at or after `now`."""
        return _MIDNIGHT + self.offset - (_MIDNIGHT + self.offset - now) // self.every * self.every

    def latest_end(self, now: datetime) -> datetime:
        """Give the end of the newest window that has wholly passed."""
        return self.next_start(now - self.length) - self.every + self.length


@dataclass
class RunningApp:
    """A running platform as its callers see it."""

    running: Running
    grid: Grid
    markets: tuple[str, ...] = ()
    key: str = ""
    _web: requests.Session = field(default_factory=requests.Session)

    @property
    def url(self) -> str:
        return self.running.addresses["functions"]["http"]

    @property
    def log(self) -> str:
        """What the Functions host has logged so far."""
        return (self.running.state.logs / "functions.log").read_text(encoding="utf-8", errors="replace")

    @property
    def client_id(self) -> str:
        return self.running.identities.client_in_role("Sender").client_id

    def keys(self):
        return read_keys(self.running.state.functions)

    def call(
        self, method: str, path: str, *, body: Any = None, key: str | None = None, **others: str
    ) -> requests.Response:
        """Call the host; `body` is sent as JSON, or as it is where it is bytes. others: further headers."""
        content = {"data": body} if isinstance(body, bytes) else {"json": body}
        headers = {"x-functions-key": self.key if key is None else key, **others}
        return self._web.request(method, f"{self.url}{path}", headers=headers, timeout=_CALL_SECONDS, **content)

    def at_once(self, times: int, method: str, path: str, body: Any = None) -> list[requests.Response]:
        """Make the same call `times` times at the same time."""
        together = threading.Barrier(times)

        def caller(_: int) -> requests.Response:
            together.wait(_CALL_SECONDS)
            headers = {"x-functions-key": self.key}
            return requests.request(method, f"{self.url}{path}", headers=headers, json=body, timeout=_CALL_SECONDS)

        with ThreadPoolExecutor(times) as callers:
            return list(callers.map(caller, range(times)))

    def post(self, feed: str, start: datetime, length: timedelta) -> requests.Response:
        """Ask for the windows of a time."""
        body = {"feed": feed, "start": stamp(start), "length": written(length)}
        return self.call("POST", "/api/windows", body=body)

    def open(self, *feeds: str, seconds: int) -> list[str]:
        """Open a window of each feed that begins as soon as may be, and give their ids."""
        start = self._clear_start(feeds, timedelta(seconds=seconds))
        answers = [self.post(feed, start, timedelta(seconds=seconds)) for feed in feeds]
        assert [answer.status_code for answer in answers] == [202] * len(feeds), [answer.text for answer in answers]
        return [answer.json()["windows"][0]["id"] for answer in answers]

    def windows(self, **query: str) -> list[dict[str, Any]]:
        """List windows, newest first."""
        text = "&".join(f"{name}={value}" for name, value in query.items())
        return self._json(self.call("GET", f"/api/windows?{text}"))["windows"]

    def window(self, window_id: str) -> dict[str, Any]:
        return self._json(self.call("GET", f"/api/windows/{window_id}"))

    def ended(self, window_id: str, *, within: float = 90.0) -> dict[str, Any]:
        """Wait for the end of a window and show it."""
        return eventually(lambda: self._if_ended(window_id), f"{window_id} ended: {self.url}", within=within)

    def spill(self, window_id: str) -> list[dict[str, Any]]:
        """Show what lies in the spill of a window."""
        return self._json(self.call("GET", f"/api/spill?window={window_id}"))["spill"]

    def instances(self) -> dict[str, dict[str, Any]]:
        """List all orchestrations by their ids, page by page."""
        url, found, more = "/runtime/webhooks/durabletask/instances?showInput=false", {}, ""
        while True:
            answer = self.call("GET", url, **{_NEXT_PAGE: more} if more else {})
            found |= {one["instanceId"]: one for one in self._json(answer)}
            more = answer.headers.get(_NEXT_PAGE, "")
            if not more:
                return found

    def process_id(self) -> int:
        return self._json(self.call("GET", "/admin/host/status"))["processId"]

    def venue_fault(self, kind: str, **order: Any) -> None:
        """Let something go wrong at a venue."""
        self.fault("exchange", kind, **order)

    def hub_fault(self, kind: str, **order: Any) -> None:
        """Let something go wrong at a hub."""
        self.fault("event_hubs", kind, **order)

    def fault(self, service: str, kind: str, **order: Any) -> None:
        """Let something go wrong at a service."""
        self.admin(service, "POST", "/faults", {"kind": kind, **order})

    def calm(self) -> None:
        """End all that goes wrong."""
        for service in ("exchange", "event_hubs", "event_grid", "databricks", "cosmos"):
            if service in self.running.addresses:
                self.admin(service, "DELETE", "/faults")

    def hub_faults(self) -> list[dict[str, Any]]:
        """Tell what has been ordered of the hubs, and how often it struck."""
        return self.admin("event_hubs", "GET", "/faults")["faults"]

    def admin(self, service: str, method: str, path: str, body: Any = None) -> Any:
        """Call the admin interface of a service."""
        address = f"{self.running.addresses[service]['admin']}{path}"
        return self._json(self._web.request(method, address, json=body, timeout=_CALL_SECONDS))

    def happened(self, market: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
        """Ask the exchange for the trades of one market; each says whether the venue has lost it."""
        venue, _, symbol = market.partition(":")
        asked = {"venue": venue, "symbol": symbol, "from": start.isoformat(), "to": end.isoformat()}
        admin = self.running.addresses["exchange"]["admin"]
        return self._json(self._web.get(f"{admin}/trades", params=asked, timeout=_CALL_SECONDS))["trades"]

    def records(self, *windows: Mapping[str, Any]) -> dict[str, list[Record]]:
        """Read the windows' records back from their hubs with the official consumer, by window id."""
        streams = [window["plan"]["streams"][0] for window in windows]
        found = asyncio.run(self._read({hub: stream for stream in streams for hub in hubs_of(stream)}))
        return {
            one["id"]: [record for record in found if record.attempt.startswith(f"{one['id']}/")] for one in windows
        }

    def source(self, window: Mapping[str, Any]) -> Source:
        """Say what the source gave until the window's end, or its stop."""
        start, end = times(window)
        if window["feed"] == "payments":
            return Source(int((end - start).total_seconds() * window["plan"]["rate"] + 1e-6))
        admin = self.running.addresses["exchange"]["admin"]
        return asyncio.run(trades_that_happened(admin, self.markets, start, end))

    def proofs(self, *windows: Mapping[str, Any]) -> list[StreamCheck]:
        """Hold the ledger, the hub and the source of ended windows against each other."""
        records = self.records(*windows)
        return [
            check_stream(window, window["plan"]["streams"][0]["name"], records[window["id"]], self.source(window))
            for window in windows
        ]

    async def _read(self, stream_of: Mapping[str, Mapping[str, Any]]) -> list[Record]:
        connection = self.running.event_hubs_settings("Receiver")
        readings = []
        for hub, stream in stream_of.items():
            columns = key_columns(ROOT / "contracts", stream["contract"])
            readings.append(read_hub(connection, self.running.state.authority, hub, columns))
        return [record for part in await asyncio.gather(*readings) for record in part]

    def _clear_start(self, feeds: Collection[str], length: timedelta) -> datetime:
        start = datetime.now(UTC).replace(microsecond=0) + AHEAD + SECOND
        scheduled = self.grid.next_start(start - self.grid.length)
        taken = [(scheduled, scheduled + self.grid.length)]
        taken += [planned(window) for window in self.windows() if window["feed"] in feeds]
        for begin, end in sorted(taken):
            if begin < start + length + SECOND and start < end:
                start = end
        return start

    def _if_ended(self, window_id: str) -> dict[str, Any] | None:
        window = self.window(window_id)
        return window if window["state"] in ENDED else None

    @staticmethod
    def _json(answer: requests.Response) -> Any:
        assert answer.ok, f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text}"
        return answer.json()


@contextmanager
def running_app(
    folder: Path,
    grid: Grid,
    settings: Mapping[str, str],
    *,
    markets: tuple[str, ...] = (),
    **choices: Any,
) -> Iterator[RunningApp]:
    """Run a platform for the length of a block; `choices` are further ones of `Choices`.

    Its processes die with the thread that started them, so that thread waits for the end of the block.
    """
    chosen = Choices(ports=Ports.free(), settings=settings, **choices)
    started: Future[Running] = Future()
    over = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_keep(folder, chosen, started, over)), name=folder.name)
    thread.start()
    try:
        yield RunningApp(started.result(), grid, markets)
    finally:
        over.set()
        thread.join()


async def _keep(folder: Path, choices: Choices, started: Future[Running], over: threading.Event) -> None:
    try:
        async with running_platform(folder, choices, clear=True) as platform:
            started.set_result(platform.running)
            await asyncio.to_thread(over.wait)
    except Exception as failure:
        if started.done():
            raise
        started.set_exception(failure)


def planned(window: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """Give a window's start and end as they were planned."""
    return datetime.fromisoformat(window["start"]), datetime.fromisoformat(window["end"])


def times(window: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """Give a window's start, and its end or its stop where that came first."""
    start, end = planned(window)
    return start, min(end, datetime.fromisoformat(window["stop_at"] or window["end"]))


def stamp(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def written(length: timedelta) -> str:
    """Write a duration as app settings and callers do."""
    seconds = int(length.total_seconds())
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def secrets_in_logs(app: RunningApp, *canaries: str) -> list[str]:
    """Name the log files in which a secret of the platform, or a canary, can be read."""
    identities, keys = app.running.identities, app.keys()
    secrets = [client.secret for client in identities.clients] + [policy.key for policy in identities.sas]
    secrets += [keys.master, keys.function, keys.durable, *canaries]
    logs = {log.name: log.read_text(encoding="utf-8", errors="replace") for log in app.running.state.logs.iterdir()}
    return [name for name, text in logs.items() if any(secret in text for secret in secrets)]
