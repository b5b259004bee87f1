"""Event Grid triggers: the host's webhook, which validates subscriptions and runs a function for each event.

The answers are those of Microsoft.Azure.WebJobs.Extensions.EventGrid; the handshake of CloudEvents (OPTIONS) is as the
CloudEvents specification of webhooks asks.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web

from emulators.functions_host.app_worker import CallOutcome, Function
from emulators.functions_host.durable.api import Handler
from emulators.functions_host.invoker import Invoker
from emulators.functions_host.keys import EVENT_GRID
from emulators.functions_host.protos import TypedData

_PATH = "/runtime/webhooks/{extension:(?i:eventgrid)}"
_logger = logging.getLogger("Host.Triggers.EventGrid")


class EventGridListener:
    """Takes deliveries for every Event Grid function at one address; `?functionName=` says for which."""

    trigger = "eventGridTrigger"

    def __init__(self, _surroundings: object) -> None:
        self._functions: frozenset[str] = frozenset()
        self._tasks: set[asyncio.Task[CallOutcome]] = set()

    async def start(self, functions: Sequence[Function], invoke: Invoker) -> None:
        """Take deliveries for these functions."""
        self._invoke = invoke
        self._functions = frozenset(function.name for function in functions)

    def routes(self, guard: Callable[[str, Handler], Handler]) -> Sequence[web.RouteDef]:
        """Give the webhook; its key is the system key of the extension."""
        return [
            web.post(_PATH, guard(EVENT_GRID, self._receive)),
            web.options(_PATH, guard(EVENT_GRID, self._allow)),
        ]

    def fire(self, function: str, given: str) -> None:
        """Run a function with the event written in `given`; ValueError where that is no JSON object."""
        if not isinstance(json.loads(given or "null"), dict):
            raise ValueError(f"{function} needs an event, a JSON object, as input.")
        task = asyncio.create_task(self._run(function, given, "This function was programmatically called"))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Abandon runs that were started by hand; those of deliveries end with their requests."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        function = _function_name(request)
        if function not in self._functions:
            return web.Response(status=404, text=f"cannot find function: '{function}'")
        kind = request.headers.get("aeg-event-type", "").lower()
        try:
            if kind == "subscriptionvalidation":
                return web.json_response({"validationResponse": _validation_code(await request.json())})
            if kind == "notification":
                return await self._notify(function, await request.json())
        except (ValueError, LookupError, TypeError) as error:
            _logger.warning("event_grid.malformed", extra={"function": function, "error": type(error).__name__})
            return web.Response(status=400)
        return web.Response(status=202 if kind == "unsubscribe" else 400)

    async def _notify(self, function: str, content: Any) -> web.Response:  # noqa: ANN401 (untrusted JSON)
        events = content if isinstance(content, list) else [content]
        if not all(isinstance(event, dict) for event in events):
            raise TypeError("an event is a JSON object")
        runs = (self._run(function, json.dumps(event), "Event Grid delivered an event") for event in events)
        failed = [outcome.error for outcome in await asyncio.gather(*runs) if outcome.error is not None]
        return web.Response(status=500, text=failed[0]) if failed else web.Response(status=202)

    async def _run(self, function: str, event: str, reason: str) -> CallOutcome:
        return await self._invoke(function, TypedData(json=event), reason=reason)

    async def _allow(self, request: web.Request) -> web.StreamResponse:
        function, origin = _function_name(request), request.headers.get("WebHook-Request-Origin")
        if function not in self._functions:
            return web.Response(status=404, text=f"cannot find function: '{function}'")
        if origin is None:
            return web.Response(status=400)
        return web.Response(headers={"Allow": "POST, OPTIONS", "WebHook-Allowed-Origin": origin})


def _function_name(request: web.Request) -> str:
    """Read `functionName` from the query; the parameter's own name may be written in any case."""
    return next((value for name, value in request.query.items() if name.lower() == "functionname"), "")


def _validation_code(content: Any) -> str:  # noqa: ANN401 (untrusted JSON)
    """Find the code in a validation event; as a CloudEvent, its data is JSON within JSON."""
    data = content[0]["data"] if isinstance(content, list) else json.loads(content["data"])
    return str(data["validationCode"])
