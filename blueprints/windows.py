"""Windows by HTTP: open some (or back-fill past ones), list them, show one, stop one."""

from collections.abc import Mapping
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from blueprints.answers import answer
from shared import telemetry
from shared.clients.durable.orchestrations import DurableOrchestrations
from shared.flows.open_windows import start_windows
from shared.flows.request_runs import count_window
from shared.flows.request_windows import (
    claim_requested,
    first_of_queue,
    list_windows,
    mark_stopped,
    show_window,
    stop_orchestrations,
)
from shared.http.statuses import ACCEPTED
from shared.http.views import enrichment_view, opened_windows, window_details, window_list
from shared.http.window_requests import parse_open_request
from shared.services import services

bp = df.Blueprint()


@bp.route(route="windows", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def open_windows(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Claim and start the windows of `{"feed", "start", "length" | "end"}`: 202 with ids and status URLs."""
    return await answer(_open(req.get_body(), DurableOrchestrations(client)), status=ACCEPTED)


@bp.route(route="windows", methods=["GET"])
async def get_windows(req: func.HttpRequest) -> func.HttpResponse:
    """List windows, newest first, by `?feed=` and `?state=`."""
    return await answer(
        telemetry.in_thread(_list, feed=req.params.get("feed"), state=req.params.get("state")),
    )


@bp.route(route="windows/{id}", methods=["GET"])
async def get_window(req: func.HttpRequest) -> func.HttpResponse:
    """Show one window: plan, slices, counts, gaps, skew."""
    return await answer(telemetry.in_thread(_show, req.route_params["id"]))


@bp.route(route="windows/{id}", methods=["DELETE"])
@bp.durable_client_input(client_name="client")
async def stop_window(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Stop a window: its running slices end within 5 s, those not begun are skipped; 202."""
    return await answer(_stop(req.route_params["id"], DurableOrchestrations(client)), status=ACCEPTED)


async def _open(body: bytes, orchestrations: DurableOrchestrations) -> Mapping[str, Any]:
    app = services()
    request = parse_open_request(body, tuple(app.settings.feeds))
    schedule = app.settings.feeds[request.feed].schedule
    rows = await telemetry.in_thread(claim_requested, app.ledger, app.plans, schedule, request, app.clock())
    await start_windows(await telemetry.in_thread(first_of_queue, app.ledger, rows), orchestrations)
    return opened_windows(rows, orchestrations.status_urls)


async def _stop(window_id: str, orchestrations: DurableOrchestrations) -> Mapping[str, Any]:
    app = services()
    row = await telemetry.in_thread(mark_stopped, app.ledger, window_id, app.clock())
    await stop_orchestrations(row, orchestrations)
    return await telemetry.in_thread(_show, window_id)


def _list(*, feed: str | None, state: str | None) -> Mapping[str, Any]:
    return window_list(list_windows(services().ledger, services().settings.feeds, feed, state))


def _show(window_id: str) -> Mapping[str, Any]:
    app = services()
    row, attempts = show_window(app.ledger, window_id)
    enrichment = enrichment_view(app.runs.of_window(row.window), *count_window(app.counts, row.window.id))
    return window_details(row, attempts) | {"enrichment": enrichment}
