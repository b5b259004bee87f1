"""The admin port: faults, throttle and latency on demand, and what the hubs hold."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from aiohttp import web

from emulators.admin import FaultRoutes, admin_application, body_of
from emulators.event_hubs.broker import Broker
from emulators.event_hubs.faults import Fault
from emulators.event_hubs.segments import EVENT_OVERHEAD
from emulators.event_hubs.store import Partition
from emulators.serving import json_answer


class _Throttle(msgspec.Struct, forbid_unknown_fields=True):
    units: float | None


class _Latency(msgspec.Struct, forbid_unknown_fields=True):
    seconds: Annotated[float, msgspec.Meta(ge=0)]


def hubs_admin(broker: Broker) -> web.Application:
    """Route the admin port of `broker`."""
    handlers = _Handlers(broker)
    faults = FaultRoutes(Fault, broker.faults.add, handlers.limits, broker.faults.clear)
    routes = [
        web.get("/hubs", handlers.hubs),
        web.post("/throttle", handlers.throttle),
        web.post("/latency", handlers.latency),
    ]
    return admin_application(lambda: {"epoch": broker.store.epoch.number}, faults.routes(), routes)


class _Handlers:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def limits(self) -> Mapping[str, Any]:
        """Give every fault since the last clearing, those that are used up too, and the throttle."""
        throttle = self._broker.throttle
        limits = {"units": throttle.units, "throttled": throttle.refused, "latency": self._broker.latency}
        return {"faults": self._broker.faults.history()} | limits

    async def hubs(self, _: web.Request) -> web.Response:
        store = self._broker.store
        partitions = {name: [_describe(one) for one in found] for name, found in store.hubs.items()}
        facts = {"epoch": store.epoch.number, "started": store.started.isoformat(), "dropped": store.dropped_events}
        return json_answer(facts | {"hubs": partitions})

    async def throttle(self, request: web.Request) -> web.Response:
        self._broker.throttle.limit((await body_of(request, _Throttle)).units)
        return json_answer(self.limits())

    async def latency(self, request: web.Request) -> web.Response:
        self._broker.latency = (await body_of(request, _Latency)).seconds
        return json_answer(self.limits())


def _describe(partition: Partition) -> dict[str, Any]:
    events = partition.next_sequence - partition.begin_sequence
    return {
        "partition": partition.id,
        "begin_sequence_number": partition.begin_sequence,
        "last_sequence_number": partition.next_sequence - 1,
        "last_offset": partition.last_offset,
        "events": events,
        "readers": len(partition.listeners),
        "bytes": partition.size - events * EVENT_OVERHEAD,
        "epoch": partition.epoch.number,
    }
