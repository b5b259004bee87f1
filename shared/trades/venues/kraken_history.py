"""Kraken's past trades: REST walks forward in time only, so walking back is a search for the right `since`.

`Trades` gives the first 1,000 trades after `since` (nanoseconds, exclusive), oldest first; without it,
the newest 1,000.
To page back from a trade, the reader asks from some span before it. A full page that does not reach the trade began
too early; an empty one began too late; the span is halved or widened until the page joins on.
Facts: docs.kraken.com/api/docs/rest-api/get-recent-trades.
"""

from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from shared.trades.venues.decoding import READ_ERRORS, RowReader, TradeId, nanoseconds, number_literal
from shared.trades.venues.readings import Rejected
from shared.trades.venues.trade import Trade
from shared.trades.venues.venue import HistoryPage, HistoryRequest

_PATH = "/0/public/Trades"
_PAGE = 1000
_FIRST_SPAN: Final = 60 * 10**9
_WIDER = 4
_SPARSE = 250


@dataclass(frozen=True, slots=True)
class Span(HistoryRequest):
    """A request that knows which trade its page must join on to; all times are nanoseconds since the Unix epoch.

    before, at: id and time of the known trade. reach: how far before it the page begins. short: a reach that was seen
    to hold no older trade. long: a reach that was seen to hold more than one page, or None.
    """

    before: int
    at: int
    reach: int
    short: int
    long: int | None


class _Row(msgspec.Struct, array_like=True, gc=False):
    price: str
    volume: str
    time: msgspec.Raw
    side: Literal["b", "s"]
    kind: str
    misc: str
    trade_id: TradeId


class _Identity(msgspec.Struct, array_like=True, gc=False):
    price: msgspec.Raw
    volume: msgspec.Raw
    time: msgspec.Raw
    side: msgspec.Raw
    kind: msgspec.Raw
    misc: msgspec.Raw
    trade_id: TradeId


class _Answer(msgspec.Struct):
    error: list[str]
    result: dict[str, msgspec.Raw] = {}


class _Errors(msgspec.Struct):
    error: list[str] = []


@dataclass(frozen=True, slots=True)
class _Rows:
    """A page as it came: id and time (nanoseconds) of each row that has them, oldest first, and what they hold."""

    known: list[tuple[int, int]]
    trades: list[Trade]
    rejected: tuple[Rejected, ...]
    count: int


_ANSWER = msgspec.json.Decoder(_Answer).decode
_ERRORS = msgspec.json.Decoder(_Errors).decode
_IDENTITY = msgspec.json.Decoder(_Identity).decode


def _identify(row: msgspec.Raw) -> tuple[int, int, str]:
    known = _IDENTITY(row)
    return known.trade_id, nanoseconds(known.time) // 1000, ""


_ROWS = RowReader(msgspec.json.Decoder(list[_Row]).decode, msgspec.json.Decoder(_Row).decode, _identify)


def complaint(body: bytes) -> str:
    """Give the errors that an answer holds, empty where it holds none or is none of the venue's."""
    try:
        return ", ".join(_ERRORS(body).error)
    except READ_ERRORS:
        return ""


def newest(tickers: tuple[str, str]) -> HistoryRequest:
    """Ask for the newest 1,000 trades of a market."""
    return HistoryRequest(_PATH, {"pair": "".join(tickers), "count": str(_PAGE)})


def older_than(tickers: tuple[str, str], trade_id: int, timestamp: int) -> HistoryRequest:
    """Ask for the minute before a trade (id, and time in microseconds)."""
    return _span("".join(tickers), trade_id, (timestamp + 1) * 1000, _FIRST_SPAN)


def read(request: HistoryRequest, body: bytes, symbol: str, received_at: int) -> HistoryPage:
    """Read a page; raises ValueError with the venue's error, or where it is not the venue's format."""
    rows = _rows(body, symbol, received_at)
    pair = request.query["pair"]
    if isinstance(request, Span):
        return _joined(request, rows, pair)
    return _page(pair, rows, _FIRST_SPAN)


def _rows(body: bytes, symbol: str, received_at: int) -> _Rows:
    known: list[tuple[int, int]] = []

    def make(row: _Row) -> Trade:
        time = nanoseconds(row.time)
        trade = _trade(row, time, symbol, received_at)
        known.append((row.trade_id, time))
        return trade

    content = _content(body)
    if content is None:
        return _Rows([], [], (), 0)
    try:
        trades, rejected = _ROWS.read(content, make)
    except READ_ERRORS as error:
        raise ValueError(f"not a page of trades: {error}") from error
    known += [(one.trade_id, (one.timestamp or 0) * 1000) for one in rejected if one.trade_id is not None]
    return _Rows(sorted(set(known)), trades, rejected, len(trades) + len(rejected))


def _content(body: bytes) -> msgspec.Raw | None:
    try:
        answer = _ANSWER(body)
    except READ_ERRORS as error:
        raise ValueError(f"not a page of trades: {error}") from error
    if answer.error:
        raise ValueError(f"kraken answered {', '.join(answer.error)}")
    return next((raw for name, raw in answer.result.items() if name != "last"), None)


def _joined(request: Span, rows: _Rows, pair: str) -> HistoryPage:
    older = _older_than(request.before, rows)
    if rows.count >= _PAGE and rows.known[-1][0] < request.before - 1:
        narrower = (request.short + request.reach) // 2
        if narrower > request.short:
            return HistoryPage((), _retried(request, pair, narrower, long=request.reach))
    elif not older.known:
        return HistoryPage((), _wider(request, pair))
    return _page(pair, older, request.reach * (2 if len(older.known) < _SPARSE else 1))


def _older_than(before: int, rows: _Rows) -> _Rows:
    return _Rows(
        [one for one in rows.known if one[0] < before],
        [trade for trade in rows.trades if trade.trade_id < before],
        tuple(one for one in rows.rejected if one.trade_id is None or one.trade_id < before),
        rows.count,
    )


def _wider(request: Span, pair: str) -> HistoryRequest | None:
    if request.reach >= request.at:
        return None
    middle = request.reach * _WIDER if request.long is None else (request.reach + request.long) // 2
    if request.long is not None and middle <= request.reach:
        middle = request.long
    return _retried(request, pair, middle, short=request.reach)


def _retried(
    request: Span, pair: str, reach: int, *, short: int | None = None, long: int | None = None
) -> HistoryRequest:
    low = request.short if short is None else short
    high = request.long if long is None else long
    return _span(pair, request.before, request.at, reach, short=low, long=high)


def _span(pair: str, before: int, at: int, reach: int, *, short: int = 0, long: int | None = None) -> Span:
    reach = min(reach, at)
    query = {"pair": pair, "since": str(at - reach), "count": str(_PAGE)}
    return Span(_PATH, query, before=before, at=at, reach=reach, short=short, long=long)


def _page(pair: str, rows: _Rows, reach: int) -> HistoryPage:
    if not rows.known:
        return HistoryPage((), None, rows.rejected)
    trade_id, time = rows.known[0]
    return HistoryPage(tuple(rows.trades), _span(pair, trade_id, time + 1, reach), rows.rejected)


def _trade(row: _Row, time: int, symbol: str, received_at: int) -> Trade:
    return Trade(
        "kraken",
        symbol,
        row.trade_id,
        number_literal(row.price),
        number_literal(row.volume),
        "buy" if row.side == "b" else "sell",
        "taker",
        time // 1000,
        received_at,
        "rest",
    )
