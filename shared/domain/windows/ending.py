"""How a window ended: decided from the tries at its slices and from what completing it found."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.domain.sinks import summed
from shared.domain.windows.ledger_row import SliceRow, WindowRow, WindowState
from shared.domain.windows.window import Slice

COUNTS = ("read", "accepted", "refused", "unknown", "spilled", "events")
"""What is counted of each stream."""

_MOST_WARNINGS = 50
_EXCERPT = 300
_ELSEWHERE = ("lost", "warnings", "unreadable")


@dataclass(frozen=True, slots=True)
class Ending:
    """The state a window ends in, why where it is not simply `closed`, and the numbers (plain JSON).

    gap_seconds: in which its source brought nothing, as far as that is known by time. lost_records: what its source
    can't give back; an interval that is known by time alone counts as one.
    """

    state: WindowState
    reason: str
    result: Mapping[str, Any]
    gap_seconds: float = 0.0
    lost_records: int = 0


@dataclass(frozen=True, slots=True)
class Completion:
    """What completing a window found, as plain JSON, and the counts, by stream and by sink, of what was sent for it."""

    report: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    sinks: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)


def completed(attempts: Iterable[SliceRow]) -> list[SliceRow]:
    """Give the try that completed each slice, in the order of the slices."""
    done = {row.slice.number: row for row in attempts if row.state == "done"}
    return [done[number] for number in sorted(done)]


def unbegun(slices: Sequence[Slice], attempts: Iterable[SliceRow]) -> list[Slice]:
    """Give the slices that were never tried."""
    tried = {row.slice.number for row in attempts}
    return [part for part in slices if part.number not in tried]


def completing_attempts(attempts: Iterable[SliceRow], closing: int) -> dict[str, int]:
    """Give the attempt that completed each slice, by its number as text, and closing's own; events name them so.

    closing: the attempt of the window.
    """
    return {str(row.slice.number): row.attempt for row in completed(attempts)} | {"close": closing}


def may_complete(row: WindowRow, attempts: Iterable[SliceRow]) -> bool:
    """Say whether what the slices lack is got and sent.

    Not where the source as a whole refused, nor of a window that was stopped when its time was over: nothing is sent
    for it any more.
    """
    stopped_late = row.stop_at is not None and (bool(row.plan.get("past")) or row.stop_at >= row.window.end)
    return not stopped_late and all(attempt.state != "refused" for attempt in attempts)


def decide_ending(
    row: WindowRow, slices: Sequence[Slice], attempts: Sequence[SliceRow], completion: Completion
) -> Ending:
    """Decide the state: failed where the source refused or a slice never completed, stopped where that was asked for,
    incomplete where trades are lost, else closed.
    """
    done = completed(attempts)
    result = {
        "counts": _counts(row, done, completion.counts),
        "sinks": summed([*(attempt.sinks for attempt in done), completion.sinks]),
        "slices": dict(Counter(attempt.state for attempt in _newest(attempts))),
        "attempts": len(attempts),
        "gaps": _gaps(done, completion.report),
        "lost": completion.report.get("lost", []),
        "skew_ms": _skew(done),
        "unreadable": sum(report.get("unreadable", 0) for report in [*(one.report for one in done), completion.report]),
        "refused": _refused(row, done),
        "closing": {name: value for name, value in completion.report.items() if name not in _ELSEWHERE},
        "warnings": _warnings(row, done, completion.report),
    }
    state, reason = _state(row, slices, attempts, completion)
    return Ending(state, reason, result, _gap_seconds(done), _lost_records(completion.report))


def _state(
    row: WindowRow, slices: Sequence[Slice], attempts: Sequence[SliceRow], completion: Completion
) -> tuple[WindowState, str]:
    newest = _newest(attempts)
    refused = next((attempt for attempt in newest if attempt.state == "refused"), None)
    if refused:
        return "failed", refused.reason
    if row.stop_at:
        return "stopped", f"Stopped by request at {row.stop_at.isoformat(timespec='seconds')}."
    done = {attempt.slice.number for attempt in newest if attempt.state == "done"}
    missing = [part.number for part in slices if part.number not in done]
    if missing and not completion.report:
        return "failed", _failure(missing, newest)
    lost = completion.report.get("lost_count", 0)
    return ("incomplete", _loss(lost, completion.report.get("lost", []))) if lost else ("closed", "")


def _loss(count: int, lost: Sequence[Mapping[str, Any]]) -> str:
    """Say how much is lost, and why the first of it is."""
    intervals = "1 interval is" if count == 1 else f"{count} intervals are"
    first = next((f" {one['market']}: {one['reason']}."[:_EXCERPT] for one in lost if one.get("reason")), "")
    return f"{intervals} lost; see result.lost.{first}"


def _refused(row: WindowRow, done: Iterable[SliceRow]) -> dict[str, str]:
    """Give the markets that the window went on without, with the venue's words."""
    found = [attempt.report.get("refused", {}) for attempt in done]
    return {market: words for each in (row.plan.get("refused", {}), *found) for market, words in each.items()}


