"""A step of an orchestration: what is asked, what its answer means, and how long to wait before it is asked again.

An answer is the activity's own plain JSON. It holds `failure` (`kind`, `reason`, `retry_after`) where the work failed,
and `pending` where the work goes on and is to be asked about again.
"""

import re
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from shared.domain.failures import FailureKind

MOST_CRASHES: Final = 4
"""So often a step is tried whose activity raises what nobody foresaw, or whose worker dies."""

CRASHED: Final = "CRASHED"
"""The kind of a failure that no activity answered with."""

_FIRST_RETRY, _SOON, _LONGEST_RETRY = 2.0, 15.0, 300.0
_FIRST_POLL, _LONGEST_POLL = 4.0, 300.0
_LONGEST_TURN, _TURN_GROWTH = 30.0, 60
_GROWTH = 4
_JITTER = 0.2
_LONGEST_REASON = 300
_WRAPPING = re.compile(r"^(?:The )?(?:Activity|(?:Sub-)?Orchestrator) function '[^']*' failed:\s*\"?", re.IGNORECASE)
_CLASS = re.compile(r"^(?:\w+\.)*\w*(?:Error|Exception|Timeout|Exit): ")
_WORKER = re.compile(r"^Result: Failure\s+Exception: ")


@dataclass(frozen=True, slots=True)
class DurableStep:
    """One activity of an orchestration, and how it stands with it.

    until: failures that may pass are borne until then, and for `tolerance` seconds in a row also after it.
    kind: `retry` for work that is done when it answers, `turn` and `follow` for what is asked whether it may begin, or
    has ended.
    waited, failing: the seconds for which was waited, in all and since the last answer without a failure. crashes: how
    often it raised instead of answering.
    """

    activity: str
    request: Mapping[str, Any]
    until: datetime
    kind: Literal["retry", "turn", "follow"] = "retry"
    tolerance: float = 0.0
    waited: float = 0.0
    failing: float = 0.0
    crashes: int = 0

    def wait(self, answer: Mapping[str, Any], now: datetime, seed: str) -> timedelta | None:
        """Say how long to wait before asking again; None where `answer` is the last one. `seed` spreads the waiting."""
        failure = answer.get("failure")
        if failure is None:
            return timedelta(seconds=self._poll()) if answer.get("pending") else None
        if not self._is_worth_another(failure):
            return None
        spread = 1 + _JITTER * (2 * zlib.crc32(f"{seed}/{self.waited}".encode()) / 2**32 - 1)
        seconds = max(retry_after(self.failing) * spread, failure["retry_after"])
        in_time = now + timedelta(seconds=seconds) <= self.until or self.failing + seconds <= self.tolerance
        return timedelta(seconds=seconds) if in_time else None

    def waiting(self, answer: Mapping[str, Any], wait: timedelta) -> "DurableStep":
        """Give the step as it stands after that wait."""
        seconds, failure = wait.total_seconds(), answer.get("failure")
        return replace(
            self,
            waited=self.waited + seconds,
            failing=self.failing + seconds if failure else 0.0,
            crashes=self.crashes + 1 if failure and failure["kind"] == CRASHED else 0,
        )

    def as_wire(self) -> dict[str, Any]:
        """Give the step as plain JSON for a durable boundary."""
        return asdict(self) | {"until": self.until.isoformat(), "request": dict(self.request)}

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> "DurableStep":
        """Read what `as_wire` gave."""
        return cls(**{**wire, "until": datetime.fromisoformat(wire["until"])})

    def _is_worth_another(self, failure: Mapping[str, Any]) -> bool:
        """Judge a failure; what runs goes on, and is followed, though a login is refused meanwhile."""
        if failure["kind"] == CRASHED:
            return self.crashes + 1 < MOST_CRASHES
        return may_pass(failure) or (self.kind == "follow" and failure["kind"] == FailureKind.UNAUTHORIZED.name)

    def _poll(self) -> float:
        return {"retry": retry_after, "turn": turn_after, "follow": poll_after}[self.kind](self.waited)


def retry_after(failing: float) -> float:
    """Say how many seconds to wait after a failure: 2, 4, 8, 15, 15 … and, once it lasts, a quarter of `failing`."""
    return max(min(failing + _FIRST_RETRY, _SOON), min(failing / _GROWTH, _LONGEST_RETRY))


def poll_after(waited: float) -> float:
    """Say how many seconds to wait before asking how work stands: a quarter of what was waited, within bounds."""
    return min(max(_FIRST_POLL, waited / _GROWTH), _LONGEST_POLL)


def turn_after(waited: float) -> float:
    """Say how many seconds work that waits for its turn lets pass before it asks again.

    At most half a minute, later a sixtieth of what it waited: it begins hardly later than it could, and a day of
    waiting is some hundred questions.
    """
    return min(poll_after(waited), max(_LONGEST_TURN, waited / _TURN_GROWTH))


def may_pass(failure: Mapping[str, Any]) -> bool:
    """Say whether what an answer tells of may be gone when it is asked again."""
    return failure["kind"] == CRASHED or FailureKind[failure["kind"]].may_pass


def crash(error: Exception) -> dict[str, Any]:
    """Give the answer of an activity, or an orchestration, that raised instead of answering."""
    return {"failure": {"kind": CRASHED, "reason": readable(str(error)), "retry_after": 0.0}}


def readable(text: str) -> str:
    r"""Give what a person can read of an error's text, in one line: no exception as JSON, no stack, no class names.

    The durable extension writes `Activity function 'x' failed:  RuntimeError: away \n {"$type": …`; the worker writes
    `Result: Failure\nException: RuntimeError: away\nStack: …`.
    """
    line = text.split(" \n ", maxsplit=1)[0]
    for frame in (_WRAPPING, _WORKER, _CLASS):
        line = frame.sub("", line.strip())
    line = " ".join(line.split("\nStack:")[0].split())
    return line if len(line) <= _LONGEST_REASON else f"{line[: _LONGEST_REASON - 1]}…"
