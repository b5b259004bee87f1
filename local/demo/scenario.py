"""What the demo shows: its windows, and the settings that open them soon after the start."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from local.platform.services import COSMOS_CONTAINER

EVERY = timedelta(minutes=15)
LENGTH = timedelta(seconds=30)
SHORT_LENGTH = timedelta(seconds=5)
SLICE = timedelta(seconds=10)
HEAD_START = timedelta(seconds=16)
LATER = timedelta(seconds=15)
"""How much later some of the first windows begin: with each begins a Spark run, which at first takes all it can get."""

COMPARED: Final = "payments"
"""The feed whose stream goes to Cosmos DB beside its hub."""

PROMOTED: Final = "gps"
"""The feed whose points become promotions."""

_BESIDE: Final = {"TRANSACTIONS_COSMOS": COSMOS_CONTAINER}
_SMALL_SHOP: Final = {"SHOP_USERS": "100", "SHOP_VIPS": "5", "SHOP_PRODUCTS": "100", "SHOP_STARS": "500"}
"""Reference data that is written while the platform starts: each product is a file. So few users, who give stars so
often, that somebody looks at a page after low stars within seconds: there is an alert of each kind.
"""

_PAUSE = timedelta(seconds=10)
_LEAD = timedelta(seconds=5)
_EXCHANGE_GRACE = timedelta(seconds=3)
_LEAST_RATE = 10
"""Records a second of a drawn feed: one that is slower has nothing to show in so short a window."""
_SEND_DEADLINE = timedelta(seconds=4)
"""How long a send is tried before its records are spilled: much shorter than the outage."""

_SYNTHETIC_MARKETS = (
    "coinbase:BTC-USD",
    "coinbase:ETH-USD",
    "binance:BTCUSDT",
    "kraken:BTC/USD",
    "bitstamp:btcusd",
)
_LONG_AGAIN = "long enough"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MATCHES = ("match", "last_match")


@dataclass(frozen=True, slots=True)
class RequestedWindow:
    """A window that the demo asks the app for by HTTP, such as Data Factory does; `name` is the demo's own."""

    name: str
    feed: str
    start: datetime
    length: timedelta

    def as_request(self) -> dict[str, str]:
        """Write the body of `POST /api/windows`."""
        return {"feed": self.feed, "start": self.start.isoformat(), "length": _hh_mm_ss(self.length)}