def _failure(missing: Sequence[int], newest: Iterable[SliceRow]) -> str:
    reason = next((attempt.reason for attempt in newest if attempt.slice.number in missing and attempt.reason), "")
    return f"Slices {', '.join(map(str, missing[:10]))} did not complete. {reason}".strip()


def _newest(attempts: Sequence[SliceRow]) -> list[SliceRow]:
    """Give each slice's try that counts: the completed one, else the last."""
    last = {row.slice.number: row for row in sorted(attempts, key=lambda row: row.attempt)}
    last |= {row.slice.number: row for row in completed(attempts)}
    return [last[number] for number in sorted(last)]


def _counts(
    row: WindowRow, done: Iterable[SliceRow], completing: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, int]]:
    streams = [stream["name"] for stream in row.plan.get("streams", [])]
    totals = {stream: Counter(dict.fromkeys(COUNTS, 0)) for stream in streams}
    for by_stream in [*(attempt.counts for attempt in done), completing]:
        for stream, counts in by_stream.items():
            totals[stream].update(counts)
    return {stream: dict(total) for stream, total in totals.items()}


def _gaps(done: Iterable[SliceRow], closing: Mapping[str, Any]) -> dict[str, int]:
    markets = [market for attempt in done for market in attempt.report.get("markets", [])]
    filled = sum(gap["filled"] for market in markets for gap in market["gaps"])
    return {
        "found": sum(market["gap_count"] for market in markets) + closing.get("broken", 0),
        "filled": filled + sum(closing.get("added", {}).values()),
        "lost": closing.get("lost_count", 0),
    }


def _gap_seconds(done: Iterable[SliceRow]) -> float:
    gaps = [gap for attempt in done for market in attempt.report.get("markets", []) for gap in market["gaps"]]
    timed: list[int] = [gap["until"] - gap["since"] for gap in gaps if gap.get("since") and gap.get("until")]
    return sum(timed) / 1_000_000


def _lost_records(closing: Mapping[str, Any]) -> int:
    lost = closing.get("lost", [])
    known: list[int] = [one["last"] - one["first"] + 1 if one.get("first") and one.get("last") else 1 for one in lost]
    return sum(known) + int(closing.get("lost_count", 0)) - len(lost)


def _skew(done: Iterable[SliceRow]) -> dict[str, dict[str, int]]:
    """Give how far each market's clock was behind (or its trades late) and ahead of ours, at the most."""
    skew: dict[str, dict[str, int]] = {}
    for attempt in done:
        for market in attempt.report.get("markets", []):
            worst = skew.setdefault(market["market"], {"lag": 0, "ahead": 0})
            worst["lag"] = max(worst["lag"], market["lag_ms"])
            worst["ahead"] = max(worst["ahead"], market["ahead_ms"])
    return skew


def _warnings(row: WindowRow, done: Sequence[SliceRow], closing: Mapping[str, Any]) -> list[str]:
    refused = [f"{market} is not ingested: {words}" for market, words in _refused(row, done).items()]
    warnings = [warning for attempt in done for warning in attempt.report.get("warnings", [])]
    return [*refused, *warnings, *closing.get("warnings", [])][:_MOST_WARNINGS]
