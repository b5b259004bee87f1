"""The task hub's HTTP API, as DurableOrchestrationClient and the management addresses call it."""

import functools
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from emulators.clocks import utc_now
from emulators.functions_host.durable.decisions import missing
from emulators.functions_host.durable.engine import Engine
from emulators.functions_host.durable.history import EventType, event
from emulators.functions_host.durable.links import Links
from emulators.functions_host.durable.model import FINAL, Instance
from emulators.functions_host.durable.status import history_listing, parse_filter, status_document
from emulators.functions_host.durable.store import TaskStore

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_SWITCHES = {"terminate": "Terminated", "suspend": "Suspended", "resume": "Running"}


class DurableApi:
    """Handlers for one prefix; the same serve the SDK's rpc address and the public webhooks."""

    def __init__(self, engine: Engine, store: TaskStore, links: Links) -> None:
        self._engine = engine
        self._store = store
        self._links = links

    def routes(self, prefix: str, guard: Callable[[Handler], Handler]) -> list[web.RouteDef]:
        """Give the routes under `prefix`, each handler behind `guard`."""
        one = f"{prefix}/instances/{{id}}"
        return [
            web.post(f"{prefix}/orchestrators/{{name}}", guard(self._start)),
            web.post(f"{prefix}/orchestrators/{{name}}/{{id}}", guard(self._start)),
            web.get(f"{prefix}/instances{{slash:/?}}", guard(self._query)),
            web.delete(f"{prefix}/instances{{slash:/?}}", guard(self._purge_many)),
            web.get(one, guard(self._status)),
            web.delete(one, guard(self._purge)),
            web.post(f"{one}/raiseEvent/{{event}}", guard(self._raise_event)),
            web.post(f"{one}/restart", guard(self._restart)),
            web.post(f"{one}/{{switch:terminate|suspend|resume}}", guard(self._switch)),
            web.post(f"{one}/rewind", guard(_not_here)),
            web.route("*", f"{prefix}/entities{{rest:.*}}", guard(_not_here)),
        ]

    async def _start(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self._engine.catalogue.orchestrators:
            return _bad(missing(name, "an orchestrator", self._engine.catalogue.orchestrators))
        text = await request.text()
        if text and not _is_json(text):
            return _bad("The request body is not JSON.")
        return await self._create(request, name, text or None, request.match_info.get("id") or uuid.uuid4().hex)

    async def _create(self, request: web.Request, name: str, text: str | None, instance_id: str) -> web.Response:
        now = utc_now()
        status = await self._engine.create(Instance(instance_id, uuid.uuid4().hex, name, "Pending", now, now, text))
        if status:
            return _exists(status)
        links = self._links.of(instance_id, str(request.url.origin()))
        headers = {"Location": links["statusQueryGetUri"], "Retry-After": "10"}
        return web.json_response(links, status=202, headers=headers)

    async def _restart(self, request: web.Request) -> web.Response:
        instance = await self._instance(request)
        if instance is None:
            return web.Response(status=404)
        fresh = request.query.get("restartWithNewInstanceId", "true").lower() == "true"
        instance_id = uuid.uuid4().hex if fresh else instance.id
        created = await self._create(request, instance.name, instance.input, instance_id)
        return (
            web.json_response(instance_id, status=202) if created.status < web.HTTPBadRequest.status_code else created
        )

    async def _status(self, request: web.Request) -> web.Response:
        instance = await self._instance(request)
        if instance is None:
            return web.Response(status=404)
        document = status_document(instance, with_input=_flag(request.query, "showInput", default=True))
        if _flag(request.query, "showHistory"):
            texts = await self._engine.ask(self._store.history, instance.id)
            with_output = _flag(request.query, "showHistoryOutput")
            document["historyEvents"] = history_listing(texts, with_output=with_output)
        if instance.status in FINAL:
            return web.json_response(document)
        return web.json_response(document, status=202, headers={"Location": str(request.url), "Retry-After": "5"})

    async def _query(self, request: web.Request) -> web.Response:
        try:
            wanted = parse_filter(request.query)
        except ValueError as error:
            return _bad(str(error))
        with_input = _flag(request.query, "showInput", default=True)
        every = await self._engine.ask(self._store.read_all)
        return web.json_response([status_document(i, with_input=with_input) for i in every if wanted.holds(i)])

    async def _purge(self, request: web.Request) -> web.Response:
        instance = await self._instance(request)
        if instance is None or instance.status not in FINAL:
            return web.Response(status=404)
        return web.json_response({"instancesDeleted": await self._engine.ask(self._store.purge, [instance.id])})

    async def _purge_many(self, request: web.Request) -> web.Response:
        try:
            wanted = parse_filter(request.query)
        except ValueError as error:
            return _bad(str(error))
        every = await self._engine.ask(self._store.read_all)
        ended = [i.id for i in every if wanted.holds(i) and i.status in FINAL]
        return web.json_response({"instancesDeleted": await self._engine.ask(self._store.purge, ended)})

    async def _raise_event(self, request: web.Request) -> web.Response:
        text = await request.text()
        if request.content_type != "application/json" or not _is_json(text or "null"):
            return _bad("Only application/json request content is supported")
        fields = {"Name": request.match_info["event"], "Input": text or "null"}
        raised = event(EventType.EVENT_RAISED, utc_now(), **fields)
        status = await self._engine.ask(self._store.raise_event, request.match_info["id"], raised)
        self._engine.wake(request.match_info["id"])
        return _accepted(status)

    async def _switch(self, request: web.Request) -> web.Response:
        instance_id, status = request.match_info["id"], _SWITCHES[request.match_info["switch"]]
        reason = request.query.get("reason", "")
        switch = functools.partial(self._store.switch, instance_id, status, now=utc_now(), reason=reason)
        before, effects = await self._engine.ask(switch)
        self._engine.apply(effects)
        return _accepted(before)

    async def _instance(self, request: web.Request) -> Instance | None:
        return await self._engine.ask(self._store.read, request.match_info["id"])


async def _not_here(request: web.Request) -> web.Response:
    what = "rewind" if request.path.endswith("/rewind") else "entities"
    return web.json_response({"Message": f"This host does not implement {what}."}, status=501)


def _accepted(status: str | None) -> web.Response:
    """Answer 202, or 404 for an unknown instance, or 410 for one that had a final status already."""
    return web.Response(status=404 if status is None else 410 if status in FINAL else 202)


def _bad(text: str) -> web.Response:
    return web.json_response({"Message": text, "ExceptionMessage": text}, status=400)


def _exists(status: str) -> web.Response:
    """Word the refusal as Azure does; clients tell it by `ExceptionMessage`."""
    body = {
        "Message": "Something went wrong while processing your request",
        "ExceptionMessage": f"An Orchestration instance with the status {status} already exists.",
        "ExceptionType": "DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException",
    }
    return web.json_response(body, status=409)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _flag(query: Mapping[str, str], name: str, *, default: bool = False) -> bool:
    return query.get(name, str(default)).lower() == "true"
