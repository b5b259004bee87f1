"""What every venue's adapter offers, so that connections and gap rules need to know none of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from shared.trades.venues.readings import Reading
from shared.trades.venues.trade import Trade


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """A GET below the venue's REST base URL: path (with leading slash) and query."""

    path: str
    query: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """One page of past trades, oldest first, and the request for the next older page (None: there is none)."""

    trades: tuple[Trade, ...]
    older: HistoryRequest | None


class Venue(Protocol):
    """Sans-I/O adapter of one venue; `received_at` is always microseconds since the Unix epoch."""

    @property
    def name(self) -> str:
        """The venue's word in settings and records: `coinbase`, `binance`, `kraken`, `bitstamp`."""

    @property
    def contiguous(self) -> bool:
        """Whether a market's trade ids follow each other without holes, so that a hole is a gap."""

    @property
    def silence(self) -> timedelta:
        """How long a living connection may say nothing."""

    @property
    def connection_limit(self) -> timedelta | None:
        """How long the venue keeps a connection, None where it sets no limit."""

    def tickers(self, symbol: str) -> tuple[str, str]:
        """Split a symbol in base and quote, in capitals; raises ValueError where it can't be read in one way."""

    def subscribe(self, symbols: Sequence[str]) -> list[str]:
        """Give the text frames that subscribe to the symbols' trades (and heartbeats), in order."""

    def keep_alive(self) -> str | None:
        """Give the text frame that a client must send each half `silence`, or None."""

    def read(self, frame: bytes | str, received_at: int) -> Reading:
        """Say what one frame means; never raises: what can't be read is `Unreadable`."""

    def newest(self, symbol: str) -> HistoryRequest:
        """Give the request for the newest page of a market's history."""

    def older_than(self, symbol: str, trade_id: int, timestamp: int) -> HistoryRequest:
        """Give the request for the page of trades just older than that trade (id, or its time in microseconds)."""

    def read_history(self, request: HistoryRequest, body: bytes, symbol: str, received_at: int) -> HistoryPage:
        """Read the answer to a history request; raises ValueError with the reason where it is another format."""
