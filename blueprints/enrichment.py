"""Enrichment: an opening's event starts an orchestration that follows a Databricks run; it can be run again by HTTP."""

import logging
from collections.abc import Callable, Generator, Mapping
from datetime import datetime
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from blueprints.answers import answer
from shared import telemetry
from shared.clients.durable.orchestrations import DurableOrchestrations
from shared.domain.runs.run import KEPT, MOST_TRIES
from shared.domain.steps import DurableStep
from shared.domain.windows.announcement import window_of
from shared.flows.enrich import claim_run, fail_run, follow_run, prepare_lookups, start_run, wanted
from shared.flows.report_runs import report_run
from shared.flows.request_runs import request_rerun, start_enrichment_of
from shared.flows.steps import answered, complete_apart
from shared.http.events import published_event
from shared.http.statuses import ACCEPTED
from shared.http.views import accepted_run
from shared.services import services

bp = df.Blueprint()
logger = logging.getLogger(__name__)


@bp.event_grid_trigger(arg_name="event")
@bp.durable_client_input(client_name="client")
async def start_enrichment(event: func.EventGridEvent, client: df.DurableOrchestrationClient) -> None:
    """Start the enrichment of the window that an opening's event names; the ledger decides, the event only wakes."""
    window_id = window_of(published_event(event))
    number = await telemetry.in_thread(wanted, services().enrichment_tools, window_id)
    if number is None:
        telemetry.info(logger, "enrichment.not_wanted", window=window_id or "-", subject=event.subject)
        return
    await start_enrichment_of(DurableOrchestrations(client), window_id or "", number)


@bp.route(route="windows/{id}/enrichment", methods=["POST"])
@bp.durable_client_input(client_name="client")
async def rerun_enrichment(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Compute a window's silver, gold, SQL and counts again from bronze: 202; 409 while a run of it is active."""
    return await answer(_rerun(req.route_params["id"], DurableOrchestrations(client)), status=ACCEPTED)


@bp.activity_trigger(input_name="request")
def claim_enrichment(request: dict) -> dict:  # type: ignore[type-arg] # the worker refuses dict[str, Any]
    """Claim a window's run in the ledger; idempotent by window and number."""
    return _answered(claim_run, request, request["mode"], activity="claim_enrichment")


@bp.activity_trigger(input_name="request")
def write_lookup(request: dict) -> dict:  # type: ignore[type-arg] # the worker refuses dict[str, Any]
    """Write the window's lookups, once."""
    return _answered(prepare_lookups, request, activity="write_lookup")


@bp.activity_trigger(input_name="request")
def submit_run(request: dict) -> dict:  # type: ignore[type-arg] # the worker refuses dict[str, Any]
    """Start the Databricks run, once for its idempotency token and when its turn has come."""
    return _answered(start_run, request, activity="submit_run")


@bp.activity_trigger(input_name="request")
def poll_run(request: dict) -> dict:  # type: ignore[type-arg] # the worker refuses dict[str, Any]
    """Ask how the run stands, and write it into the ledger."""
    return _answered(follow_run, request, activity="poll_run")


@bp.activity_trigger(input_name="request")
def give_up_run(request: dict) -> dict:  # type: ignore[type-arg] # the worker refuses dict[str, Any]
    """Write that the run could not be started or followed."""
    return _answered(fail_run, request, request["reason"], activity="give_up_run")


@bp.activity_trigger(input_name="request")
def measure_run(request: dict) -> dict:  # type: ignore[type-arg] # the worker refuses dict[str, Any]
    """Measure what a run brought, and alert of what went wrong; nothing where no database is set."""
    tools = services().report_tools
    window_id, number = request["window_id"], request["number"]
    return answered(
        lambda: report_run(tools, window_id, number) if tools else {}, "measure_run", window=window_id, number=number
    )


@bp.orchestration_trigger(context_name="context")
def enrich_window(context: df.DurableOrchestrationContext) -> Generator[Any, Any, dict[str, Any]]:
    """Run a window's enrichment, again under the next number where its end says that this can help, and measure it."""
    payload = context.get_input()
    for number in range(payload["number"], payload["number"] + MOST_TRIES):
        tried = {**payload, "number": number}
        end = yield from _one_run(context, tried)
        if not end.get("again"):
            break
    yield from complete_apart(context, DurableStep("measure_run", tried, context.current_utc_datetime + KEPT))
    return end


def _one_run(context: df.DurableOrchestrationContext, run: dict[str, Any]) -> Generator[Any, Any, dict[str, Any]]:
    """Take a run through its steps, each in an orchestration of its own; one that fails gives the run up."""
    until = context.current_utc_datetime + KEPT
    done = yield from complete_apart(context, DurableStep("claim_enrichment", run, until))
    if done.get("proceed") is False:
        return done
    until = datetime.fromisoformat(done.get("until", until.isoformat()))
    steps = (
        DurableStep("write_lookup", run, until),
        DurableStep("submit_run", run, until, "turn"),
        DurableStep("poll_run", run, until, "follow", tolerance=KEPT.total_seconds()),
    )
    for step in steps:
        if "failure" not in done:
            done = yield from complete_apart(context, step)
    if "failure" not in done:
        return done
    given_up = {**run, "reason": done["failure"]["reason"]}
    return (yield from complete_apart(context, DurableStep("give_up_run", given_up, until + KEPT)))


def _answered(
    step: Callable[..., dict[str, Any]], request: Mapping[str, Any], *given: str, activity: str
) -> dict[str, Any]:
    """Carry out one step of the run that a request names."""
    window_id, number = request["window_id"], request["number"]
    return answered(
        lambda: step(services().enrichment_tools, window_id, number, *given), activity, window=window_id, number=number
    )


async def _rerun(window_id: str, orchestrations: DurableOrchestrations) -> Mapping[str, Any]:
    return accepted_run(await request_rerun(services().enrichment_tools, orchestrations, window_id))
