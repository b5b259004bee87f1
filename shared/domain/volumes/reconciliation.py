"""Whether the counts that the lakehouse wrote of a window add up, and by what they differ."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final, Literal

type WindowCounts = Mapping[str, Mapping[str, int]]
"""Rows by stream, then by `<stage>/<name>`; `contracts/documents/window_counts.v1.schema.json` has the stages."""


type Reconciled = Literal["balanced", "waiting", "unbalanced"]

_WORST_FIRST: Final[tuple[Reconciled, ...]] = ("unbalanced", "waiting", "balanced")


def verdict_of(counts: WindowCounts) -> Reconciled | None:
    """Say whether all streams of a window balance, or one waits for its spill; None where nothing was compared yet."""
    verdicts = {name for stages in counts.values() for name, _ in _of_stage(stages, "reconciliation")}
    if not verdicts:
        return None
    return next((verdict for verdict in _WORST_FIRST if verdict in verdicts), "balanced")


def describe_faults(counts: WindowCounts, streams: Collection[str], *, overdue: bool) -> str:
    """Say what is wrong with the counts of a window that has ended; empty where each of its streams balances.

    streams: those that must have been compared. overdue: what waits in the spill has waited too long, else it is no
    fault. Named are the equations that do not hold with the rows that they differ by, what a hub deleted before it was
    read, what is in the spill, and the streams that were not compared.
    """
    faults = {stream: _faults(counts.get(stream, {}), stream in streams, overdue) for stream in [*counts, *streams]}
    return "; ".join(f"{stream}: {fault}" for stream, found in faults.items() for fault in found)


def _faults(stages: Mapping[str, int], is_needed: bool, overdue: bool) -> list[str]:
    verdict = verdict_of({"": stages})
    if verdict is None:
        return ["it was not reconciled"] if is_needed else []
    spill = dict(_of_stage(stages, "spill"))
    late = [f"{spill['waiting']} records wait in the spill: GET /api/spill"] if overdue and "waiting" in spill else []
    if verdict != "unbalanced":
        return late
    differences = [f"{name} by {rows}" for name, rows in _of_stage(stages, "difference")]
    holes = [f"{rows} events of {name} were deleted unread" for name, rows in _of_stage(stages, "hole")]
    dead = [f"{spill['dead']} records are dead in the spill: GET /api/spill says why"] if "dead" in spill else []
    return [*differences, *holes, *dead, *late] or ["it does not balance"]


def _of_stage(stages: Mapping[str, int], wanted: str) -> Iterator[tuple[str, int]]:
    for key, rows in stages.items():
        stage, _, name = key.partition("/")
        if stage == wanted and name:
            yield name, rows