@dataclass(frozen=True, slots=True)
class Scenario:
    """The feeds of the demo, those of them that follow markets, the markets, and the recording that they come from.

    tables: by the stream whose rows are counted, the key and the name of the table that is measured. slow_feeds: drawn
    ones that by default draw too little for so short a window.
    """

    feeds: tuple[str, ...]
    exchange_feeds: frozenset[str]
    tables: Mapping[str, tuple[str, str]]
    markets: tuple[str, ...]
    recording: Path | None = None
    slow_feeds: frozenset[str] = frozenset()

    def exchange_arguments(self) -> Sequence[str]:
        """Write the arguments that say what the exchange plays; a recording waits until its window is known."""
        return ("--rate", "20") if self.recording is None else ("--recording", str(self.recording))

    @property
    def outage_feed(self) -> str | None:
        """Name the feed whose hub is lost in the middle of its first window: one that is drawn, where there is one.

        Of several not the one whose hub is compared with Cosmos DB; never the one whose points become promotions, which
        are to come at once.
        """
        drawn = [feed for feed in self.feeds if feed not in self.exchange_feeds | {PROMOTED}]
        return min(drawn, key=lambda feed: feed == COMPARED, default=None)

    @property
    def short_feeds(self) -> frozenset[str]:
        """Name the feeds whose first window is too short on purpose: those with a measured stream of their name."""
        return frozenset() if self.recording else frozenset(self.tables).intersection(self.feeds)

    @property
    def later_feeds(self) -> frozenset[str]:
        """Name the feeds whose first window begins later: those without a part of their own beside the others."""
        others = frozenset(self.feeds) - self.exchange_feeds - {COMPARED, self.outage_feed}
        return others if len(self.feeds) > 1 else frozenset()

    @property
    def promotes(self) -> bool:
        """Say whether points become promotions."""
        return PROMOTED in self.feeds

    def table_of(self, window: Mapping[str, Any]) -> tuple[str, str] | None:
        """Give key and name of the table that is measured for a window; None where none is."""
        streams = [stream["name"] for stream in window["plan"]["streams"]]
        return next((self.tables[stream] for stream in streams if stream in self.tables), None)

    def later_windows(self, first: Mapping[str, Any]) -> Sequence[RequestedWindow]:
        """List the window that follows a measured feed's first one; a recording has no more to give."""
        if self.recording or self.table_of(first) is None:
            return ()
        feed, end = first["feed"], datetime.fromisoformat(first["end"])
        return (RequestedWindow(f"{feed}, {_LONG_AGAIN}", feed, end + _PAUSE, LENGTH),)

    def expected_verdict(self, name: str) -> str | None:
        """Say how the volume of a window is to be judged; what a recording holds is not known."""
        if self.recording:
            return None
        feed, _, which = name.partition(", ")
        return "normal" if which else "low" if feed in self.short_feeds else "first"

    def app_settings(self, now: datetime) -> dict[str, str]:
        """Write the app settings: a timer that ticks often, and a grid whose next window begins soon after `now`."""
        settings = {
            "FEEDS": ",".join(self.feeds),
            "WINDOW_TIMER": "*/2 * * * * *",
            "SEND_DEADLINE": _hh_mm_ss(_SEND_DEADLINE),
            **(_BESIDE if COMPARED in self.feeds else {}),
            **(_SMALL_SHOP if "shop" in self.feeds else {}),
        }
        for feed in self.feeds:
            settings |= {f"{feed.upper()}_{name}": value for name, value in self._settings_of(feed, now).items()}
        return settings

    def _settings_of(self, feed: str, now: datetime) -> dict[str, str]:
        begins = HEAD_START + LATER if feed in self.later_feeds else HEAD_START
        times = {
            "WINDOW_EVERY": EVERY,
            "WINDOW_OFFSET": (now + begins - _EPOCH) % EVERY,
            "WINDOW_LENGTH": SHORT_LENGTH if feed in self.short_feeds else LENGTH,
            "SLICE_LENGTH": SLICE,
            "LEAD": _LEAD,
        }
        settings = {name: _hh_mm_ss(time) for name, time in times.items()}
        if feed in self.exchange_feeds:
            settings |= {"GRACE": _hh_mm_ss(_EXCHANGE_GRACE), "SOURCES": ",".join(self.markets)}
        return settings | ({"RATE": str(_LEAST_RATE)} if feed in self.slow_feeds else {})


def make_scenario(sample: Mapping[str, str], recording: Path | None, alone: str | None = None) -> Scenario:
    """Take the feeds from the sample of the app's settings, or one of them `alone`, and choose the markets.

    A feed follows markets where it has the setting `<FEED>_SOURCES`. Raises ValueError for a recording
    without matches, and for a feed that is not there.
    """
    feeds = tuple(sample["FEEDS"].split(","))
    if alone is not None and alone not in feeds:
        raise ValueError(f"There is no feed {alone!r}: FEED is one of {', '.join(feeds)}.")
    feeds = feeds if alone is None else (alone,)
    measured = json.loads(sample["METRICS_TABLES"]).items()
    return Scenario(
        feeds=feeds,
        exchange_feeds=frozenset(feed for feed in feeds if f"{feed.upper()}_SOURCES" in sample),
        tables={table.get("stream", key): (key, table["table"]) for key, table in measured},
        markets=_SYNTHETIC_MARKETS if recording is None else _recorded_markets(recording),
        recording=recording,
        slow_feeds=frozenset(
            feed for feed in feeds if float(sample.get(f"{feed.upper()}_RATE", _LEAST_RATE)) < _LEAST_RATE
        ),
    )


def _recorded_markets(recording: Path) -> tuple[str, ...]:
    """List the products whose matches the recording holds."""
    frames = [line.split(" ", 2)[2] for line in recording.read_text(encoding="utf-8").splitlines() if " < " in line]
    products = {frame["product_id"] for frame in map(json.loads, frames) if frame.get("type") in _MATCHES}
    if not products:
        raise ValueError(f"{recording} holds no Coinbase match frame: there is nothing to replay.")
    return tuple(f"coinbase:{product}" for product in sorted(products))


def _hh_mm_ss(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
