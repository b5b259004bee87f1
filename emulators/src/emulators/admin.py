"""The admin port of an emulator, plain HTTP: its health, its faults, and whatever else it shows or lets change."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from emulators.faults import Fault, FaultQueue
from emulators.serving import json_answer


@dataclass(frozen=True, slots=True)
class FaultRoutes[F: Fault]:
    """What `POST`, `GET` and `DELETE /faults` do; each answers what `view` gives."""

    kind: type[F]
    add: Callable[[F], None]
    view: Callable[[], Mapping[str, Any]]
    clear: Callable[[], None]

    @classmethod
    def of(cls, kind: type[F], queue: FaultQueue[F]) -> "FaultRoutes[F]":
        """Let the routes work on a queue as it is, and show the faults that hold."""
        return cls(kind, queue.add, lambda: {"faults": queue.active()}, queue.clear)

    def routes(self) -> list[web.RouteDef]:
        """List the three routes."""
        return [
            web.post("/faults", self._add),
            web.get("/faults", self._show),
            web.delete("/faults", self._clear),
        ]

    async def _add(self, request: web.Request) -> web.Response:
        self.add(await body_of(request, self.kind))
        return await self._show(request)

    async def _show(self, _: web.Request) -> web.Response:
        return json_answer(self.view())

    async def _clear(self, request: web.Request) -> web.Response:
        self.clear()
        return await self._show(request)


def admin_application(health: Callable[[], Mapping[str, Any]], *routes: Iterable[web.RouteDef]) -> web.Application:
    """Build an admin port: `GET /health` answers `status` and the facts of `health`, beside it any other routes.

    Whatever is refused gets `{"error": "<reason>"}`: 400 for a ValueError, 404 and 405 for what the port does not have.
    """

    async def show_health(_: web.Request) -> web.Response:
        return json_answer({"status": "ok", **health()})

    application = web.Application(middlewares=[_explain_refusals])
    application.add_routes([web.get("/health", show_health), *(route for some in routes for route in some)])
    return application


async def body_of[T](request: web.Request, kind: type[T]) -> T:
    """Read a JSON body; raises msgspec.MsgspecError, which is answered with 400."""
    return msgspec.json.decode(await request.read(), type=kind)


@web.middleware
async def _explain_refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except (ValueError, msgspec.MsgspecError) as error:
        return json_answer({"error": str(error)}, status=400)
    except web.HTTPException as refusal:
        text = f"{refusal.reason}: {request.method} {request.path} is not to be had on this admin port."
        return json_answer({"error": text}, status=refusal.status)
