"""Carrying out the steps of an orchestration so that each ends with an answer, and its history stays short.

Azure's durable extension replays what the SDK asks for one thing after the other: nothing that is tried again stands in
a list with anything else. A step that is asked often goes on in children, each with a bounded number of questions.
"""

import contextlib
import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from shared import telemetry
from shared.domain.steps import CRASHED, MOST_CRASHES, DurableStep, crash, readable
from shared.errors import IngestionError

logger = logging.getLogger(__name__)

FIRST_CALLS = 8
"""How often a step is asked by the orchestration whose step it is, about 8 events of its history each time."""

CALLS = 20
"""How often each of the children asks that go on with it."""


class Context(Protocol):
    """What is needed of a durable orchestration context; its tasks are awaited by yielding them."""

    @property
    def current_utc_datetime(self) -> datetime:
        """Give the orchestration's own time."""

    @property
    def instance_id(self) -> str:
        """Name the orchestration."""

    def call_activity(self, name: str, input_: Any) -> Any:  # noqa: ANN401 - an untyped task
        """Make the task of an activity."""

    def call_sub_orchestrator(self, name: str, input_: Any) -> Any:  # noqa: ANN401 - an untyped task
        """Make the task of a child orchestration, whose id is made for it."""

    def create_timer(self, fire_at: datetime) -> Any:  # noqa: ANN401 - an untyped task
        """Make a timer task."""

    def task_all(self, activities: list[Any]) -> Any:  # noqa: ANN401 - an untyped task
        """Make the task that is done when all are."""


type Steps[Result] = Generator[Any, Any, Result]


def answered(work: Callable[[], Mapping[str, Any]], activity: str, **about: object) -> dict[str, Any]:
    """Carry an activity out; an IngestionError is its answer, for the orchestration to judge.

    about: the window, and what else is known, for every line that is logged on the way.
    """
    with telemetry.about(**about):
        try:
            return dict(work())
        except IngestionError as error:
            reason, kind = readable(str(error)), error.kind.name
            telemetry.warning(logger, "activity.failed", activity=activity, kind=kind, reason=reason)
            return {"failure": {"kind": kind, "reason": reason, "retry_after": getattr(error, "retry_after", 0.0)}}


def complete(context: Context, step: DurableStep) -> Steps[dict[str, Any]]:
    """Ask until the step's answer is the last one, and give it; never raises."""
    answer, rest = yield from ask(context, step, FIRST_CALLS)
    while rest is not None:
        asked = yield from _outcome(context.call_sub_orchestrator("ask_on", rest.as_wire()))
        if "answer" in asked:
            answer, rest = asked["answer"], DurableStep.from_wire(asked["rest"]) if asked["rest"] else None
        else:  # the child died
            answer, rest = asked, (yield from _waited(context, rest, asked))
    return answer


def ask_on(context: Context, step: DurableStep) -> Steps[dict[str, Any]]:
    """Ask `CALLS` times at most; give the newest `answer`, and as `rest` the step where it must be asked again."""
    answer, rest = yield from ask(context, step, CALLS)
    return {"answer": answer, "rest": rest.as_wire() if rest else None}


def ask(context: Context, step: DurableStep, calls: int) -> Steps[tuple[dict[str, Any], DurableStep | None]]:
    """Ask so many times at most, waiting after each; give the newest answer, and the step where it was not the last."""
    for _ in range(calls):
        answer = yield from _outcome(context.call_activity(step.activity, dict(step.request)))
        rest = yield from _waited(context, step, answer)
        if rest is None:
            return answer, None
        step = rest
    return answer, step


def complete_apart(context: Context, step: DurableStep) -> Steps[dict[str, Any]]:
    """Complete a step in an orchestration of its own, and in another one where that died with its worker."""
    for _ in range(MOST_CRASHES):
        answer: dict[str, Any] = yield from _outcome(context.call_sub_orchestrator("complete_step", step.as_wire()))
        if answer.get("failure", {}).get("kind") != CRASHED:
            break
    return answer


def run_children(context: Context, calls: Sequence[Callable[[], Any]], *, at_once: bool) -> Steps[list[dict[str, Any]]]:
    """Run child orchestrations, all at once or one after another; one that failed gives a failure, and ends no other.

    Awaiting them together ends at the first failure, so each is awaited once more: those that are done answer at once.
    """
    outcomes = []
    for group in [calls] if at_once else [[call] for call in calls]:
        tasks = [call() for call in group]
        with contextlib.suppress(Exception):  # the SDK raises bare exceptions; each is met again below
            yield context.task_all(tasks)
        for task in tasks:
            outcome = yield from _outcome(task)
            outcomes.append(outcome)
    return outcomes


def _outcome(task: Any) -> Steps[Any]:  # noqa: ANN401 - an untyped task
    try:
        return (yield task)
    except Exception as error:  # noqa: BLE001 - the SDK raises bare exceptions for whatever failed
        return crash(error)


def _waited(context: Context, step: DurableStep, answer: Mapping[str, Any]) -> Steps[DurableStep | None]:
    """Wait as long as an answer asks for; give the step after that, None where it was the last answer."""
    wait = step.wait(answer, context.current_utc_datetime, context.instance_id)
    if wait is None:
        return None
    yield context.create_timer(context.current_utc_datetime + wait)
    return step.waiting(answer, wait)
