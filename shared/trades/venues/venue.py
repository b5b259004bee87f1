"""What every venue's adapter offers, so that connections and gap rules need to know none of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from shared.trades.venues.readings import Reading, Rejected
from shared.trades.venues.trade import Trade
from shared.trades.venues.words import VenueWords


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """A GET below the venue's REST base URL: path (with leading slash) and query."""

    path: str
    query: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """One page of past trades, oldest first, and the request for the next older page (None: there is none).

    rejected: its rows that can't be taken.
    """

    trades: tuple[Trade, ...]
    older: HistoryRequest | None
    rejected: tuple[Rejected, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestLimit:
    """How a venue may be asked: `burst` requests at once, then one after each `every` seconds."""

    burst: int
    every: float


type Symbols = Mapping[str, tuple[str, str]]
"""Base and quote of each market of a venue by its symbol, all in the venue's spelling."""


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

    @property
    def request_limit(self) -> RequestLimit:
        """How often its REST interface may be asked without being refused; its source stands with the number."""

    @property
    def words(self) -> Sequence[VenueWords]:
        """What its messages and statuses mean."""

    def symbols_request(self) -> HistoryRequest:
        """Give the request for the list of its markets."""

    def read_symbols(self, body: bytes) -> Symbols:
        """Read that list; raises ValueError with the reason where it is another format."""

    def complaint(self, body: bytes) -> str:
        """Give the error that an answer with status 200 holds, empty where it holds none."""

    def tickers(self, symbol: str) -> tuple[str, str]:
        """Guess base and quote, in capitals, where the venue's list is not at hand.

        Raises ValueError where the symbol can't be read in one way.
        """

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
