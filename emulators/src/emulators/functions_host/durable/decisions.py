"""What an orchestrator's actions mean for the hub: which tasks to schedule, under which ids. Pure.

One event is delivered per episode. The ids that the SDK takes by itself while it digests a failure (retries) are
allocated before the orchestrator is called, those of its new actions after: so host and SDK can't disagree.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from emulators.functions_host.durable.history import EventType, closing_events, event, task_event
from emulators.functions_host.durable.model import Call, Event, Instance, Plan, Reply, Retry, Task, Turn

_ACTIVITY, _ACTIVITY_RETRY, _CHILD, _CHILD_RETRY, _CONTINUE, _TIMER, _WAIT = range(7)
_ANY, _ALL = 11, 12
_REFUSED = {_CONTINUE: "continue_as_new", 7: "call_entity", 8: "call_http", 9: "signal_entity"}
_TIMER_CALL = Call("timer", "")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The names that an orchestrator may call."""

    activities: frozenset[str]
    orchestrators: frozenset[str]


def opening(now: datetime, arrived: Event) -> tuple[Event, Event]:
    """Give the events that open an episode in which `arrived` is delivered."""
    return event(EventType.ORCHESTRATOR_STARTED, now), arrived


def take_turn(instance: Instance, arrived: Event, *, reply: Reply, now: datetime, known: Catalogue) -> Turn:
    """Decide one episode: `arrived` was delivered to `instance` and the orchestrator answered `reply`."""
    retried, repeats = digest(instance.plan, arrived, now)
    actions = list(flatten(reply.actions))
    fault = objection(actions[retried.seen :], known)
    # A function that failed before the SDK ran it (an import error, say) answers with no actions at all.
    lost = len(actions) < retried.seen
    plan, tasks = (retried, ()) if fault or lost else schedule(retried, actions)
    tasks = tuple(_named(task, instance.execution) for task in (*repeats, *tasks))
    after = _after(instance, replace(reply, error=fault or reply.error, done=bool(fault) or reply.done), now)
    cancelled = tuple(i for i in plan.cancelled if i not in instance.plan.cancelled)
    events = [*opening(now, arrived), *(task_event(task, now) for task in tasks), *closing_events(after, now)]
    return Turn(replace(after, plan=plan), tuple(events), tasks, cancelled)


def broken_turn(instance: Instance, arrived: Event, *, fault: str, now: datetime) -> Turn:
    """End an orchestration whose reply makes no sense to this host, saying so in its output."""
    after = _after(instance, Reply(error=f"the host can't read the orchestrator's reply: {fault}"), now)
    return Turn(after, (*opening(now, arrived), *closing_events(after, now)))


def digest(plan: Plan, arrived: Event, now: datetime) -> tuple[Plan, tuple[Task, ...]]:
    """Allocate what a retry needs when `arrived` is about an attempt of it, or about the timer between two.

    A failed attempt always takes a timer, even the last one: the SDK fails the task only when that timer has fired.
    """
    number = arrived.get("TimerId", arrived.get("TaskScheduledId", -1))
    retry = plan.retries.get(number)
    if retry is None:
        return plan, ()
    rest = {key: value for key, value in plan.retries.items() if key != number}
    if arrived["EventType"] in {EventType.TASK_FAILED, EventType.CHILD_FAILED}:
        task = Task(plan.next_id, _TIMER_CALL, now + timedelta(milliseconds=retry.delay_ms))
        return replace(plan, next_id=plan.next_id + 1, retries={**rest, task.id: retry}), (task,)
    if arrived["EventType"] == EventType.TIMER_FIRED and retry.attempt < retry.limit:
        again = replace(retry, attempt=retry.attempt + 1)
        return (
            replace(plan, next_id=plan.next_id + 1, retries={**rest, plan.next_id: again}),
            (Task(plan.next_id, retry.call),),
        )
    return replace(plan, retries=rest), ()


