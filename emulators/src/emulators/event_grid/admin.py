"""The admin interface, plain HTTP: subscriptions, faults on demand, and what the grid did."""

import time
from collections.abc import Iterable
from typing import Any

import msgspec
from aiohttp import web

from emulators.event_grid.faults import FaultOrder
from emulators.event_grid.grid import Grid, Standing
from emulators.event_grid.subscriptions import Subscription, described
from emulators.web import explained, json_answer


class Admin:
    """The handlers; a refused request gets 400 with `{"error": ...}`."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._journal = grid.courier.journal

    async def health(self, _: web.Request) -> web.Response:
        """`GET /health`: that it runs, and how much it has seen."""
        journal = self._journal
        kinds = {"events": journal.events, "deliveries": journal.deliveries, "dead_letters": journal.dead_letters}
        return json_answer({"status": "ok"} | {name: len(noted) for name, noted in kinds.items()})

    async def subscriptions(self, _: web.Request) -> web.Response:
        """`GET /subscriptions`: each with its state, without the keys in its endpoint."""
        return json_answer({"subscriptions": [_shown(standing) for standing in self._grid.standings.values()]})

    async def subscribe(self, request: web.Request) -> web.Response:
        """`PUT /subscriptions/{name}`: add or replace one; the body is an entry of the file, name or not."""
        name = request.match_info["name"]
        fields = msgspec.json.decode(await request.read(), type=dict[str, Any])
        self._grid.subscribe(msgspec.convert({"name": name} | fields, Subscription))
        return await self.subscriptions(request)

    async def unsubscribe(self, request: web.Request) -> web.Response:
        """`DELETE /subscriptions/{name}`."""
        removed = self._grid.unsubscribe(request.match_info["name"])
        return json_answer({"removed": removed}, 200 if removed else 404)

    async def events(self, _: web.Request) -> web.Response:
        """`GET /events`: the accepted ones and the subscriptions that want them."""
        return json_answer({"events": list(self._journal.events)})

    async def deliveries(self, request: web.Request) -> web.Response:
        """`GET /deliveries?subscription=&event_id=`: attempts."""
        return json_answer({"deliveries": _picked(self._journal.deliveries, request)})

    async def dead_letters(self, request: web.Request) -> web.Response:
        """`GET /dead-letters?subscription=`: what was given up, and the blob it lies in."""
        return json_answer({"dead_letters": _picked(self._journal.dead_letters, request)})

    async def order_fault(self, request: web.Request) -> web.Response:
        """`POST /faults`: a FaultOrder."""
        order = msgspec.json.decode(await request.read(), type=FaultOrder)
        self._grid.courier.faults.add(order, time.monotonic())
        return await self.faults(request)

    async def faults(self, _: web.Request) -> web.Response:
        """`GET /faults`: what stands."""
        return json_answer({"faults": self._grid.courier.faults.report(time.monotonic())})

    async def clear_faults(self, request: web.Request) -> web.Response:
        """`DELETE /faults`: end them all."""
        self._grid.courier.faults.clear()
        return await self.faults(request)


def admin_application(grid: Grid) -> web.Application:
    """Route the admin interface."""
    admin = Admin(grid)
    application = web.Application(middlewares=[explained])
    application.add_routes(
        [
            web.get("/health", admin.health),
            web.get("/subscriptions", admin.subscriptions),
            web.put("/subscriptions/{name}", admin.subscribe),
            web.delete("/subscriptions/{name}", admin.unsubscribe),
            web.get("/events", admin.events),
            web.get("/deliveries", admin.deliveries),
            web.get("/dead-letters", admin.dead_letters),
            web.post("/faults", admin.order_fault),
            web.get("/faults", admin.faults),
            web.delete("/faults", admin.clear_faults),
        ]
    )
    return application


def _shown(standing: Standing) -> dict[str, Any]:
    state = "Succeeded" if standing.validated.is_set() else "AwaitingValidation"
    return described(standing.subscription) | {"provisioningState": state}


def _picked(noted: Iterable[dict[str, Any]], request: web.Request) -> list[dict[str, Any]]:
    wanted = {name: value for name, value in request.query.items() if name in {"subscription", "event_id"}}
    return [note for note in noted if all(note.get(name) == value for name, value in wanted.items())]
