"""The admin port: subscriptions, faults on demand, and what the grid did."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from aiohttp import web

from emulators.admin import FaultRoutes, admin_application, body_of
from emulators.event_grid.faults import Fault
from emulators.event_grid.grid import Grid, SubscriptionState
from emulators.event_grid.subscriptions import Subscription, described
from emulators.serving import json_answer


class Admin:
    """The handlers of one grid beside those of its faults."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._journal = grid.worker.journal

    def health(self) -> Mapping[str, Any]:
        """Give how much the grid has seen."""
        journal = self._journal
        kinds = {"events": journal.events, "deliveries": journal.deliveries, "dead_letters": journal.dead_letters}
        return {name: len(noted) for name, noted in kinds.items()}

    async def subscriptions(self, _: web.Request) -> web.Response:
        """`GET /subscriptions`: each with its state, without the keys in its endpoint."""
        return json_answer({"subscriptions": [_view(state) for state in self._grid.states.values()]})

    async def subscribe(self, request: web.Request) -> web.Response:
        """`PUT /subscriptions/{name}`: add or replace one; the body is an entry of the file, name or not."""
        name = request.match_info["name"]
        fields = await body_of(request, dict[str, Any])
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


def grid_admin(grid: Grid) -> web.Application:
    """Route the admin port."""
    admin = Admin(grid)
    routes = [
        web.get("/subscriptions", admin.subscriptions),
        web.put("/subscriptions/{name}", admin.subscribe),
        web.delete("/subscriptions/{name}", admin.unsubscribe),
        web.get("/events", admin.events),
        web.get("/deliveries", admin.deliveries),
        web.get("/dead-letters", admin.dead_letters),
    ]
    return admin_application(admin.health, FaultRoutes.of(Fault, grid.worker.faults).routes(), routes)


def _view(state: SubscriptionState) -> dict[str, Any]:
    provisioning = "Succeeded" if state.validated.is_set() else "AwaitingValidation"
    return described(state.subscription) | {"provisioningState": provisioning}


def _picked(noted: Iterable[dict[str, Any]], request: web.Request) -> list[dict[str, Any]]:
    wanted = {name: value for name, value in request.query.items() if name in {"subscription", "event_id"}}
    return [note for note in noted if all(note.get(name) == value for name, value in wanted.items())]
