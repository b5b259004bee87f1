"""A seeded random walk of one symbol's trades: time goes in, trades come out, whoever asks and however often."""

import zlib
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from emulators.exchange.instants import SECOND
from emulators.exchange.instruments import Instrument

Side = Literal["buy", "sell"]

KEEP_SECONDS = 7_200
_FIRST_ID = 1_000_000
_SEQUENCES_PER_TRADE = 10
_CHUNK = 4_096
_STEP = 2e-5
_ROW = np.dtype([("id", "<i8"), ("time", "<i8"), ("price", "<i8"), ("size", "<i8"), ("buy", "?")])


@dataclass(frozen=True, slots=True)
class Trade:
    """One trade: `time` in microseconds, price and size with the venue's digits, the side of the taker.

    `orders` are the maker's and the taker's order ids where a recording gave them.
    """

    symbol: str
    trade_id: int
    time: int
    price: str
    size: str
    taker: Side
    sequence: int
    orders: tuple[str, str] | None = None


class Market:
    """The trades of one instrument, from `origin` on; the last two hours are kept.

    The draws are a unit-rate Poisson process, seeded per chunk; the integral of the rate maps it to the clock. So the
    trades depend on the seed and the rates alone, not on when or how often `settle` is called.
    """

    anchor: Trade | None = None

    def __init__(self, instrument: Instrument, *, seed: int, rate: float, origin: int) -> None:
        """Prepare a market that trades `rate` times a second in the mean since `origin` (microseconds)."""
        self.instrument = instrument
        self._price_digits, self._size_digits = instrument.price_digits, instrument.size_digits
        self._seeds = (seed, zlib.crc32(f"{instrument.venue}:{instrument.symbol}".encode()))
        self._rate, self._since, self._done = rate, origin, 0.0
        self._chunks, self._walk, self._last_id, self._last_due = 0, 0.0, _FIRST_ID, 0.0
        self._pending = _Draws.none()
        self._rows = _Rows()
        self._last_time = origin

    @property
    def first(self) -> int:
        """Count the trades already forgotten: the position of the oldest one kept."""
        return self._rows.forgotten

    @property
    def ids(self) -> NDArray[np.int64]:
        """Give the ids of the kept trades, ascending."""
        return self._rows.kept["id"]

    @property
    def times(self) -> NDArray[np.int64]:
        """Give the times of the kept trades, strictly ascending."""
        return self._rows.kept["time"]

    def advance(self, now: int) -> list[Trade]:
        """Let the market run until `now` and give the trades that this made happen."""
        seen = self.first + len(self.ids)
        self.settle(now)
        return [self.row(index) for index in range(max(0, seen - self.first), len(self.ids))]

    def settle(self, now: int) -> None:
        """Let the market run until `now`; an earlier moment than before changes nothing."""
        target = self._done_by(now)
        while True:
            happened = int(np.searchsorted(self._pending.due, target, side="right"))
            self._happen(self._pending.head(happened))
            self._pending = self._pending.tail(happened)
            if len(self._pending.due):
                break
            self._pending = self._draw()
        self._rows.forget_before(now - KEEP_SECONDS * SECOND)

    def change_rate(self, rate: float, at: int) -> None:
        """Trade `rate` times a second in the mean from the moment `at` on."""
        self.settle(at)
        self._done, self._since, self._rate = self._done_by(at), at, rate

    def row(self, index: int) -> Trade:
        """Give the kept trade at `index` (0 is the oldest kept)."""
        trade_id, time, price, size, buy = self._rows.kept[index].item()
        return Trade(
            symbol=self.instrument.symbol,
            trade_id=trade_id,
            time=time,
            price=_decimal(price, self._price_digits, self.instrument.padding),
            size=_decimal(size, self._size_digits, self.instrument.padding),
            taker="buy" if buy else "sell",
            sequence=trade_id * _SEQUENCES_PER_TRADE,
        )

    def _done_by(self, now: int) -> float:
        return self._done + self._rate * max(0, now - self._since) / SECOND

    def _happen(self, draws: "_Draws") -> None:
        if not len(draws.due):
            return
        offsets = np.arange(len(draws.due))
        times = self._since + np.floor((draws.due - self._done) / self._rate * SECOND).astype(np.int64)
        draws.rows["time"] = np.maximum.accumulate(np.maximum(times - offsets, self._last_time + 1)) + offsets
        self._last_time = int(draws.rows["time"][-1])
        self._rows.append(draws.rows)

    def _draw(self) -> "_Draws":
        random = np.random.default_rng((*self._seeds, self._chunks))
        due = self._last_due + np.cumsum(random.standard_exponential(_CHUNK))
        steps = random.standard_normal(_CHUNK) * _STEP
        walk = self._walk + np.cumsum(steps)
        rows = np.zeros(_CHUNK, _ROW)
        rows["id"] = self._last_id + np.cumsum(random.integers(1, self.instrument.id_step + 1, _CHUNK))
        rows["price"] = np.maximum(1, np.rint(_ticks(self.instrument) * np.exp(walk)))
        rows["size"] = np.maximum(1, random.lognormal(-3.0, 1.5, _CHUNK) * 10**self.instrument.size_digits)
        rows["buy"] = steps >= 0
        self._chunks += 1
        self._last_due, self._walk, self._last_id = float(due[-1]), float(walk[-1]), int(rows["id"][-1])
        return _Draws(due, rows)


@dataclass(frozen=True, slots=True)
class _Draws:
    due: NDArray[np.float64]
    rows: NDArray[Any]

    @classmethod
    def none(cls) -> "_Draws":
        return cls(np.empty(0), np.empty(0, _ROW))

    def head(self, count: int) -> "_Draws":
        return _Draws(self.due[:count], self.rows[:count])

    def tail(self, count: int) -> "_Draws":
        return _Draws(self.due[count:], self.rows[count:])


class _Rows:
    """A column store that grows at its end and is forgotten from its start."""

    def __init__(self) -> None:
        self._room: NDArray[Any] = np.empty(_CHUNK, _ROW)
        self._start, self._end = 0, 0
        self.forgotten = 0

    @property
    def kept(self) -> NDArray[Any]:
        return self._room[self._start : self._end]

    def append(self, rows: NDArray[Any]) -> None:
        if self._end + len(rows) > len(self._room):
            self._make_room(len(rows))
        self._room[self._end : self._end + len(rows)] = rows
        self._end += len(rows)

    def forget_before(self, time: int) -> None:
        old = int(np.searchsorted(self.kept["time"], time))
        self._start += old
        self.forgotten += old

    def _make_room(self, more: int) -> None:
        kept = self.kept
        room = np.empty(2 * (len(kept) + more), _ROW)
        room[: len(kept)] = kept
        self._room, self._start, self._end = room, 0, len(kept)


def _ticks(instrument: Instrument) -> int:
    return int(instrument.opening.replace(".", ""))


def _decimal(units: int, digits: int, padding: int) -> str:
    if not digits:
        return str(units)
    text = f"{units:0{digits + 1}d}"
    return f"{text[:-digits]}.{text[-digits:]}".ljust(len(text) + 1 + max(0, padding - digits), "0")