def schedule(plan: Plan, actions: Sequence[Mapping[str, Any]]) -> tuple[Plan, tuple[Task, ...]]:
    """Turn the actions after `plan.seen` into tasks, and note the timers that are cancelled by now."""
    tasks: list[Task] = []
    for action in actions[plan.seen :]:
        plan, task = _add(plan, action)
        tasks += [task] if task else []
    timers = [action for action in actions if action["actionType"] == _TIMER]
    cancelled = tuple(i for i, timer in zip(plan.timers, timers, strict=True) if timer.get("isCanceled"))
    return replace(plan, seen=len(actions), cancelled=cancelled), tuple(tasks)


def flatten(actions: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Walk the action list depth first, giving the atomic actions."""
    for action in actions:
        if action["actionType"] in {_ANY, _ALL}:
            yield from flatten(action["compoundActions"])
        else:
            yield action


def objection(actions: Sequence[Mapping[str, Any]], known: Catalogue) -> str | None:
    """Say why these actions can't be scheduled: a kind this host lacks, or a function the app lacks."""
    for action in actions:
        kind, name = action["actionType"], action.get("functionName")
        if kind in _REFUSED:
            return f"{_REFUSED[kind]} is not supported by this host"
        for kinds, names, what in (
            ({_ACTIVITY, _ACTIVITY_RETRY}, known.activities, "an activity"),
            ({_CHILD, _CHILD_RETRY}, known.orchestrators, "an orchestrator"),
        ):
            if kind in kinds and name not in names:
                return missing(str(name), what, names)
    return None


def missing(name: str, what: str, names: frozenset[str]) -> str:
    """Word Azure's refusal of a function that the app doesn't have."""
    listed = ", ".join(f"'{known}'" for known in sorted(names)) or "none"
    return (
        f"The function '{name}' doesn't exist, is disabled, or is not {what} function. "
        f"Additional info: the following are the known {what.rsplit(maxsplit=1)[-1]} functions: {listed}."
    )


def _add(plan: Plan, action: Mapping[str, Any]) -> tuple[Plan, Task | None]:
    if action["actionType"] == _WAIT:
        return plan, None
    number, after = plan.next_id, replace(plan, next_id=plan.next_id + 1)
    if action["actionType"] == _TIMER:
        fire_at = datetime.fromisoformat(action["fireAt"])
        task = Task(number, _TIMER_CALL, fire_at if fire_at.tzinfo else fire_at.replace(tzinfo=UTC))
        return replace(after, timers=(*plan.timers, number)), task
    call = _call(action)
    options = action.get("retryOptions")
    if options:
        first = Retry(call, 1, options["maxNumberOfAttempts"], options["firstRetryIntervalInMilliseconds"])
        after = replace(after, retries={**plan.retries, number: first})
    return after, Task(number, call)


def _call(action: Mapping[str, Any]) -> Call:
    if action["actionType"] in {_ACTIVITY, _ACTIVITY_RETRY}:
        return Call("activity", action["functionName"], action.get("input"))
    # The SDK hands over JSON text, and the extension serialises it once more on its way to the child.
    text = action.get("input")
    return Call("child", action["functionName"], text and json.dumps(text), action.get("instanceId") or "")


def _named(task: Task, execution: str) -> Task:
    if task.call.kind != "child" or task.call.instance:
        return task
    return replace(task, call=replace(task.call, instance=f"{execution}:{task.id:04x}"))


def _after(instance: Instance, reply: Reply, now: datetime) -> Instance:
    status, output = "Running", instance.output
    if reply.error is not None:
        status, output = "Failed", json.dumps(f"Orchestrator function '{instance.name}' failed: {reply.error}")
    elif reply.done:
        status, output = "Completed", reply.output or "null"
    custom = reply.custom_status or instance.custom_status
    return replace(instance, status=status, output=output, custom_status=custom, updated=now)
