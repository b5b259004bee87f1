"""Recorded Coinbase frames as one timeline: each match has its moment, whoever is connected then."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from emulators.exchange.instants import from_text
from emulators.exchange.market import Side, Trade


@dataclass(frozen=True, slots=True)
class Recording:
    """The matches of a recording in their order, and the `last_match` of each product that had one."""

    matches: tuple[Trade, ...]
    anchors: Mapping[str, Trade]

    @property
    def products(self) -> tuple[str, ...]:
        """List every product that the recording names, sorted."""
        return tuple(sorted({match.symbol for match in self.matches} | set(self.anchors)))


def read_recording(path: Path) -> Recording:
    """Read a file of lines `epoch-seconds direction json`; frames other than (last) matches are left out.

    Raise ValueError where a line has another form, or where no match is in it.
    """
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    frames = [frame for number, line in lines if (frame := _received(line, f"{path.name}:{number}"))]
    matches = [_trade(frame) for frame in frames if frame.type == "match"]
    if not matches:
        raise ValueError(f"{path.name} holds no match; a recording needs at least one")
    anchors = {frame.product_id: _trade(frame) for frame in frames if frame.type == "last_match"}
    return Recording(tuple(sorted(matches, key=lambda match: match.time)), anchors)


class PlayedMarket:
    """One product of a recording that plays: its matches happen at their shifted moments.

    Every row is known from the start; `settle` uncovers those that have happened.
    """

    first = 0

    def __init__(self, symbol: str, rows: Sequence[Trade], anchor: Trade | None) -> None:
        """Prepare the market from rows that already carry their shifted times."""
        self.symbol = symbol
        self.anchor = anchor
        self._rows = rows
        self._ids = np.array([row.trade_id for row in rows], dtype=np.int64)
        self._times = np.array([row.time for row in rows], dtype=np.int64)
        self._uncovered = 0

    @property
    def ids(self) -> NDArray[np.int64]:
        """Give the ids of the matches that have happened, ascending."""
        return self._ids[: self._uncovered]

    @property
    def times(self) -> NDArray[np.int64]:
        """Give the times of the matches that have happened, ascending."""
        return self._times[: self._uncovered]

    def settle(self, now: int) -> None:
        """Uncover the matches up to `now`."""
        self._uncovered = max(self._uncovered, int(np.searchsorted(self._times, now, side="right")))

    def row(self, index: int) -> Trade:
        """Give the match at `index` of those that have happened."""
        return self._rows[index]


def play(recording: Recording, *, start: int | None, speed: float) -> dict[str, PlayedMarket]:
    """Lay a recording on the clock: one market a product.

    The first match falls on `start` (microseconds), the distances are divided by `speed`. Without a start nothing
    happens, and the anchors keep their own times.
    """
    shifted = _Shift(recording.matches[0].time, start, speed)
    rows = [shifted(match) for match in recording.matches] if start is not None else []
    by_product = {
        product: list(group)
        for product, group in itertools.groupby(sorted(rows, key=lambda row: row.symbol), lambda row: row.symbol)
    }
    anchors = {product: shifted(anchor) for product, anchor in recording.anchors.items()}
    return {
        product: PlayedMarket(product, by_product.get(product, []), anchors.get(product))
        for product in recording.products
    }


@dataclass(frozen=True, slots=True)
class _Shift:
    first: int
    start: int | None
    speed: float

    def __call__(self, trade: Trade) -> Trade:
        if self.start is None:
            return trade
        return replace(trade, time=self.start + round((trade.time - self.first) / self.speed))


class _Frame(msgspec.Struct):
    type: str
    product_id: str = ""
    trade_id: int = 0
    time: str = ""
    price: str = ""
    size: str = ""
    side: Side = "buy"
    sequence: int = 0
    maker_order_id: str = ""
    taker_order_id: str = ""


def _received(line: str, place: str) -> _Frame | None:
    _, _, rest = line.partition(" ")
    direction, _, frame = rest.partition(" ")
    if direction == ">":
        return None
    try:
        return msgspec.json.decode(frame, type=_Frame)
    except msgspec.MsgspecError as error:
        raise ValueError(f"{place} is no recorded frame (epoch-seconds direction json): {error}") from error


def _trade(frame: _Frame) -> Trade:
    return Trade(
        symbol=frame.product_id,
        trade_id=frame.trade_id,
        time=from_text(frame.time),
        price=frame.price,
        size=frame.size,
        taker="sell" if frame.side == "buy" else "buy",
        sequence=frame.sequence,
        orders=(frame.maker_order_id, frame.taker_order_id),
    )
