"""Enrichment: an opening's event starts an orchestration that follows a Databricks run; it can be run again by HTTP."""

import logging
from collections.abc import Generator, Mapping
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from blueprints.answers import answer
from shared import telemetry
from shared.clients.durable.orchestrations import DurableOrchestrations
from shared.domain.runs.run import MOST_TRIES, ask_again_after, poll_after
from shared.domain.windows.announcement import window_of
from shared.errors import IngestionError, JobRefused, LoginRefused
from shared.flows.enrich import claim_run, fail_run, follow_run, prepare_lookups, start_run, wanted
from shared.flows.report_runs import report_run
from shared.flows.request_runs import request_rerun, start_enrichment_of
from shared.http.statuses import ACCEPTED
from shared.http.views import accepted_run
from shared.services import services

bp = df.Blueprint()
logger = logging.getLogger(__name__)

_RETRY = (5_000, 5)
# A run may last a day: its end must be written whatever happens meanwhile.
_PATIENT_RETRY = (15_000, 240)


@bp.event_grid_trigger(arg_name="event")
@bp.durable_client_input(client_name="client")
async def start_enrichment(event: func.EventGridEvent, client: df.DurableOrchestrationClient) -> None:
    """Start the enrichment of the window that an opening's event names; the ledger decides, the event only wakes."""
    published = {"eventType": event.event_type, "subject": event.subject, "id": event.id, "data": event.get_json()}
    window_id = window_of(published)
    if not await telemetry.in_thread(wanted, services().enrichment_tools, window_id):
        telemetry.info(logger, "enrichment.not_wanted", window=window_id or "-", subject=event.subject)
        return
    await start_enrichment_of(DurableOrchestrations(client), window_id or "")


@bp.route(route="windows/{id}/enrichment", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def rerun_enrichment(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Compute a window's silver, gold, SQL and counts again from bronze: 202; 409 while a run of it is active."""
    return await answer(_rerun(req.route_params["id"], DurableOrchestrations(client)), status=ACCEPTED)


@bp.activity_trigger(input_name="request")
def claim_enrichment(request: dict) -> dict:  # type: ignore[type-arg] # the worker refuses dict[str, Any]
    """Claim a window's run in the ledger; idempotent by window and number."""
    return claim_run(services().enrichment_tools, request["window_id"], request["number"], request["mode"])


@bp.activity_trigger(input_name="request")
def write_lookup(request: dict) -> dict:  # type: ignore[type-arg] # the worker refuses dict[str, Any]
    """Write the window's lookups, once; what no retry can cure fails the run."""
    return _or_failed(prepare_lookups, request, JobRefused, LoginRefused)


@bp.activity_trigger(input_name="request")
def submit_run(request: dict) -> dict:  # type: ignore[type-arg] # the worker refuses dict[str, Any]
    """Start the Databricks run, once for its idempotency token and when its turn has come."""
    return _or_failed(start_run, request, JobRefused, LoginRefused)


@bp.activity_trigger(input_name="request")
def poll_run(request: dict) -> dict:  # type: ignore[type-arg] # the worker refuses dict[str, Any]
    """Ask how the run stands, and write it into the ledger; it goes on though a login is refused."""
    return _or_failed(follow_run, request, JobRefused)


@bp.activity_trigger(input_name="request")
def give_up_run(request: dict) -> dict:  # type: ignore[type-arg] # the worker refuses dict[str, Any]
    """Write that the run could not be started or followed."""
    return fail_run(services().enrichment_tools, request["window_id"], request["number"], request["reason"])


@bp.activity_trigger(input_name="request")
def measure_run(request: dict) -> dict:  # type: ignore[type-arg] # the worker refuses dict[str, Any]
    """Measure what a run brought, and alert of what went wrong; nothing where no database is set."""
    tools = services().report_tools
    return report_run(tools, request["window_id"], request["number"]) if tools else {}


@bp.orchestration_trigger(context_name="context")
def enrich_window(context: df.DurableOrchestrationContext) -> Generator[Any, Any, dict[str, Any]]:
    """Run a window's enrichment, again under the next number where its end says that this can help."""
    payload = context.get_input()
    for number in range(payload["number"], payload["number"] + MOST_TRIES):
        tried = {**payload, "number": number}
        end = yield from _one_run(context, tried)
        if not end.get("again"):
            break
    yield context.call_activity_with_retry("measure_run", df.RetryOptions(*_PATIENT_RETRY), tried)
    return dict(end)


def _one_run(
    context: df.DurableOrchestrationContext, payload: Mapping[str, Any]
) -> Generator[Any, Any, dict[str, Any]]:
    try:
        started = yield from _start(context, dict(payload))
        return started if _is_over(started) else (yield from _follow(context, payload))
    except Exception as error:  # noqa: BLE001 - the SDK raises bare exceptions for failed activities
        given_up = {**payload, "reason": str(error)[:500]}
        done = yield context.call_activity_with_retry("give_up_run", df.RetryOptions(*_PATIENT_RETRY), given_up)
        return dict(done)


def _start(context: df.DurableOrchestrationContext, payload: dict[str, Any]) -> Generator[Any, Any, dict[str, Any]]:
    claimed = yield context.call_activity_with_retry("claim_enrichment", df.RetryOptions(*_RETRY), payload)
    if _is_over(claimed):
        return dict(claimed)
    written = yield context.call_activity_with_retry("write_lookup", df.RetryOptions(*_RETRY), payload)
    if _is_over(written):
        return dict(written)
    return (yield from _submit(context, payload))


def _submit(context: df.DurableOrchestrationContext, payload: dict[str, Any]) -> Generator[Any, Any, dict[str, Any]]:
    """Submit the run; while another run of its feed is in the way, ask again and again, one thing after the other."""
    elapsed, retry = timedelta(), _RETRY
    while True:
        submitted = yield context.call_activity_with_retry("submit_run", df.RetryOptions(*retry), payload)
        if not submitted.get("waits_for"):
            return dict(submitted)
        wait = ask_again_after(elapsed)
        elapsed += wait
        yield context.create_timer(context.current_utc_datetime + wait)
        retry = _PATIENT_RETRY


def _is_over(done: Mapping[str, Any]) -> bool:
    return bool(done.get("ended")) or done.get("proceed") is False


def _follow(context: df.DurableOrchestrationContext, payload: Mapping[str, Any]) -> Generator[Any, Any, dict[str, Any]]:
    elapsed = timedelta()
    while True:
        wait = poll_after(elapsed)
        elapsed += wait
        yield context.create_timer(context.current_utc_datetime + wait)
        stands = yield context.call_activity_with_retry("poll_run", df.RetryOptions(*_PATIENT_RETRY), dict(payload))
        if stands["ended"]:
            return dict(stands)


def _or_failed(step: Any, request: Mapping[str, Any], *final: type[IngestionError]) -> dict[str, Any]:  # noqa: ANN401 - one of three flows
    tools = services().enrichment_tools
    try:
        done: dict[str, Any] = step(tools, request["window_id"], request["number"])
    except final as refusal:
        return fail_run(tools, request["window_id"], request["number"], str(refusal))
    return done


async def _rerun(window_id: str, orchestrations: DurableOrchestrations) -> Mapping[str, Any]:
    return accepted_run(await request_rerun(services().enrichment_tools, orchestrations, window_id))
