"""What a measurement of a table is, and whether the volume that it found looks right."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Final, Literal

type Verdict = Literal["first", "normal", "low", "high", "negative", "new_level"]
type MeasurementKind = Literal["window", "table"]
type AlertState = Literal["none", "pending", "sent", "suppressed"]

GOOD: Final = frozenset({"first", "normal"})
"""The verdicts of a right volume, which limits are learnt from."""

NEW_LEVEL: Final = "new_level"
"""The verdict by which limits are learnt anew: from the measurement that has it, and those that it ends the row of."""

LEVEL_ROW: Final = 5
"""How many measurements in a row, all too low or all too high, make a new level."""

MOST_HISTORY: Final = 14
"""How many of the last good measurements limits are learnt from, at most."""

RUN_ALERT: Final = "ingestion"
"""The recipient of alerts about failed runs, unbalanced and lost windows of a stream whose table is not measured."""

_TABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_LEAST_HISTORY = 5
_LOW, _HIGH = 0.5, 3.0
_ALIKE = 2


@dataclass(frozen=True, slots=True)
class MeasuredTable:
    """What may be measured under a key of METRICS_TABLES.

    table: its name in the database, without a schema: quoting alone is not trusted, so what is no plain name raises
    ValueError. stream: the one under which `window_counts` counts its rows.
    floor: the fewest rows of a right volume. alert: the recipient's name, the NAME of ALERT_<NAME>_URL.
    """

    key: str
    table: str
    stream: str
    floor: int
    alert: str

    def __post_init__(self) -> None:
        """Hold the rule."""
        if not _TABLE_NAME.fullmatch(self.table):
            rule = "must name tables by a letter or _, then up to 127 letters, digits or _"
            raise ValueError(f"{rule}; {self.key} names {self.table[:40]!r}")


@dataclass(frozen=True, slots=True)
class MeasureRequest:
    """A request to measure the table of a key for a run, in a window or as a whole.

    ingestion_time: in UTC, in whole seconds, as the row keeps it; raises ValueError for fractions, by which a repeated
    request would differ from the recorded one.
    """

    table: str
    run_id: str
    ingestion_time: datetime
    window_id: str | None = None

    def __post_init__(self) -> None:
        """Hold the rule."""
        if self.ingestion_time.microsecond:
            raise ValueError(f"ingestion_time must be a whole second; it is {self.ingestion_time.isoformat()}.")

    @property
    def kind(self) -> MeasurementKind:
        """Say with which other measurements this one is compared."""
        return "table" if self.window_id is None else "window"


@dataclass(frozen=True, slots=True)
class Counted:
    """What the database says of a table before it is judged.

    delta: the rows of the window, else those since the measurement before. total: all rows of the table. history: the
    deltas that limits are learnt from, newest first: those of the last good measurements of the kind, and none from
    before its newest level. is_first: nothing of the kind was measured before. recent: verdict and delta of the last
    `LEVEL_ROW - 1` measurements of the kind, newest first. waiting: records of the window in the spill.
    """

    delta: int
    total: int
    history: Sequence[int] = ()
    is_first: bool = True
    recent: Sequence[tuple[Verdict, int]] = ()
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """Between which deltas a volume is normal; `low`, `high` and `median` are None until enough is known."""

    floor: int
    low: float | None = None
    high: float | None = None
    median: float | None = None
    based_on: int = 0


@dataclass(frozen=True, slots=True)
class Measurement:
    """One row of `enrichment_pipeline_metrics`: what was asked, found and judged, and what became of its alert.

    waiting: records of the window that waited in the spill when it was measured; the row does not keep it.
    """

    request: MeasureRequest
    rows_count_delta: int
    all_ingested_rows: int
    verdict: Verdict
    limits: Limits
    alert: AlertState
    measured_at: datetime
    waiting: int = 0


def measured(
    request: MeasureRequest, table: MeasuredTable, counted: Counted, now: datetime, *, healthy: bool = True
) -> Measurement:
    """Judge what was counted; the measurement has no alert yet.

    healthy: false where something else is wrong with the run, so that nothing is learnt from its volume.
    """
    limits = limits_of(table.floor, counted.history)
    verdict = judge(counted.delta, limits, is_first=counted.is_first)
    if healthy and is_new_level(verdict, counted, limits):
        verdict = NEW_LEVEL
    return Measurement(request, counted.delta, counted.total, verdict, limits, "none", now, counted.waiting)


def limits_of(floor: int, history: Sequence[int]) -> Limits:
    """Learn the limits from the deltas of good measurements, newest first; older ones than the last 14 don't count."""
    recent = history[:MOST_HISTORY]
    if len(recent) < _LEAST_HISTORY:
        return Limits(floor, based_on=len(recent))
    middle = float(median(recent))
    return Limits(floor, _LOW * middle, _HIGH * middle, middle, len(recent))


def judge(delta: int, limits: Limits, *, is_first: bool) -> Verdict:
    """Judge a volume; a first one has nothing to be compared with but the floor."""
    if delta < 0:
        return "negative"
    if delta < limits.floor or (limits.low is not None and delta < limits.low):
        return "low"
    if limits.high is not None and delta > limits.high:
        return "high"
    return "first" if is_first else "normal"


def is_new_level(verdict: Verdict, counted: Counted, limits: Limits) -> bool:
    """Say whether a volume that is too low or too high is the table's new level, and not one more fault.

    It is where the measurements before had the same verdict, `LEVEL_ROW` in a row with this one, and all of them are
    alike: the largest at most twice the smallest. What is below the floor, or nothing at all, is never a level: a feed
    that fell silent stays wrong.
    """
    deltas = [counted.delta, *(delta for earlier, delta in counted.recent if earlier == verdict)]
    if verdict not in {"low", "high"} or len(deltas) < LEVEL_ROW:
        return False
    return min(deltas) >= max(limits.floor, 1) and max(deltas) <= _ALIKE * min(deltas)
