"""The HTTP front: HTTP-triggered functions under their routes, and the host's admin addresses."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from emulators.functions_host.app_worker import CallOutcome, Function
from emulators.functions_host.bindings import HTTP, named
from emulators.functions_host.durable.api import Handler
from emulators.functions_host.http_messages import to_request, to_response
from emulators.functions_host.invoker import Invoker
from emulators.functions_host.keys import HostKeys, is_allowed
from emulators.functions_host.listeners.registry import LISTENERS, Listener
from emulators.functions_host.protos import TypedData
from emulators.functions_host.routes import Route, find, parse_route

_LARGEST_BODY = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Guard:
    """Turns away who lacks the key; with no `keys`, everyone may pass, as under `func start`."""

    keys: HostKeys | None

    def passes(self, request: web.Request, level: str) -> bool:
        """Say whether the request may use something of this level."""
        return self.keys is None or is_allowed(request, level, self.keys)

    def at(self, level: str, handler: Handler) -> Handler:
        """Put a handler behind a level; without the key it answers 401 and nothing else."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            return await handler(request) if self.passes(request, level) else web.Response(status=401)

        return guarded


class HttpFront:
    """Serves functions by route, and the admin addresses by function name."""

    def __init__(self, invoke: Invoker, prefix: str, *, guard: Guard, listeners: Sequence[Listener]) -> None:
        self._invoke = invoke
        self._guard = guard
        self._listeners = {listener.trigger.lower(): listener for listener in listeners}
        self._routes = [_route(function, prefix) for function in named(invoke.functions.values(), HTTP)]
        self._began = time.monotonic()

    def application(self, webhooks: Sequence[web.RouteDef]) -> web.Application:
        """Build the application; `webhooks` come before the functions' own routes."""
        application = web.Application(client_max_size=_LARGEST_BODY)
        admin = [
            web.get("/admin/host/status", self._guard.at("admin", self._status)),
            web.get("/admin/functions", self._guard.at("admin", self._list)),
            web.post("/admin/functions/{name}", self._guard.at("admin", self._fire)),
        ]
        application.add_routes([*admin, *webhooks, web.route("*", "/{path:.*}", self._serve)])
        return application

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        match = find(self._routes, request.method, request.rel_url.raw_path)
        if match is None:
            return web.Response(status=404)
        function = self._invoke.functions[match.function]
        if not self._guard.passes(request, _level(function)):
            return web.Response(status=401)
        value = TypedData(http=await to_request(request, match.parameters))
        outcome = await self._invoke(function.name, value, reason=f"{request.method} {request.path}")
        return web.Response(status=500) if outcome.error is not None else to_response(_answer(function, outcome))

    async def _status(self, _request: web.Request) -> web.Response:
        uptime = round((time.monotonic() - self._began) * 1000)
        return web.json_response({"state": "Running", "processId": os.getpid(), "processUptime": uptime})

    async def _list(self, request: web.Request) -> web.Response:
        origin = str(request.url.origin())
        return web.json_response([_description(f, origin) for f in self._invoke.functions.values()])

    async def _fire(self, request: web.Request) -> web.Response:
        function = self._invoke.functions.get(request.match_info["name"])
        if function is None:
            return web.Response(status=404)
        listener = self._listeners.get(function.trigger["type"].lower())
        if listener is None:
            text = f"{function.name} has a {function.trigger['type']}: only {', '.join(LISTENERS)} fire by hand"
            return web.json_response({"Message": text}, status=400)
        try:
            listener.fire(function.name, _input(await request.read()))
        except ValueError as error:
            return web.json_response({"Message": str(error)}, status=400)
        return web.Response(status=202)


def _route(function: Function, prefix: str) -> Route:
    template = function.trigger.get("route") or function.name
    return parse_route(function.name, f"{prefix}/{template.lstrip('/')}", function.trigger.get("methods") or ())


def _level(function: Function) -> str:
    return str(function.trigger.get("authLevel") or "function").lower()


def _input(body: bytes) -> str:
    """Read `{"input": "…"}`; no body at all is no input, anything else is a ValueError."""
    if not body:
        return ""
    found = json.loads(body)
    if not isinstance(found, dict) or not isinstance(found.get("input", ""), str):
        raise ValueError('The body must be {"input": "<text>"}.')
    return str(found.get("input", ""))


def _answer(function: Function, outcome: CallOutcome) -> TypedData | None:
    names = {binding["name"] for binding in function.bindings if binding["type"].lower() == "http"}
    return next((output.data for output in outcome.outputs if output.name in names), outcome.returned)


def _description(function: Function, origin: str) -> Mapping[str, Any]:
    bindings = [dict(binding) for binding in function.bindings]
    href = f"{origin}/admin/functions/{function.name}"
    return {"name": function.name, "language": "python", "config": {"bindings": bindings}, "href": href}
