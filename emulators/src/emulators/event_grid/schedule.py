"""What follows an attempt to deliver: done, again after a while, or dead. Pure.

The rules are those of Microsoft's page "Event Grid message delivery and retry" for webhooks, without its jitter and
without the delay it puts on unhealthy endpoints.
"""

from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus

RESPONSE_SECONDS = 30.0
_PAUSES = (10, 30, 60, 300, 600, 1800, 3600, 10800, 21600)
_LAST_PAUSE = 43200
_DELIVERED = range(200, 205)
_PERMANENT = frozenset({400, 401, 403, 413})
_PAUSE_AT_LEAST: dict[int | None, int] = {408: 120, 503: 30}
_NAMES = {413: "PayloadTooLarge", 503: "Busy"}

EXPIRED = "TimeToLiveExceeded"
EXHAUSTED = "MaxDeliveryAttemptsExceeded"


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """How an attempt ended: the endpoint's status, or None with a `name` that says what happened instead."""

    status: int | None
    name: str

    @classmethod
    def of(cls, status: int) -> "DeliveryOutcome":
        """Name what an endpoint answered, as dead letters name it."""
        if status in _DELIVERED:
            return cls(status, "Success")
        known = status in HTTPStatus
        phrase = HTTPStatus(status).phrase.replace(" ", "").replace("-", "") if known else "GenericError"
        return cls(status, _NAMES.get(status, phrase))


TIMED_OUT = DeliveryOutcome(None, "TimedOut")
UNREACHABLE = DeliveryOutcome(None, "ConnectionFailed")


class Turn(Enum):
    """What happens next to an event."""

    DELIVERED = auto()
    AGAIN = auto()
    DEAD = auto()


@dataclass(frozen=True, slots=True)
class Step:
    """The next turn: `seconds` until the next attempt, or the `reason` of a death."""

    turn: Turn
    seconds: float = 0.0
    reason: str = ""


def next_step(outcome: DeliveryOutcome, attempts: int, most_attempts: int) -> Step:
    """Decide after the attempt number `attempts` (from 1)."""
    if outcome.status in _DELIVERED:
        return Step(Turn.DELIVERED)
    if outcome.status in _PERMANENT:
        return Step(Turn.DEAD, reason=f"UndeliverableDueToHttp{outcome.name}")
    if attempts >= most_attempts:
        return Step(Turn.DEAD, reason=EXHAUSTED)
    pause = _PAUSES[attempts - 1] if attempts <= len(_PAUSES) else _LAST_PAUSE
    return Step(Turn.AGAIN, seconds=max(pause, _PAUSE_AT_LEAST.get(outcome.status, 0)))
