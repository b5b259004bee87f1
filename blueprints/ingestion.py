"""Ingestion: the timer opens windows, a window runs legs, a leg runs slices, and the last step closes the window.

An orchestration awaits one thing after the other, or all its children together, and gives an outcome: it never raises.
"""

import asyncio
from collections.abc import Generator
from datetime import datetime
from functools import partial
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from shared import telemetry
from shared.clients.durable.orchestrations import STOP_EVENT, DurableOrchestrations
from shared.domain.steps import DurableStep
from shared.domain.windows.deadlines import closing_deadline, slice_deadline, telling_deadline
from shared.domain.windows.instances import leg_instance, opening_instance, slice_instance
from shared.domain.windows.plan import Plan
from shared.domain.windows.window import feed_of
from shared.flows.announce import announce_closing, announce_opening, mark_closed
from shared.flows.close_window import close, fail
from shared.flows.ingest_slice import begin, ingest, slice_outcome
from shared.flows.open_windows import claim_due_windows, record_tick, start_windows
from shared.flows.steps import answered, complete, complete_apart, run_children
from shared.services import services
from shared.signals.metrics import TICKS
from shared.signals.recording import record

bp = df.Blueprint()


@bp.timer_trigger(schedule="%WINDOW_TIMER%", arg_name="timer")
@bp.durable_client_input(client_name="client")
async def open_due_windows(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:  # noqa: ARG001
    """Claim the windows that are due, of every enabled feed, and start their orchestrations."""
    app = services()
    schedules = [feed.schedule for feed in app.settings.feeds.values()]
    record(TICKS, 1, timer="open_due_windows")
    now = app.clock()
    rows = await telemetry.in_thread(
        claim_due_windows, app.ledger, app.plans, schedules, now, app.settings.timer_period
    )
    await start_windows(rows, DurableOrchestrations(client))
    record_tick(rows, now, app.clock())


@bp.activity_trigger(input_name="request")
def begin_window(request: dict) -> dict:  # type: ignore[type-arg] # the worker refuses dict[str, Any]
    """Move a planned window to open; idempotent by the window's id and attempt."""
    app, window_id, attempt = services(), request["window_id"], request.get("attempt", 1)
    begun = answered(lambda: begin(app.ledger, window_id, attempt, app.clock()), "begin_window", window=window_id)
    app.warm_up(feed_of(window_id))
    return begun


@bp.activity_trigger(input_name="request")
def ingest_slice(request: dict) -> dict:  # type: ignore[type-arg] # the worker refuses dict[str, Any]
    """Ingest one slice; each run takes the next attempt number of the ledger."""
    plan, number = Plan.from_wire(request["plan"]), request["slice"]
    about = {"window": plan.window.id, "slice": number}
    return answered(lambda: asyncio.run(ingest(plan, number, services().slice_tools)), "ingest_slice", **about)


@bp.activity_trigger(input_name="request")
def close_window(request: dict) -> dict:  # type: ignore[type-arg] # the worker refuses dict[str, Any]
    """Join the slices, fill what is missing, and write how the window ended; idempotent by the window's id."""
    plan = Plan.from_wire(request["plan"])
    return answered(lambda: asyncio.run(close(plan, services().slice_tools)), "close_window", window=plan.window.id)


@bp.activity_trigger(input_name="request")
def fail_window(request: dict) -> dict:  # type: ignore[type-arg] # the worker refuses dict[str, Any]
    """Write that a window could not be closed, and why."""
    plan, reason = Plan.from_wire(request["plan"]), request["reason"]
    return answered(lambda: fail(plan, reason, services().slice_tools), "fail_window", window=plan.window.id)


@bp.activity_trigger(input_name="request")
def publish_opening(request: dict) -> dict:  # type: ignore[type-arg] # the worker refuses dict[str, Any]
    """Tell the topic that a window opens; idempotent by the ledger."""
    return answered(
        lambda: announce_opening(services().window_events, request["window_id"]),
        "publish_opening",
        window=request["window_id"],
    )


@bp.activity_trigger(input_name="request")
def write_marker(request: dict) -> dict:  # type: ignore[type-arg] # the worker refuses dict[str, Any]
    """Write the file that marks a window's end; idempotent."""
    return answered(
        lambda: asyncio.run(mark_closed(services().window_events, request["window_id"])),
        "write_marker",
        window=request["window_id"],
    )


@bp.activity_trigger(input_name="request")
def publish_closing(request: dict) -> dict:  # type: ignore[type-arg] # the worker refuses dict[str, Any]
    """Tell the topic that a window is over; idempotent by the ledger."""
    return answered(
        lambda: announce_closing(services().window_events, request["window_id"]),
        "publish_closing",
        window=request["window_id"],
    )


@bp.orchestration_trigger(context_name="context")
def ingest_window(context: df.DurableOrchestrationContext) -> Generator[Any, Any, dict[str, Any]]:
    """Open a window, run its legs and beside them the publishing of its opening, and close it whatever they did."""
    plan = Plan.from_wire(context.get_input()["plan"])
    began = context.current_utc_datetime
    begun = yield from complete(
        context,
        DurableStep(
            "begin_window", {"window_id": plan.window.id, "attempt": plan.attempt}, closing_deadline(plan, began)
        ),
    )
    if begun.get("proceed") is False:
        return begun
    calls = [partial(_opening, context, plan)]
    calls += [partial(_leg, context, plan, leg.number, began) for leg in plan.legs()]
    opened, *_ = yield from run_children(context, calls, at_once=not plan.past)
    if "failure" in opened:  # nobody may have written that the opening is postponed
        yield from complete_apart(context, _opening_step(plan))
    return (yield from _close(context, plan, began))


@bp.orchestration_trigger(context_name="context")
def ingest_leg(context: df.DurableOrchestrationContext) -> Generator[Any, Any, list[dict[str, Any]]]:
    """Run a leg's slices, which wait for their own times; those of a past window run one after another."""
    payload = context.get_input()
    plan = Plan.from_wire(payload["plan"])
    calls = [partial(_slice, context, payload, part.number) for part in plan.legs()[payload["leg"]].slices]
    return run_children(context, calls, at_once=not plan.past)


@bp.orchestration_trigger(context_name="context")
def run_slice(context: df.DurableOrchestrationContext) -> Generator[Any, Any, dict[str, Any]]:
    """Wait for a slice's time and ingest it, again while that may help; gives its `state`, and the `reason` for it."""
    payload = context.get_input()
    plan, number = Plan.from_wire(payload["plan"]), payload["slice"]
    part = plan.slices()[number]
    if not plan.past and (yield from _stopped_before(context, part.start - plan.lead)):
        return {"slice": number, "state": "skipped", "reason": "The window was stopped before this slice began."}
    until = slice_deadline(plan, part, datetime.fromisoformat(payload["began"]))
    answer = yield from complete(
        context, DurableStep("ingest_slice", {"plan": payload["plan"], "slice": number}, until)
    )
    return slice_outcome(number, answer)


def _opening(context: df.DurableOrchestrationContext, plan: Plan) -> Any:  # noqa: ANN401 - an untyped task
    return context.call_sub_orchestrator(
        "complete_step", _opening_step(plan).as_wire(), opening_instance(plan.instance)
    )


def _opening_step(plan: Plan) -> DurableStep:
    return DurableStep("publish_opening", {"window_id": plan.window.id}, plan.window.end)


def _leg(context: df.DurableOrchestrationContext, plan: Plan, number: int, began: datetime) -> Any:  # noqa: ANN401 - an untyped task
    payload = {"plan": plan.as_wire(), "leg": number, "began": began.isoformat()}
    return context.call_sub_orchestrator("ingest_leg", payload, leg_instance(plan.instance, number))


def _slice(context: df.DurableOrchestrationContext, leg: dict[str, Any], number: int) -> Any:  # noqa: ANN401 - an untyped task
    payload = {"plan": leg["plan"], "slice": number, "began": leg["began"]}
    return context.call_sub_orchestrator("run_slice", payload, slice_instance(context.instance_id, number))


def _stopped_before(context: df.DurableOrchestrationContext, due: datetime) -> Generator[Any, Any, bool]:
    """Wait until `due`, and say whether a stop came first; one that comes later is seen in the ledger."""
    if due <= context.current_utc_datetime:
        return False
    timer, stop = context.create_timer(due), context.wait_for_external_event(STOP_EVENT)
    winner = yield context.task_any([timer, stop])
    if winner is timer:
        return False
    if not timer.is_completed:  # one batch may bring both; a completed timer can't be cancelled
        timer.cancel()
    return True


def _close(context: df.DurableOrchestrationContext, plan: Plan, began: datetime) -> Generator[Any, Any, dict[str, Any]]:
    """End the window in the ledger, as failed where it can't be closed, and then tell of its end."""
    wire, named = {"plan": plan.as_wire()}, {"window_id": plan.window.id}
    until, telling_until = closing_deadline(plan, began), telling_deadline(plan, began)
    closed = yield from complete_apart(context, DurableStep("close_window", wire, until))
    if "failure" in closed:
        reason = closed["failure"]["reason"]
        closed = yield from complete_apart(
            context, DurableStep("fail_window", wire | {"reason": reason}, telling_until)
        )
    if "failure" not in closed:
        yield from complete_apart(context, DurableStep("write_marker", named, telling_until))
        yield from complete_apart(context, DurableStep("publish_closing", named, telling_until))
    return closed
