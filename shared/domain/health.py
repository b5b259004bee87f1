"""How what the app depends on stands, as it was last seen."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

type DependencyState = Literal["ready", "failed", "not_asked"]


@dataclass(frozen=True, slots=True)
class Dependency:
    """One dependency. reason: why it failed, or why it is not asked. asked_at: when its state was learnt.

    ready_at: when it was last seen ready, since this process began.
    """

    name: str
    state: DependencyState
    reason: str = ""
    asked_at: datetime | None = None
    ready_at: datetime | None = None


def is_ready(dependencies: Iterable[Dependency]) -> bool:
    """Say whether the app can do its work: nothing that was asked failed."""
    return all(one.state != "failed" for one in dependencies)
