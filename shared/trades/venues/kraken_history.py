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

from shared.trades.venues.decoding import READ_ERRORS, TradeId, nanoseconds, number_literal
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


class _Answer(msgspec.Struct):
    error: list[str]
    result: dict[str, msgspec.Raw] = {}


_ANSWER = msgspec.json.Decoder(_Answer).decode
_ROWS = msgspec.json.Decoder(list[_Row]).decode


def newest(tickers: tuple[str, str]) -> HistoryRequest:
    """Ask for the newest 1,000 trades of a market."""
    return HistoryRequest(_PATH, {"pair": "".join(tickers), "count": str(_PAGE)})


def older_than(tickers: tuple[str, str], trade_id: int, timestamp: int) -> HistoryRequest:
    """Ask for the minute before a trade (id, and time in microseconds)."""
    return _span("".join(tickers), trade_id, (timestamp + 1) * 1000, _FIRST_SPAN)


def read(request: HistoryRequest, body: bytes, symbol: str, received_at: int) -> HistoryPage:
    """Read a page; raises ValueError with the venue's error, or where it is not the venue's format."""
    rows = _rows(body)
    pair = request.query["pair"]
    if isinstance(request, Span):
        return _joined(request, rows, pair, symbol, received_at)
    return _page(pair, rows, symbol, received_at, _FIRST_SPAN)


def _rows(body: bytes) -> list[_Row]:
    try:
        answer = _ANSWER(body)
        if answer.error:
            raise ValueError(f"kraken answered {', '.join(answer.error)}")
        return [row for name, raw in answer.result.items() if name != "last" for row in _ROWS(raw)]
    except READ_ERRORS as error:
        raise ValueError(f"not a page of trades: {error}") from error


def _joined(request: Span, rows: list[_Row], pair: str, symbol: str, received_at: int) -> HistoryPage:
    older = [row for row in rows if row.trade_id < request.before]
    if len(rows) >= _PAGE and rows[-1].trade_id < request.before - 1:
        narrower = (request.short + request.reach) // 2
        if narrower > request.short:
            return HistoryPage((), _retried(request, pair, narrower, long=request.reach))
    elif not older:
        return HistoryPage((), _wider(request, pair))
    return _page(pair, older, symbol, received_at, request.reach * (2 if len(older) < _SPARSE else 1))


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


def _page(pair: str, rows: list[_Row], symbol: str, received_at: int, reach: int) -> HistoryPage:
    if not rows:
        return HistoryPage((), None)
    trades = tuple(_trade(row, symbol, received_at) for row in rows)
    return HistoryPage(trades, _span(pair, rows[0].trade_id, nanoseconds(rows[0].time) + 1, reach))


def _trade(row: _Row, symbol: str, received_at: int) -> Trade:
    return Trade(
        "kraken",
        symbol,
        row.trade_id,
        number_literal(row.price),
        number_literal(row.volume),
        "buy" if row.side == "b" else "sell",
        "taker",
        nanoseconds(row.time) // 1000,
        received_at,
        "rest",
    )
