"""The task hub's HTTP API, as DurableOrchestrationClient and the management addresses call it.

Where the two could differ it answers as the extension's HttpApiHandler does, in its words.
"""

import functools
import json
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace

from aiohttp import web

from emulators.clocks import utc_now
from emulators.functions_host.durable import refusals
from emulators.functions_host.durable.decisions import missing
from emulators.functions_host.durable.engine import Engine
from emulators.functions_host.durable.history import (
    EventType,
    closing_events,
    event,
    event_raised,
    execution_started,
)
from emulators.functions_host.durable.links import Links
from emulators.functions_host.durable.listing import history_listing
from emulators.functions_host.durable.model import FINAL, Instance, Turn
from emulators.functions_host.durable.queries import (
    fields_of,
    parse_filter,
    parse_flag,
    parse_purge,
    parse_top,
    read_token,
    token_after,
)
from emulators.functions_host.durable.status import status_document
from emulators.functions_host.durable.store import TaskStore

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CONTINUATION = "x-ms-continuation-token"
# Where an app names the parameter otherwise, Azure's text has that name.
_NO_BINDING = "Exception binding parameter 'context'"
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
            web.post(f"{one}/rewind", guard(self._rewind)),
            web.get(f"{prefix}/entities{{name:(/[^/]*)?}}", guard(_no_entities)),
            web.route("*", f"{prefix}/entities{{rest:.*}}", guard(_refuse_entities)),
        ]

    async def _start(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self._engine.catalogue.orchestrators:
            known = self._engine.catalogue.orchestrators
            return refusals.no_such_function(missing(name, "an orchestrator", known))
        text = await request.text()
        instance_id = request.match_info.get("id") or uuid.uuid4().hex
        if text:
            return refusals.not_json(text) or await self._create(request, name, text, instance_id)
        if "Content-Type" in request.headers:
            return await self._create(request, name, None, instance_id)
        return await self._create_unreadable(request, name, instance_id)

    async def _create(self, request: web.Request, name: str, text: str | None, instance_id: str) -> web.Response:
        status = await self._engine.create(_new(name, instance_id, text))
        return refusals.already_exists(status) if status else self._accepted(request, instance_id)

    async def _create_unreadable(self, request: web.Request, name: str, instance_id: str) -> web.Response:
        """Start with an empty text as input, as the extension does, which ends when the host reads it as JSON."""
        instance = _new(name, instance_id, "")
        status = await self._engine.ask(self._store.create, instance, utc_now())
        work = None if status else await self._engine.ask(self._store.next_work, instance_id)
        if work:
            await self._engine.ask(self._store.commit, work, _unreadable(work.instance))
        return refusals.already_exists(status) if status else self._accepted(request, instance_id)

    def _accepted(self, request: web.Request, instance_id: str) -> web.Response:
        links = self._links.of(instance_id, str(request.url.origin()))
        headers = {"Location": links["statusQueryGetUri"], "Retry-After": "10"}
        return web.json_response(links, status=202, headers=headers)

    async def _restart(self, request: web.Request) -> web.Response:
        instance = await self._instance(request)
        if instance is None:
            return refusals.nothing_to_restart(request.match_info["id"])
        fresh = parse_flag(fields_of(request.query.items()), "restartWithNewInstanceId", default=True)
        instance_id = uuid.uuid4().hex if fresh else instance.id
        status = await self._engine.create(_new(instance.name, instance_id, instance.input))
        return refusals.cannot_be_restarted(status) if status else self._accepted(request, instance_id)

    async def _status(self, request: web.Request) -> web.Response:
        instance, fields = await self._instance(request), fields_of(request.query.items())
        if instance is None:
            return web.Response(status=404)
        with_input = parse_flag(fields, "showInput", default=True)
        document = status_document(instance, with_input=with_input)
        if parse_flag(fields, "showHistory") and instance.status != "Pending":
            texts = await self._engine.ask(self._store.history, instance.id)
            with_output = parse_flag(fields, "showHistoryOutput")
            document["historyEvents"] = history_listing(texts, with_output=with_output, with_input=with_input)
        if instance.status not in FINAL:
            return web.json_response(document, status=202, headers={"Location": str(request.url), "Retry-After": "5"})
        as_error = instance.status == "Failed" and parse_flag(fields, "returnInternalServerErrorOnFailure")
        return web.json_response(document, status=500 if as_error else 200)

    async def _query(self, request: web.Request) -> web.Response:
        fields = fields_of(request.query.items())
        try:
            after = read_token(request.headers.get(CONTINUATION, ""))
        except ValueError as error:
            return refusals.refused(400, str(error))
        top = parse_top(fields)
        found = await self._engine.ask(self._store.read_after, after, parse_filter(fields).holds, top + 1)
        page = found[:top]
        with_input = parse_flag(fields, "showInput", default=True)
        documents = [status_document(instance, with_input=with_input) for instance in page]
        token = token_after(page[-1].id) if len(found) > top else ""
        return web.json_response(documents, headers={CONTINUATION: token})

    async def _purge(self, request: web.Request) -> web.Response:
        instance = await self._instance(request)
        if instance is None:
            return web.Response(status=404)
        if instance.status not in FINAL:
            text = (
                "Only orchestrations in a terminal state can be purged, but the orchestration with instance ID "
                f"{instance.id} has status {instance.status}"
            )
            return refusals.refused_in_a_text(412, text)
        return web.json_response({"instancesDeleted": await self._engine.ask(self._store.purge, [instance.id])})

    async def _purge_many(self, request: web.Request) -> web.Response:
        wanted = parse_purge(fields_of(request.query.items()))
        if wanted is None:
            return refusals.refused_in_a_text(400, "Please provide value for 'createdTimeFrom' parameter.")
        deleted = await self._engine.ask(self._store.purge_where, wanted.holds)
        return web.json_response({"instancesDeleted": deleted}) if deleted else web.Response(status=404)

    async def _raise_event(self, request: web.Request) -> web.Response:
        instance = await self._instance(request)
        if instance is None or instance.status in FINAL:
            return _taken(instance.status if instance else None)
        if request.content_type.lower() != "application/json":
            return refusals.refused(400, "Only application/json request content is supported")
        text = await request.text()
        return refusals.not_json(text) or await self._raise(instance.id, request.match_info["event"], text)

    async def _raise(self, instance_id: str, name: str, text: str) -> web.Response:
        raised = event_raised(name, text, utc_now())
        status = await self._engine.ask(self._store.raise_event, instance_id, raised)
        self._engine.wake(instance_id)
        return _taken(status)

    async def _switch(self, request: web.Request) -> web.Response:
        instance_id, status = request.match_info["id"], _SWITCHES[request.match_info["switch"]]
        reason = request.query.get("reason", "")
        switch = functools.partial(self._store.switch, instance_id, status, now=utc_now(), reason=reason)
        before, effects = await self._engine.ask(switch)
        self._engine.apply(effects)
        return _taken(before)

    async def _rewind(self, request: web.Request) -> web.Response:
        instance = await self._instance(request)
        if instance is None:
            text = f'No orchestration with instance ID "${request.match_info["id"]}" found.'  # the $ is the extension's
            return refusals.refused_in_a_text(404, text)
        if instance.status != "Failed":
            return refusals.refused_in_a_text(
                412,
                f"This orchestration has status {instance.status}, but only orchestrations in the "
                '"Failed" state can be rewound.',
            )
        return refusals.refused(501, "This host does not implement rewind of a failed orchestration.")

    async def _instance(self, request: web.Request) -> Instance | None:
        return await self._engine.ask(self._store.read, request.match_info["id"])


def _new(name: str, instance_id: str, text: str | None) -> Instance:
    now = utc_now()
    return Instance(instance_id, uuid.uuid4().hex, name, "Pending", now, now, input=text)


def _unreadable(instance: Instance) -> Turn:
    """End an instance whose function could not be called."""
    now, output = utc_now(), f"Orchestrator function '{instance.name}' failed: {_NO_BINDING}"
    failed = replace(instance, status="Failed", output=json.dumps(output), updated=now)
    began = event(EventType.ORCHESTRATOR_STARTED, now)
    return Turn(failed, (began, execution_started(instance, now), *closing_events(failed, now)))


async def _no_entities(_request: web.Request) -> web.StreamResponse:
    """List the entities, of which there are none."""
    return web.json_response([], headers={CONTINUATION: ""})


async def _refuse_entities(_request: web.Request) -> web.StreamResponse:
    return refusals.refused(501, "This host does not implement entities.")


def _taken(status: str | None) -> web.Response:
    """Answer 202, or 404 for an unknown instance, or 410 for one that had a final status already."""
    return web.Response(status=404 if status is None else 410 if status in FINAL else 202)
