"""Metrics by HTTP: measure a table for a run, list the last measurements; a timer sends the alerts that are pending."""

import logging
from collections.abc import Mapping
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from blueprints.answers import answer
from shared import telemetry
from shared.flows.measure import list_measurements, measure
from shared.flows.pending_alerts import retry_pending_alerts as retry
from shared.http.metrics_requests import parse_measure_request
from shared.services import services
from shared.signals.metrics import TICKS
from shared.signals.recording import record

bp = df.Blueprint()
logger = logging.getLogger(__name__)


@bp.route(route="metrics", methods=["POST"])
async def post_metrics(req: func.HttpRequest) -> func.HttpResponse:
    """Measure `{"table", "run_id", "ingestion_time", "window"?}` once for its run: 200 with counts, limits, verdict."""
    return await answer(telemetry.in_thread(_measure, req.get_body(), req.headers.get("Content-Type", "")))


@bp.route(route="metrics", methods=["GET"])
async def get_metrics(req: func.HttpRequest) -> func.HttpResponse:
    """List the last measurements of `?table=`, newest first."""
    return await answer(telemetry.in_thread(_list, req.params.get("table")))


@bp.timer_trigger(schedule="30 * * * * *", arg_name="timer", run_on_startup=False)
async def retry_pending_alerts(timer: func.TimerRequest) -> None:
    """Send each alert that is pending and due; nothing is asked where no database is set, or no alert is pending."""
    done = await telemetry.in_thread(lambda: retry(services().alert_tools))
    record(TICKS, 1, timer="retry_pending_alerts")
    if done["due"]:
        telemetry.info(logger, "alerts.retried", late=timer.past_due, **done)


def _measure(body: bytes, content_type: str) -> Mapping[str, Any]:
    return measure(services().metrics_tools, parse_measure_request(body, content_type))


def _list(table: str | None) -> Mapping[str, Any]:
    return list_measurements(services().metrics_tools, table)
