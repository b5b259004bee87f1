"""The whole stand-in: the triggers on https, the admin port, and between them what runs the workflows."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from aiohttp import web

from emulators.logic_app.admin import admin_application
from emulators.logic_app.connectors import Connectors
from emulators.logic_app.definitions import Workflow
from emulators.logic_app.faults import FaultOrder, Faults
from emulators.logic_app.outbox import Outbox
from emulators.logic_app.runs import Reply
from emulators.logic_app.signatures import API_VERSION, SIGNATURE_VERSION, Signer, kept_signer
from emulators.logic_app.tables import Tables
from emulators.logic_app.triggers import Desk, Refusal
from emulators.tls import server_context
from emulators.web import serving

_MOST_BYTES = 2**20


def wall_clock() -> datetime:
    """Give the machine's time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class LogicApps:
    """What to serve; ports of 0 are chosen freely. `outbox` holds the mails, and what must outlive a restart."""

    workflows: Sequence[Workflow]
    certificate: Path
    outbox: Path
    port: int = 0
    admin_port: int = 0
    clock: Callable[[], datetime] = wall_clock


@asynccontextmanager
async def running(service: LogicApps) -> AsyncIterator[dict[str, str]]:
    """Serve while the context lasts; yields `admin`, and by each workflow's name the URL of its trigger, signed."""
    service.outbox.mkdir(parents=True, exist_ok=True)
    signer = kept_signer(service.outbox / "signature.key")
    async with AsyncExitStack() as stack:
        tables = stack.enter_context(closing(Tables(service.outbox / "tables.sqlite")))
        outbox, faults = Outbox(service.outbox, service.clock), Faults()
        connectors = Connectors(tables, outbox)
        desks = {one.name: Desk(one, signer, connectors, service.clock) for one in service.workflows}
        admin = admin_application(list(desks.values()), outbox, faults)
        admin_port = await stack.enter_async_context(serving(admin, service.admin_port))
        application, context = _application(desks, faults), server_context(service.certificate)
        port = await stack.enter_async_context(serving(application, service.port, context))
        urls = {one.name: _url(port, one, signer) for one in service.workflows}
        yield {"admin": f"http://localhost:{admin_port}"} | urls


def _url(port: int, workflow: Workflow, signer: Signer) -> str:
    trigger = workflow.trigger_name
    query = {
        "api-version": API_VERSION,
        "sp": signer.permission(trigger),
        "sv": SIGNATURE_VERSION,
        "sig": signer.sign(workflow.name, trigger),
    }
    path = f"/workflows/{workflow.name}/triggers/{trigger}/paths/invoke"
    return f"https://localhost:{port}{path}?{urlencode(query)}"


def _application(desks: Mapping[str, Desk], faults: Faults) -> web.Application:
    async def invoke(request: web.Request) -> web.StreamResponse:
        desk = desks.get(request.match_info["workflow"])
        if desk is None or desk.workflow.trigger_name != request.match_info["trigger"]:
            name = request.match_info["workflow"]
            return _refused(Refusal(404, "WorkflowNotFound", f"The workflow '{name}' could not be found."))
        try:
            return await _invoke(desk, faults, request)
        except Refusal as refusal:
            return _refused(refusal)

    application = web.Application(client_max_size=_MOST_BYTES)
    application.router.add_post("/workflows/{workflow}/triggers/{trigger}/paths/invoke", invoke)
    return application


async def _invoke(desk: Desk, faults: Faults, request: web.Request) -> web.StreamResponse:
    desk.check_access(request.query)
    if order := faults.take_before():
        return _failed(order)
    body = desk.check_body(await request.read(), request.content_type)
    slow, lost = faults.take("slow"), faults.take("lost_answer")
    # A run goes on when its caller has gone, as in Azure.
    run_id, reply = await asyncio.shield(desk.run(body, slow.seconds if slow else 0.0))
    if lost:
        return _lost(lost, request)
    return _answered(reply, run_id)


def _answered(reply: Reply, run_id: str) -> web.Response:
    headers = {name: value for name, value in reply.headers.items() if name.lower() != "content-type"}
    return web.json_response(reply.body, status=reply.status, headers=headers | {"x-ms-workflow-run-id": run_id})


def _refused(refusal: Refusal) -> web.Response:
    return web.json_response(refusal.body, status=refusal.status)


def _failed(order: FaultOrder) -> web.Response:
    if order.kind == "redirect":
        return web.Response(status=307, headers={"Location": order.location})
    if order.kind == "too_many_requests":
        body = {"error": {"code": "WorkflowTriggerThrottled", "message": "Too many requests; come back later."}}
        return web.json_response(body, status=429, headers={"Retry-After": str(order.retry_after)})
    body = {"error": {"code": "InternalServerError", "message": "Ended on demand."}}
    return web.json_response(body, status=order.status)


def _lost(order: FaultOrder, request: web.Request) -> web.StreamResponse:
    if order.drop and request.transport is not None:
        request.transport.abort()
    return _failed(order)
