"""The admin port: faults on demand, the rate, the recording's start, and what truly happened."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from aiohttp import web

from emulators.admin import FaultRoutes, admin_application, body_of
from emulators.exchange.exchange_state import ExchangeState
from emulators.exchange.faults import Fault
from emulators.exchange.history import History
from emulators.exchange.instants import from_text, to_text
from emulators.exchange.market import Trade
from emulators.serving import json_answer

_LONG_AGO, _FAR_AHEAD = "1970-01-02T00:00:00Z", "2200-01-01T00:00:00Z"


class _Rate(msgspec.Struct, forbid_unknown_fields=True):
    trades_per_second: Annotated[float, msgspec.Meta(ge=0)]


class _Start(msgspec.Struct, forbid_unknown_fields=True):
    start: str
    speed: Annotated[float, msgspec.Meta(gt=0)] | None = None


class Admin:
    """The handlers of one exchange beside those of its faults."""

    def __init__(self, state: ExchangeState) -> None:
        """Administer `state`."""
        self._state = state

    def health(self) -> Mapping[str, Any]:
        """Give the time, and the venues with their symbols and open connections."""
        venues = {
            name: {"symbols": feed.symbols, "connections": len(self._state.connections[name])}
            for name, feed in self._state.feeds.items()
        }
        return {"time": to_text(self._state.clock()), "venues": venues}

    async def change_rate(self, request: web.Request) -> web.Response:
        """`POST /rate {"trades_per_second": n}`: for every synthetic market."""
        rate = await body_of(request, _Rate)
        self._state.change_rate(rate.trades_per_second)
        return json_answer({"trades_per_second": rate.trades_per_second})

    async def start_recording(self, request: web.Request) -> web.Response:
        """`POST /recording {"start": "...Z", "speed": n}`: lay the recording on the clock anew."""
        wanted = await body_of(request, _Start)
        self._state.start_recording(from_text(wanted.start), wanted.speed)
        return json_answer({"start": to_text(from_text(wanted.start))})

    async def true_trades(self, request: web.Request) -> web.Response:
        """`GET /trades?venue=&symbol=&from=&to=`: what truly happened, by the venue's stamps in `[from, to)`."""
        feed = self._state.feeds.get(request.query.get("venue", ""))
        if feed is None:
            raise ValueError(f"venue must be one of {', '.join(self._state.feeds)}")
        history = feed.history(request.query.get("symbol", ""), self._state.clock())
        if history is None:
            raise ValueError(f"symbol must be one of {', '.join(feed.symbols)}")
        start = from_text(request.query.get("from", _LONG_AGO))
        end = from_text(request.query.get("to", _FAR_AHEAD))
        trades = history.happened(start, end)
        return json_answer({"trades": [_truth(trade, history) for trade in trades]})


def exchange_admin(state: ExchangeState) -> web.Application:
    """Route the admin port."""
    admin = Admin(state)
    faults = FaultRoutes(Fault, state.add_fault, lambda: {"faults": state.faults.active()}, state.clear_faults)
    routes = [
        web.post("/rate", admin.change_rate),
        web.post("/recording", admin.start_recording),
        web.get("/trades", admin.true_trades),
    ]
    return admin_application(admin.health, faults.routes(), routes)


def _truth(trade: Trade, history: History) -> dict[str, Any]:
    return {
        "trade_id": trade.trade_id,
        "time": to_text(trade.time),
        "price": trade.price,
        "size": trade.size,
        "taker_side": trade.taker,
        "lost": history.is_lost(trade.trade_id),
    }
