"""What an episode comes to: the instance afterwards, the events of its history, and the tasks to schedule. Pure."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from emulators.functions_host.durable.actions import ACTIVITIES, CHILDREN, REFUSED, Action, flatten
from emulators.functions_host.durable.history import (
    EventType,
    closing_events,
    event,
    execution_started,
    task_event,
)
from emulators.functions_host.durable.model import Event, Instance, Reply, Turn
from emulators.functions_host.durable.replay import Replayed, replay


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The names that an orchestrator may call."""

    activities: frozenset[str]
    orchestrators: frozenset[str]


@dataclass(frozen=True, slots=True)
class Episode:
    """One episode of an instance: all its history so far, and what is delivered now, in order of arrival."""

    instance: Instance
    past: Sequence[Event]
    arrived: Sequence[Event]
    now: datetime

    @property
    def opening(self) -> tuple[Event, ...]:
        """The events that open it."""
        return (event(EventType.ORCHESTRATOR_STARTED, self.now), *self.arrived)

    @property
    def played(self) -> tuple[Event, ...]:
        """The same events once they are in the history: what arrived has been played."""
        opened, *arrived = self.opening
        return (opened, *({**one, "IsPlayed": True} for one in arrived))


def take_turn(episode: Episode, reply: Reply, known: Catalogue, execution: str) -> Turn:
    """Decide one episode in which the orchestrator answered `reply`; `execution` names the next generation, if any."""
    fault = objection(flatten(reply.actions), known)
    if fault is not None:
        return _ended(episode, "Failed", _failed(episode.instance, fault))
    outcome = replay(episode.instance.execution, [*episode.past, *episode.opening], reply)
    if outcome.continued_with is not None:
        return _continued(episode, outcome, outcome.continued_with, execution)
    after = _after(episode, reply, outcome)
    scheduled = (task_event(task, episode.now) for task in outcome.tasks)
    events = (*episode.played, *scheduled, *closing_events(after, episode.now))
    return Turn(after, events, outcome.tasks)


def broken_turn(episode: Episode, fault: str) -> Turn:
    """End an orchestration whose reply makes no sense to this host, saying so in its output."""
    text = f"the host can't read the orchestrator's reply: {fault}"
    return _ended(episode, "Failed", _failed(episode.instance, text))


def objection(actions: Iterable[Action], known: Catalogue) -> str | None:
    """Say why these actions can't be scheduled: a kind that this host lacks, or a function that the app lacks."""
    for action in actions:
        kind, name = action["actionType"], action.get("functionName")
        if kind in REFUSED:
            return f"{REFUSED[kind]} is not supported by this host"
        for kinds, names, what in (
            (ACTIVITIES, known.activities, "an activity"),
            (CHILDREN, known.orchestrators, "an orchestrator"),
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


def _continued(episode: Episode, outcome: Replayed, text: str, execution: str) -> Turn:
    """Begin the next generation; its first episode has an end before the orchestrator is asked, as in Azure."""
    after = replace(
        episode.instance, execution=execution, input=json.dumps(text), status="Running", output=None,
        updated=episode.now,
    )  # fmt: skip
    started = {**execution_started(after, episode.now), "Generation": None}
    completed = event(EventType.ORCHESTRATOR_COMPLETED, episode.now)
    return Turn(after, (), fresh=(started, *outcome.carried, completed))


def _ended(episode: Episode, status: str, output: str) -> Turn:
    after = replace(episode.instance, status=status, output=output, updated=episode.now)
    return Turn(after, (*episode.played, *closing_events(after, episode.now)))


def _after(episode: Episode, reply: Reply, outcome: Replayed) -> Instance:
    status, output = _end(episode.instance, reply, outcome) or _course(episode, outcome)
    custom = reply.custom_status or episode.instance.custom_status
    return replace(episode.instance, status=status, output=output, custom_status=custom, updated=episode.now)


def _end(instance: Instance, reply: Reply, outcome: Replayed) -> tuple[str, str] | None:
    """Give the final status and the output of an orchestration that has ended."""
    if outcome.fault is not None:
        return "Failed", json.dumps(outcome.fault)
    if outcome.terminated is not None:
        return "Terminated", json.dumps(outcome.terminated)
    if not outcome.returned:
        return None
    if reply.error is not None:
        return "Failed", _failed(instance, reply.error)
    return "Completed", reply.output or "null"


def _course(episode: Episode, outcome: Replayed) -> tuple[str, str | None]:
    """Give the status of one that goes on; the reason of the last suspension or resumption is its output."""
    status = "Running" if outcome.suspended is None else "Suspended"
    switches = [one for one in episode.arrived if one["EventType"] in {EventType.SUSPENDED, EventType.RESUMED}]
    return status, json.dumps(switches[-1]["Reason"]) if switches else episode.instance.output


def _failed(instance: Instance, reason: str) -> str:
    return json.dumps(f"Orchestrator function '{instance.name}' failed: {reason}")
