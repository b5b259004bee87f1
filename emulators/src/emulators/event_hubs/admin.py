"""The admin HTTP port: faults, throttle and latency on demand, and what the hubs hold."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from emulators.event_hubs.broker import Broker
from emulators.event_hubs.faults import FaultError
from emulators.event_hubs.segments import EVENT_OVERHEAD
from emulators.event_hubs.store import Partition


class _ThrottleOrder(msgspec.Struct, forbid_unknown_fields=True):
    units: float | None


class _LatencyOrder(msgspec.Struct, forbid_unknown_fields=True):
    seconds: float


def admin_application(broker: Broker) -> web.Application:
    """Build the HTTP application that steers `broker`."""
    app = web.Application(middlewares=[_answer_errors])
    handlers = _Handlers(broker)
    app.add_routes(
        [
            web.get("/health", handlers.health),
            web.get("/hubs", handlers.hubs),
            web.get("/faults", handlers.faults),
            web.post("/faults", handlers.order_fault),
            web.delete("/faults", handlers.clear_faults),
            web.post("/throttle", handlers.throttle),
            web.post("/latency", handlers.latency),
        ]
    )
    return app


class _Handlers:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "epoch": self._broker.store.epoch.number})

    async def hubs(self, _: web.Request) -> web.Response:
        store = self._broker.store
        partitions = {name: [_describe(one) for one in found] for name, found in store.hubs.items()}
        facts = {"epoch": store.epoch.number, "started": store.started.isoformat(), "dropped": store.dropped_events}
        return web.json_response(facts | {"hubs": partitions})

    async def faults(self, _: web.Request) -> web.Response:
        throttle = self._broker.throttle
        limits = {"units": throttle.units, "throttled": throttle.refused, "latency": self._broker.latency}
        return web.json_response({"faults": self._broker.faults.report()} | limits)

    async def order_fault(self, request: web.Request) -> web.Response:
        self._broker.faults.order(await request.json(), self._broker.store.hubs)
        return await self.faults(request)

    async def clear_faults(self, request: web.Request) -> web.Response:
        self._broker.faults.clear()
        return await self.faults(request)

    async def throttle(self, request: web.Request) -> web.Response:
        self._broker.throttle.limit(msgspec.convert(await request.json(), _ThrottleOrder).units)
        return await self.faults(request)

    async def latency(self, request: web.Request) -> web.Response:
        seconds = msgspec.convert(await request.json(), _LatencyOrder).seconds
        if seconds < 0:
            raise FaultError(f"`seconds` is {seconds}; it must be 0 or more.")
        self._broker.latency = seconds
        return await self.faults(request)


@web.middleware
async def _answer_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer an order that cannot be carried out with 400 and the reason."""
    try:
        return await handler(request)
    except ValueError as error:
        return web.json_response({"error": {"code": "BadOrder", "message": str(error)}}, status=400)


def _describe(partition: Partition) -> dict[str, Any]:
    events = partition.next_sequence - partition.begin_sequence
    return {
        "partition": partition.id,
        "begin_sequence_number": partition.begin_sequence,
        "last_sequence_number": partition.next_sequence - 1,
        "last_offset": partition.last_offset,
        "events": events,
        "bytes": partition.size - events * EVENT_OVERHEAD,
        "epoch": partition.epoch.number,
    }
