"""Draining by HTTP: before a deployment no slice begins, and what runs comes to its end."""

from collections.abc import Mapping
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from blueprints.answers import answer
from shared import telemetry
from shared.http.drain_view import drain_view, parse_drain_request
from shared.services import services

bp = df.Blueprint()


@bp.route(route="drain", methods=["POST"])
async def begin_drain(req: func.HttpRequest) -> func.HttpResponse:
    """Let no slice begin for `{"length": "hh:mm:ss"}`, 30 minutes if not said; again, it gives another end."""
    return await answer(telemetry.in_thread(_begin, req.get_body()))


@bp.route(route="drain", methods=["GET"])
async def get_drain(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001
    """Show whether the app is being drained, and which slices have not ended yet."""
    return await answer(telemetry.in_thread(_look))


@bp.route(route="drain", methods=["DELETE"])
async def end_drain(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001
    """End the drain: what waits begins within some seconds."""
    return await answer(telemetry.in_thread(_end))


def _begin(body: bytes) -> Mapping[str, Any]:
    return drain_view(services().drain_tools.begin(parse_drain_request(body)))


def _look() -> Mapping[str, Any]:
    return drain_view(services().drain_tools.look())


def _end() -> Mapping[str, Any]:
    return drain_view(services().drain_tools.end())
