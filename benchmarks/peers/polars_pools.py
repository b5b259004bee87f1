"""Polars on the very same pools and choices: gathers columns of each entity, puts them in order, writes JSON.

It is given our numpy identifiers and times as text without a copy (its own ways to write them cost 330 and 170 ns a
row), and our choices, so that both sides differ in gathering and writing only. `struct.json_encode` and `write_ndjson`
are both offered.
"""

import json

import numpy as np
import polars as pl
import pyarrow as pa

from shared.feeds.drawing import timestamps
from shared.feeds.drawing.identifiers import identifiers, seed_of
from shared.feeds.payments.choices import Choices, choose
from shared.feeds.payments.fragments import Kind
from shared.feeds.payments.pool import PaymentColumns

# what makes a run of a line a JSON object (before, after), and how many columns it then begins but does not fill
_FRAMES = {
    Kind.ACCOUNT: ('{"accountID":"', '"}', 0),
    Kind.DOLLARS: ('{"":"', "0}", 1),
    Kind.UNITS: ('{"transactionAmount":', "}", 0),
    Kind.HOUR: ('{"":0', '"}', 1),
    Kind.ADDRESS: ('{"transactionIPaddress":"', '"}', 1),
    Kind.WALLET: ('{"browserLanguage":"', '"}', 1),
    Kind.BILLING: ('{"paymentBillingPostalCode":"', '"}', 1),
    Kind.CART: ('{"cvvVerifyResult":"', '"}', 1),
    Kind.HOME: ('{"accountPostalCode":"', "0}", 1),
    Kind.TENURE: ('{"accountAge":', "", 1),
}


class PolarsPayments:
    """The peer; `columns` is the order of the 28 columns."""

    def __init__(self, pool: PaymentColumns, columns: list[str]) -> None:
        self._pool = pool
        self._columns = columns
        self._zones = timestamps.offsets_at(0, pool.zones.to_pylist())
        self._frames = {kind: _frame(pool, kind) for kind in _FRAMES}

    def encode(self, block: int) -> pl.Series:
        """Give one block as a series of JSON texts."""
        return self._gathered(block).select(pl.struct(pl.all()).struct.json_encode()).to_series()

    def ndjson(self, block: int) -> str:
        """Give one block as newline-delimited JSON."""
        return self._gathered(block).write_ndjson()

    def _gathered(self, block: int) -> pl.DataFrame:
        chosen = choose(self._pool, seed_of("payments", "window", 0, block))
        times = timestamps.grid(0, 1000.0, block * 4096, 4096)
        parts = [frame[self._numbers(kind, chosen, times)] for kind, frame in self._frames.items()]
        positions = np.arange(block * 4096, block * 4096 + 4096, dtype=np.uint64)
        ids = _text(identifiers(seed_of("payments", "window", 0), positions)).alias("transactionID")
        when = _text(_closed(timestamps.as_text(times))).alias("transactionDateTime")
        return pl.concat([*parts, pl.DataFrame([ids, when])], how="horizontal").select(self._columns)

    def _numbers(self, kind: Kind, chosen: Choices, times: np.ndarray) -> np.ndarray:
        numbers = chosen.fragments[:, kind] - self._pool.bases[kind]
        if kind == Kind.HOUR:
            hours = timestamps.local_hours(times, self._zones.take(chosen.country))
            return numbers + (hours + 1) * chosen.hour_known
        return numbers // 2 if kind in (Kind.BILLING, Kind.HOME) else numbers


def _frame(pool: PaymentColumns, kind: Kind) -> pl.DataFrame:
    before, after, unfilled = _FRAMES[kind]
    texts = pool.fragments[int(pool.bases[kind]) : _end(pool, kind) : 2 if kind in (Kind.BILLING, Kind.HOME) else 1]
    rows = [json.loads(before + text.decode() + after) for text in texts.to_pylist()]
    columns = [name for name in rows[0] if name]
    return pl.DataFrame(rows).select(columns[: len(columns) - unfilled])


def _end(pool: PaymentColumns, kind: Kind) -> int:
    starts = sorted({*pool.bases.tolist(), len(pool.fragments)})
    wanted = pool.bases[Kind.CART] if kind in (Kind.BILLING, Kind.HOME) else None
    return int(wanted if wanted is not None else starts[starts.index(int(pool.bases[kind])) + 1])


def _closed(times: np.ndarray) -> np.ndarray:
    text = np.full((len(times), times.shape[1] + 1), ord("Z"), np.uint8)
    text[:, :-1] = times
    return text


def _text(rows: np.ndarray) -> pl.Series:
    count, width = rows.shape
    offsets = np.arange(0, count * width + 1, width, dtype=np.int32)
    return pl.from_arrow(pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(rows)))
