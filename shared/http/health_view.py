"""How the health of the app is shown: a state, and each dependency with its age."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from shared.domain.health import Dependency, is_ready

_READY: Final = "ready"


def health_status(view: Mapping[str, Any]) -> HTTPStatus:
    """Answer 503 where something that was asked failed, so that who watches need not read the body."""
    return HTTPStatus.OK if view["state"] == _READY else HTTPStatus.SERVICE_UNAVAILABLE


def health_view(dependencies: Iterable[Dependency], now: datetime) -> dict[str, Any]:
    """Show them by name; ages are in seconds, null where it was never seen so since the process began."""
    listed = list(dependencies)
    return {
        "state": _READY if is_ready(listed) else "not_ready",
        "dependencies": {
            one.name: {
                "state": one.state,
                "reason": one.reason or None,
                "asked_seconds_ago": _age(one.asked_at, now),
                "ready_seconds_ago": _age(one.ready_at, now),
            }
            for one in listed
        },
    }


def _age(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else round((now - at).total_seconds(), 1)
