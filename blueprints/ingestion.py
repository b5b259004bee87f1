"""Ingestion: the timer opens windows, a window runs legs, a leg runs slices, and the last step closes the window."""

import asyncio
from collections.abc import Generator
from functools import partial
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from shared import telemetry
from shared.clients.durable.orchestrations import STOP_EVENT, DurableOrchestrations
from shared.domain.windows.instances import leg_instance
from shared.domain.windows.plan import Plan
from shared.flows.announce import announce_closing, announce_opening, mark_closed
from shared.flows.close_window import close
from shared.flows.ingest_slice import begin, ingest
from shared.flows.open_windows import claim_due_windows, start_windows
from shared.flows.staggered import Child, run_staggered
from shared.services import services

bp = df.Blueprint()

_SLICE_RETRY = (5_000, 4)
# A window must be closed whatever happens: its row would stay open for ever.
_LEDGER_RETRY = (10_000, 60)


@bp.timer_trigger(schedule="%WINDOW_TIMER%", arg_name="timer")
@bp.durable_client_input(client_name="client")
async def open_due_windows(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:  # noqa: ARG001
    """Claim the windows that are due, of every enabled feed, and start their orchestrations."""
    app = services()
    schedules = [feed.schedule for feed in app.settings.feeds.values()]
    rows = await telemetry.in_thread(
        claim_due_windows, app.ledger, app.plans, schedules, app.clock(), app.settings.timer_period
    )
    await start_windows(rows, DurableOrchestrations(client))


@bp.activity_trigger(input_name="request")
def begin_window(request: dict) -> dict:  # type: ignore[type-arg] # the worker refuses dict[str, Any]
    """Move a planned window to open; idempotent by the window's id."""
    return begin(services().ledger, request["window_id"], services().clock())


@bp.activity_trigger(input_name="request")
def ingest_slice(request: dict) -> dict:  # type: ignore[type-arg] # the worker refuses dict[str, Any]
    """Ingest one slice; each run takes the next attempt number of the ledger."""
    return asyncio.run(ingest(Plan.from_wire(request["plan"]), request["slice"], services().slice_tools))


@bp.activity_trigger(input_name="request")
def close_window(request: dict) -> dict:  # type: ignore[type-arg] # the worker refuses dict[str, Any]
    """Join the slices, fill what is missing, and write how the window ended; idempotent by the window's id."""
    return asyncio.run(close(Plan.from_wire(request["plan"]), services().slice_tools))


@bp.activity_trigger(input_name="request")
def publish_opening(request: dict) -> dict:  # type: ignore[type-arg] # the worker refuses dict[str, Any]
    """Tell the topic that a window opens; idempotent by the ledger."""
    return announce_opening(services().window_events, request["window_id"])


@bp.activity_trigger(input_name="request")
def write_marker(request: dict) -> dict:  # type: ignore[type-arg] # the worker refuses dict[str, Any]
    """Write the file that marks a window's end; idempotent."""
    return asyncio.run(mark_closed(services().window_events, request["window_id"]))


@bp.activity_trigger(input_name="request")
def publish_closing(request: dict) -> dict:  # type: ignore[type-arg] # the worker refuses dict[str, Any]
    """Tell the topic that a window is over; idempotent by the ledger."""
    return announce_closing(services().window_events, request["window_id"])


@bp.orchestration_trigger(context_name="context")
def ingest_window(context: df.DurableOrchestrationContext) -> Generator[Any, Any, dict[str, Any]]:
    """Run a window's legs, each from its own time on, then close the window."""
    payload = context.get_input()
    plan = Plan.from_wire(payload["plan"])
    patient = df.RetryOptions(*_LEDGER_RETRY)
    begun = yield context.call_activity_with_retry("begin_window", patient, {"window_id": plan.window.id})
    if begun["proceed"]:
        yield from _run_legs(context, plan)
        begun = yield context.call_activity_with_retry("close_window", patient, {"plan": payload["plan"]})
        yield context.call_activity_with_retry("write_marker", patient, {"window_id": plan.window.id})
        yield context.call_activity_with_retry("publish_closing", patient, {"window_id": plan.window.id})
    return dict(begun)


@bp.orchestration_trigger(context_name="context")
def ingest_leg(context: df.DurableOrchestrationContext) -> Generator[Any, Any, list[dict[str, Any]]]:
    """Run a leg's slices, each from `lead` before its own start, while the one before it still runs."""
    payload = context.get_input()
    plan = Plan.from_wire(payload["plan"])
    leg = plan.legs()[payload["leg"]]
    children = [
        Child(part.start - plan.lead, partial(_slice, context, payload["plan"], part.number)) for part in leg.slices
    ]
    results = yield from run_staggered(
        context, children, context.wait_for_external_event(STOP_EVENT), limit=plan.overlap(), fatal=_refused
    )
    return [_outcome(result) for result in results.values()]


def _run_legs(context: df.DurableOrchestrationContext, plan: Plan) -> Generator[Any, Any, dict[int, Any]]:
    """Run the legs, and beside them the publishing of the opening, so that a topic that is down delays no slice."""
    opening = Child(context.current_utc_datetime, partial(_publish_opening, context, plan))
    legs = [Child(leg.slices[0].start - plan.lead, partial(_leg, context, plan, leg.number)) for leg in plan.legs()]
    stop = context.wait_for_external_event(STOP_EVENT)
    return run_staggered(context, [opening, *legs], stop, limit=plan.overlap() + 1, fatal=_refused)


def _publish_opening(context: df.DurableOrchestrationContext, plan: Plan) -> Any:  # noqa: ANN401 - an untyped task
    request = {"window_id": plan.window.id}
    return context.call_activity_with_retry("publish_opening", df.RetryOptions(*_LEDGER_RETRY), request)


def _leg(context: df.DurableOrchestrationContext, plan: Plan, number: int) -> Any:  # noqa: ANN401 - an untyped task
    payload = {"plan": plan.as_wire(), "leg": number}
    return context.call_sub_orchestrator("ingest_leg", payload, leg_instance(plan.instance, number))


def _slice(context: df.DurableOrchestrationContext, plan: dict[str, Any], number: int) -> Any:  # noqa: ANN401
    return context.call_activity_with_retry(
        "ingest_slice", df.RetryOptions(*_SLICE_RETRY), {"plan": plan, "slice": number}
    )


def _outcome(result: Any) -> dict[str, Any]:  # noqa: ANN401 - a value, or the exception of the last attempt
    return {"state": "failed", "reason": str(result)[:200]} if isinstance(result, Exception) else result


def _refused(result: Any) -> bool:  # noqa: ANN401 - a slice's outcome, or those of a leg
    outcomes = result if isinstance(result, list) else [result]
    return any(isinstance(outcome, dict) and outcome.get("state") == "refused" for outcome in outcomes)
