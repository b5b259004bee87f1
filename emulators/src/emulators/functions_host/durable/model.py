"""The values of the durable task hub."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

type Event = Mapping[str, Any]
type TaskKind = Literal["activity", "child", "timer"]

FINAL = frozenset({"Completed", "Failed", "Terminated", "Canceled"})


@dataclass(frozen=True, slots=True)
class Call:
    """What to run for a task: an activity, or a child orchestration (`instance` empty: an id is made for it)."""

    kind: TaskKind
    name: str
    input: str | None = None
    instance: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """Something scheduled under the id by which the orchestrator knows it; `fire_at` for a timer, `call` otherwise."""

    id: int
    call: Call
    fire_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Parent:
    """Who waits for a child orchestration, and under which task id; `name` is the parent's orchestrator."""

    instance: str
    execution: str
    task: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Instance:
    """One orchestration. `input`, `output` and `custom_status` are JSON texts; times are UTC."""

    id: str
    execution: str
    name: str
    status: str
    created: datetime
    updated: datetime
    input: str | None = None
    output: str | None = None
    custom_status: str | None = None
    parent: Parent | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What the orchestrator function answered; `output` and `custom_status` are JSON texts."""

    actions: tuple[Mapping[str, Any], ...] = ()
    done: bool = False
    output: str | None = None
    error: str | None = None
    custom_status: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What one episode changes: the instance afterwards, its new history, and its new tasks.

    `fresh` is what the next generation begins with, where the orchestration continued as new: its history starts
    anew, and nothing else of the old one is kept.
    """

    instance: Instance
    events: tuple[Event, ...]
    tasks: tuple[Task, ...] = ()
    fresh: tuple[Event, ...] = ()


def timestamp(moment: datetime) -> str:
    """Write a moment the way history events carry it; texts of two moments sort as the moments do."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
