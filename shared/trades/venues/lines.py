"""Trades as lines of contract `trades/1`."""

from collections.abc import Mapping, Sequence

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from shared.feeds.records import Records
from shared.trades.venues.trade import Trade


class _Openings(dict[tuple[str, str], str]):
    """The first fields of a line, once per market; `(venue, symbol)` to text."""

    def __init__(self, tickers: Mapping[str, tuple[str, str]]) -> None:
        super().__init__()
        self._tickers = tickers

    def __missing__(self, market: tuple[str, str]) -> str:
        base, quote = self._tickers[":".join(market)]
        named = {"venue": market[0], "symbol": market[1], "base": base, "quote": quote}
        self[market] = msgspec.json.encode(named).decode()[:-1] + ',"trade_id":'
        return self[market]


def as_records(trades: Sequence[Trade], tickers: Mapping[str, tuple[str, str]]) -> Records:
    """Write trades as records of `trades/1`, in their order, keyed by symbol; `tickers` are base and quote by market.

    Everything but the markets' names is digits or a word of the contract and needs no escaping, so lines are joined.
    """
    lines = pc.binary_join_element_wise(
        pa.array(_until_times(trades, _Openings(tickers)), pa.string()),
        _instants([t.timestamp for t in trades]),
        'Z","received_at":"',
        _instants([t.received_at for t in trades]),
        'Z","origin":"',
        pa.array([t.origin for t in trades], pa.string()),
        '"}\n',
        "",
    )
    return Records(lines.cast(pa.binary()), pa.array([t.symbol for t in trades], pa.string()).dictionary_encode())


def _until_times(trades: Sequence[Trade], openings: _Openings) -> list[str]:
    return [
        f'{openings[t.venue, t.symbol]}{t.trade_id},"price":{t.price},"volume":{t.volume}'
        f',"direction":"{t.direction}","direction_basis":"{t.direction_basis}","timestamp":"'
        for t in trades
    ]


def _instants(microseconds: list[int]) -> pa.Array:
    spaced = pa.array(microseconds, pa.timestamp("us")).cast(pa.string())
    return pc.binary_replace_slice(spaced, 10, 11, "T")
