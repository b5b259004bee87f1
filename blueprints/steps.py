"""The steps of all orchestrations: completing one, and going on with one that must be asked often."""

from collections.abc import Generator
from typing import Any

import azure.durable_functions as df

from shared.domain.steps import DurableStep
from shared.flows import steps

bp = df.Blueprint()


@bp.orchestration_trigger(context_name="context")
def complete_step(context: df.DurableOrchestrationContext) -> Generator[Any, Any, dict[str, Any]]:
    """Ask one activity until its answer is the last one, and give it."""
    return steps.complete(context, DurableStep.from_wire(context.get_input()))


@bp.orchestration_trigger(context_name="context")
def ask_on(context: df.DurableOrchestrationContext) -> Generator[Any, Any, dict[str, Any]]:
    """Go on asking, a bounded number of times."""
    return steps.ask_on(context, DurableStep.from_wire(context.get_input()))
