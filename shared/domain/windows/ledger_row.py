"""What the ledger says of a window and of each try at a slice."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from shared.domain.windows.instances import window_instance
from shared.domain.windows.window import Slice, Window

WindowState = Literal["planned", "open", "closed", "incomplete", "stopped", "failed", "missed"]
SliceState = Literal["running", "done", "failed", "refused", "skipped"]
WindowOrigin = Literal["timer", "request"]

WINDOW_STATES: tuple[str, ...] = get_args(WindowState)
TERMINAL: frozenset[str] = frozenset(WINDOW_STATES) - {"planned", "open"}
REOPENABLE: frozenset[str] = TERMINAL - {"closed"}


@dataclass(frozen=True, slots=True)
class WindowRow:
    """One window. `queued`: it waits for its turn in a row of past windows. `plan`: see `shared.domain.windows.plan`.

    result: what closing found: counts per stream, gaps, lost intervals, joins, skew (plain JSON).
    announced: when its opening (`opened`) and its end (`closed`) were published, and its spill was `drained`. attempt:
    which time the window is ingested, from 1. restarts: how often housekeeping started this attempt's orchestration
    again. stop_at: when a request lets a running window end; of a past one, the instant of the request.
    """

    window: Window
    state: WindowState
    origin: WindowOrigin
    claimed_at: datetime
    plan: Mapping[str, Any] = field(default_factory=dict)
    queued: bool = False
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    stop_at: datetime | None = None
    reason: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)
    announced: Mapping[str, str] = field(default_factory=dict)
    attempt: int = 1
    restarts: int = 0

    @property
    def instance(self) -> str:
        """Name the orchestration of the window's present attempt."""
        return window_instance(self.window.id, self.attempt)

    @property
    def ended(self) -> bool:
        """Say whether the window is in a terminal state."""
        return self.state in TERMINAL

    def goes_on_as(self, attempt: int) -> bool:
        """Say whether that attempt of the window is the present one, and has not ended."""
        return self.attempt == attempt and not self.ended

    @property
    def reopenable(self) -> bool:
        """Say whether the window may be ingested again, as its next attempt."""
        return self.state in REOPENABLE


@dataclass(frozen=True, slots=True)
class SliceRow:
    """One try at a slice.

    counts: per stream `read`, `accepted`, `refused`, `unknown`, `spilled`, `events`. sinks: these and what it cost of a
    stream that goes to Cosmos DB, by stream and sink (`shared.domain.sinks`). report: what the source saw (plain JSON).
    attempt: the number of the try, which goes on over the attempts of the window. window_attempt: the attempt of the
    window to which the try belongs.
    """

    slice: Slice
    attempt: int
    state: SliceState
    started_at: datetime
    updated_at: datetime
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    report: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    window_attempt: int = 1
    sinks: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
