"""The admin interface, plain HTTP: faults on demand, the rate, the recording's start, and what truly happened."""

from typing import Annotated, Any

import msgspec
from aiohttp import web

from emulators.exchange.faults import FaultOrder
from emulators.exchange.floor import Floor
from emulators.exchange.history import History
from emulators.exchange.instants import from_text, to_text
from emulators.exchange.market import Trade
from emulators.web import explained, json_answer

_LONG_AGO, _FAR_AHEAD = "1970-01-02T00:00:00Z", "2200-01-01T00:00:00Z"


class _Rate(msgspec.Struct, forbid_unknown_fields=True):
    trades_per_second: Annotated[float, msgspec.Meta(ge=0)]


class _Start(msgspec.Struct, forbid_unknown_fields=True):
    start: str
    speed: Annotated[float, msgspec.Meta(gt=0)] | None = None


class Admin:
    """The handlers of the admin interface; a refused request gets 400 with `{"error": ...}`."""

    def __init__(self, floor: Floor) -> None:
        """Administer `floor`."""
        self._floor = floor

    async def health(self, request: web.Request) -> web.Response:
        """`GET /health`: the venues with their symbols and open connections."""
        del request
        venues = {
            name: {"symbols": feed.symbols, "connections": len(self._floor.connections[name])}
            for name, feed in self._floor.feeds.items()
        }
        return json_answer({"status": "ok", "time": to_text(self._floor.clock()), "venues": venues})

    async def order_fault(self, request: web.Request) -> web.Response:
        """`POST /faults`: a FaultOrder."""
        self._floor.order(msgspec.json.decode(await request.read(), type=FaultOrder))
        return await self.list_faults(request)

    async def list_faults(self, request: web.Request) -> web.Response:
        """`GET /faults`: what stands."""
        del request
        return json_answer({"faults": self._floor.faults.active(self._floor.clock())})

    async def clear_faults(self, request: web.Request) -> web.Response:
        """`DELETE /faults`: end them all."""
        self._floor.clear_faults()
        return await self.list_faults(request)

    async def change_rate(self, request: web.Request) -> web.Response:
        """`POST /rate {"trades_per_second": n}`: for every synthetic market."""
        rate = msgspec.json.decode(await request.read(), type=_Rate)
        self._floor.change_rate(rate.trades_per_second)
        return json_answer({"trades_per_second": rate.trades_per_second})

    async def start_recording(self, request: web.Request) -> web.Response:
        """`POST /recording {"start": "...Z", "speed": n}`: lay the recording on the clock anew."""
        order = msgspec.json.decode(await request.read(), type=_Start)
        self._floor.start_recording(from_text(order.start), order.speed)
        return json_answer({"start": to_text(from_text(order.start))})

    async def true_trades(self, request: web.Request) -> web.Response:
        """`GET /trades?venue=&symbol=&from=&to=`: what truly happened, by the venue's stamps in `[from, to)`."""
        feed = self._floor.feeds.get(request.query.get("venue", ""))
        if feed is None:
            raise ValueError(f"venue must be one of {', '.join(self._floor.feeds)}")
        history = feed.history(request.query.get("symbol", ""), self._floor.clock())
        if history is None:
            raise ValueError(f"symbol must be one of {', '.join(feed.symbols)}")
        start = from_text(request.query.get("from", _LONG_AGO))
        end = from_text(request.query.get("to", _FAR_AHEAD))
        trades = history.happened(start, end)
        return json_answer({"trades": [_truth(trade, history) for trade in trades]})


def admin_application(floor: Floor) -> web.Application:
    """Route the admin interface."""
    admin = Admin(floor)
    application = web.Application(middlewares=[explained])
    application.router.add_get("/health", admin.health)
    application.router.add_post("/faults", admin.order_fault)
    application.router.add_get("/faults", admin.list_faults)
    application.router.add_delete("/faults", admin.clear_faults)
    application.router.add_post("/rate", admin.change_rate)
    application.router.add_post("/recording", admin.start_recording)
    application.router.add_get("/trades", admin.true_trades)
    return application


def _truth(trade: Trade, history: History) -> dict[str, Any]:
    return {
        "trade_id": trade.trade_id,
        "time": to_text(trade.time),
        "price": trade.price,
        "size": trade.size,
        "taker_side": trade.taker,
        "lost": history.is_lost(trade.trade_id),
    }
