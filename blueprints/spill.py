"""The spill: a queue wakes the redriver, and people redrive, discard and look at what is spilled by HTTP."""

import asyncio
from collections.abc import Mapping
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from blueprints.answers import answer
from shared import telemetry
from shared.flows.redrive import redrive
from shared.flows.request_spill import SpillRequestTools, list_spill, request_discard, request_redrive
from shared.http.spill_requests import parse_discard_request, parse_redrive_request, parse_spill_query
from shared.http.views import changed_batches, spill_page
from shared.http.window_requests import parse_limit
from shared.services import services

bp = df.Blueprint()


@bp.queue_trigger(arg_name="message", queue_name="spill", connection="AzureWebJobsStorage")
def redrive_spill(message: func.QueueMessage) -> None:
    """Redrive the stream whose batch the message names; one that fails comes again, five times at the most."""
    asyncio.run(redrive(services().redrive_tools, message.get_body()))


@bp.route(route="spill", methods=["GET"])
async def get_spill(req: func.HttpRequest) -> func.HttpResponse:
    """Sum up what is spilled by window, stream and state: `?feed=`, `?window=`, `?state=`, `?limit=`, `?after=`."""
    return await answer(telemetry.in_thread(_list, req.params))


@bp.route(route="spill/redrive", methods=["POST"])
async def redrive_now(req: func.HttpRequest) -> func.HttpResponse:
    """Redrive at once what waits of `{"feed" | "window" | "all": true}`, with `"dead": true` what is dead too."""
    return await answer(telemetry.in_thread(_redrive, req.get_body()))


@bp.route(route="spill/discard", methods=["POST"])
async def discard_spill(req: func.HttpRequest) -> func.HttpResponse:
    """Give up what is dead of `{"feed" | "window" | "all": true, "reason"}`, with `"waiting": true` what waits too."""
    return await answer(telemetry.in_thread(_discard, req.get_body()))


def _list(query: Mapping[str, str]) -> Mapping[str, Any]:
    request, after = parse_spill_query(query)
    listed = list_spill(_tools(), request, parse_limit(query), after)
    return spill_page(listed.summaries, listed.after, listed.messages)


def _redrive(body: bytes) -> Mapping[str, Any]:
    changed = request_redrive(_tools(), parse_redrive_request(body))
    return changed_batches(changed.batches, changed.left)


def _discard(body: bytes) -> Mapping[str, Any]:
    changed = request_discard(_tools(), parse_discard_request(body))
    return changed_batches(changed.batches, changed.left)


def _tools() -> SpillRequestTools:
    app = services()
    return SpillRequestTools(app.spill, app.ledger, tuple(app.settings.feeds), app.settings.after_dead)
