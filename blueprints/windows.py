"""Windows by HTTP: open some (or back-fill past ones), list them, show one, stop one."""

import asyncio
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
    await_slices,
    claim_requested,
    first_of_queue,
    list_windows,
    mark_stopped,
    show_window,
    stop_orchestrations,
)
from shared.http.sink_table import sink_table
from shared.http.statuses import ACCEPTED
from shared.http.views import enrichment_view, opened_windows, window_details, window_list
from shared.http.window_requests import parse_limit, parse_list_request, parse_open_request
from shared.services import services

bp = df.Blueprint()


@bp.route(route="windows", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def open_windows(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Claim and start the windows of `{"feed", "start", "length" | "end"}`: 202 with ids and status URLs.

    The same body again answers with the same windows; `?limit=` of them, and `next`, the body that asks for the others.
    """
    return await answer(_open(req.get_body(), req.params, DurableOrchestrations(client)), status=ACCEPTED)


@bp.route(route="windows", methods=["GET"])
async def get_windows(req: func.HttpRequest) -> func.HttpResponse:
    """List windows, newest first, by `?feed=` and `?state=`: `?limit=` of them, `?after=` what `next` was."""
    return await answer(telemetry.in_thread(_list, req.params))


@bp.route(route="windows/{id}", methods=["GET"])
async def get_window(req: func.HttpRequest) -> func.HttpResponse:
    """Show one window: plan, attempts, slices, counts, gaps, skew."""
    return await answer(telemetry.in_thread(_show, req.route_params["id"]))


@bp.route(route="windows/{id}", methods=["DELETE"])
@bp.durable_client_input(client_name="client")
async def stop_window(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Stop a window, whether it runs, waits or is being closed: 202 once its slices have ended; again, the same."""
    return await answer(_stop(req.route_params["id"], DurableOrchestrations(client)), status=ACCEPTED)


async def _open(body: bytes, query: Mapping[str, str], orchestrations: DurableOrchestrations) -> Mapping[str, Any]:
    app = services()
    limit, request = parse_limit(query), parse_open_request(body, tuple(app.settings.feeds))
    schedule = app.settings.feeds[request.feed].schedule
    opened = await telemetry.in_thread(claim_requested, app.ledger, app.plans, schedule, request, app.clock())
    await start_windows(await telemetry.in_thread(first_of_queue, app.ledger, opened.rows), orchestrations)
    return opened_windows(opened.rows, opened.rest, limit, orchestrations.status_urls)


async def _stop(window_id: str, orchestrations: DurableOrchestrations) -> Mapping[str, Any]:
    app = services()
    row = await telemetry.in_thread(mark_stopped, app.ledger, window_id, app.clock())
    await stop_orchestrations(row, orchestrations)
    await await_slices(app.ledger, row, asyncio.sleep)
    return await telemetry.in_thread(_show, window_id)


def _list(query: Mapping[str, str]) -> Mapping[str, Any]:
    app = services()
    listed = list_windows(
        app.ledger, app.settings.feeds, parse_list_request(query, tuple(app.settings.feeds)), app.clock()
    )
    return window_list(listed.rows, listed.after)


def _show(window_id: str) -> Mapping[str, Any]:
    app = services()
    row, ended, tries = show_window(app.ledger, window_id)
    enrichment = enrichment_view(app.runs.of_window(row.window), *count_window(app.counts, row.window.id))
    sinks = sink_table(row, tries, app.settings.prices)
    return window_details(row, ended, tries) | {"sinks": sinks, "enrichment": enrichment}
