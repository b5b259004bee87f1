"""What the story of `make run` is about: its windows, and the settings that make it so."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

FEEDS = ("trades", "payments")
EVERY = timedelta(minutes=15)
LENGTH = timedelta(seconds=30)
SLICE = timedelta(seconds=10)
HEAD_START = timedelta(seconds=16)

_PAUSE = timedelta(seconds=10)
_TOO_SHORT = timedelta(seconds=5)

_SYNTHETIC_MARKETS = (
    "coinbase:BTC-USD",
    "coinbase:ETH-USD",
    "binance:BTCUSDT",
    "kraken:BTC/USD",
    "bitstamp:btcusd",
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MATCHES = ("match", "last_match")


@dataclass(frozen=True, slots=True)
class Asked:
    """A window of trades that the story asks the app for by HTTP, such as Data Factory does."""

    name: str
    start: datetime
    length: timedelta

    def as_request(self) -> dict[str, str]:
        """Write the body of `POST /api/windows`."""
        return {"feed": "trades", "start": self.start.isoformat(), "length": _written(self.length)}


@dataclass(frozen=True, slots=True)
class Script:
    """The markets that are followed, and the recording that they come from, if any."""

    markets: tuple[str, ...]
    recording: Path | None = None

    def exchange_arguments(self) -> Sequence[str]:
        """Write the words that tell the exchange what to play; a recording waits until its window is known."""
        return ("--rate", "20") if self.recording is None else ("--recording", str(self.recording))

    def later_windows(self, end: datetime) -> Sequence[Asked]:
        """List the windows after the first one, which ends at `end`; a recording has no more to give."""
        if self.recording:
            return ()
        small = Asked("trades, too short", end + _PAUSE, _TOO_SHORT)
        return (small, Asked("trades, long again", small.start + small.length + _PAUSE, LENGTH))

    def verdicts(self) -> Mapping[str, str]:
        """Say how the volume of each window is to be judged; what a recording holds is not known."""
        if self.recording:
            return {}
        return {"trades": "first", "trades, too short": "low", "trades, long again": "normal"}

    def app_settings(self, now: datetime) -> dict[str, str]:
        """Write the app settings: a timer that ticks often, and a grid whose next window begins soon after `now`."""
        offset = (now + HEAD_START - _EPOCH) % EVERY
        times = {"EVERY": _written(EVERY), "OFFSET": _written(offset), "LENGTH": _written(LENGTH)}
        grid = {f"{feed}_WINDOW_{name}": time for feed in ("TRADES", "PAYMENTS") for name, time in times.items()}
        cut = {f"{feed}_SLICE_LENGTH": _written(SLICE) for feed in ("TRADES", "PAYMENTS")}
        pace = {"TRADES_LEAD": "00:00:05", "TRADES_GRACE": "00:00:03", "PAYMENTS_LEAD": "00:00:05"}
        timer = {"FEEDS": ",".join(FEEDS), "WINDOW_TIMER": "*/2 * * * * *", "TRADES_SOURCES": ",".join(self.markets)}
        return grid | cut | pace | timer


def write_script(recording: Path | None) -> Script:
    """Choose the markets; raises ValueError for a file without matches."""
    return Script(_SYNTHETIC_MARKETS if recording is None else _recorded_markets(recording), recording)


def _recorded_markets(recording: Path) -> tuple[str, ...]:
    """List the products whose matches the recording holds."""
    frames = [line.split(" ", 2)[2] for line in recording.read_text(encoding="utf-8").splitlines() if " < " in line]
    products = {
        frame["product_id"] for frame in map(json.loads, frames) if frame.get("type") in ("match", "last_match")
    }
    if not products:
        raise ValueError(f"{recording} holds no Coinbase match frame: there is nothing to replay.")
    return tuple(f"coinbase:{product}" for product in sorted(products))


def _written(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
