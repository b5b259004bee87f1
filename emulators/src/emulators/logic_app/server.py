"""The whole emulator: the triggers on https, the admin port, and between them what runs the workflows."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

from aiohttp import web

from emulators.clocks import utc_now
from emulators.logic_app.admin import workflows_admin
from emulators.logic_app.connectors import Connectors
from emulators.logic_app.definitions import Workflow
from emulators.logic_app.faults import Fault, Faults
from emulators.logic_app.outbox import Outbox
from emulators.logic_app.runs import Reply
from emulators.logic_app.signatures import API_VERSION, SIGNATURE_VERSION, Signer, kept_signer
from emulators.logic_app.tables import Tables
from emulators.logic_app.triggers import Refusal, WorkflowHandler
from emulators.serving import Site, serving

_MOST_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class LogicApps:
    """What to serve; ports of 0 are chosen freely. `outbox` holds the mails, and what must outlive a restart."""

    workflows: Sequence[Workflow]
    certificate: Path
    outbox: Path
    port: int = 0
    admin_port: int = 0
    clock: Callable[[], datetime] = utc_now


@asynccontextmanager
async def running(service: LogicApps) -> AsyncIterator[dict[str, str]]:
    """Serve while the context lasts; yields `admin`, and by each workflow's name the URL of its trigger, signed."""
    service.outbox.mkdir(parents=True, exist_ok=True)
    signer = kept_signer(service.outbox / "signature.key")
    async with AsyncExitStack() as stack:
        tables = stack.enter_context(closing(Tables(service.outbox / "tables.sqlite")))
        outbox, faults = Outbox(service.outbox, service.clock), Faults()
        connectors = Connectors(tables, outbox)
        handlers = {one.name: WorkflowHandler(one, signer, connectors, service.clock) for one in service.workflows}
        sites = serving(
            admin=Site(workflows_admin(list(handlers.values()), outbox, faults), service.admin_port),
            triggers=Site(_application(handlers, faults), service.port, service.certificate),
        )
        addresses = await stack.enter_async_context(sites)
        urls = {one.name: _url(addresses["triggers"], one, signer) for one in service.workflows}
        yield {"admin": addresses["admin"]} | urls


def _url(root: str, workflow: Workflow, signer: Signer) -> str:
    trigger = workflow.trigger_name
    query = {
        "api-version": API_VERSION,
        "sp": signer.permission(trigger),
        "sv": SIGNATURE_VERSION,
        "sig": signer.sign(workflow.name, trigger),
    }
    path = f"/workflows/{workflow.name}/triggers/{trigger}/paths/invoke"
    return f"{root}{path}?{urlencode(query)}"


def _application(handlers: Mapping[str, WorkflowHandler], faults: Faults) -> web.Application:
    async def invoke(request: web.Request) -> web.StreamResponse:
        handler = handlers.get(request.match_info["workflow"])
        if handler is None or handler.workflow.trigger_name != request.match_info["trigger"]:
            name = request.match_info["workflow"]
            return _refused(Refusal(404, "WorkflowNotFound", f"The workflow '{name}' could not be found."))
        try:
            return await _invoke(handler, faults, request)
        except Refusal as refusal:
            return _refused(refusal)

    application = web.Application(client_max_size=_MOST_BYTES)
    application.router.add_post("/workflows/{workflow}/triggers/{trigger}/paths/invoke", invoke)
    return application


async def _invoke(handler: WorkflowHandler, faults: Faults, request: web.Request) -> web.StreamResponse:
    handler.check_access(request.query)
    if fault := faults.take_before():
        return _failed(fault)
    body = handler.check_body(await request.read(), request.content_type)
    slow, lost = faults.take("slow"), faults.take("lost_answer")
    # A run goes on when its caller has gone, as in Azure.
    run_id, reply = await asyncio.shield(handler.run(body, slow.seconds if slow else 0.0))
    if lost:
        return _lost(lost, request)
    return _answered(reply, run_id)


def _answered(reply: Reply, run_id: str) -> web.Response:
    headers = {name: value for name, value in reply.headers.items() if name.lower() != "content-type"}
    return web.json_response(reply.body, status=reply.status, headers=headers | {"x-ms-workflow-run-id": run_id})


def _refused(refusal: Refusal) -> web.Response:
    return web.json_response(refusal.body, status=refusal.status)


def _failed(fault: Fault) -> web.Response:
    if fault.kind == "redirect":
        return web.Response(status=307, headers={"Location": fault.location})
    if fault.kind == "too_many_requests":
        body = {"error": {"code": "WorkflowTriggerThrottled", "message": "Too many requests; come back later."}}
        return web.json_response(body, status=429, headers={"Retry-After": str(fault.retry_after)})
    body = {"error": {"code": "InternalServerError", "message": "Ended on demand."}}
    return web.json_response(body, status=fault.status)


def _lost(fault: Fault, request: web.Request) -> web.StreamResponse:
    if fault.drop and request.transport is not None:
        request.transport.abort()
    return _failed(fault)
