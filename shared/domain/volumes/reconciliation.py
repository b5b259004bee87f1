"""Whether the counts that the lakehouse wrote of a window add up, and by what they differ."""

from collections.abc import Collection, Iterator, Mapping
from typing import Literal

type WindowCounts = Mapping[str, Mapping[str, int]]
"""Rows by stream, then by `<stage>/<name>`; `contracts/documents/window_counts.v1.schema.json` has the stages."""


def verdict_of(counts: WindowCounts) -> Literal["balanced", "unbalanced"] | None:
    """Say whether all streams of a window balance; None where nothing was compared yet."""
    verdicts = {name for stages in counts.values() for name, _ in _of_stage(stages, "reconciliation")}
    if not verdicts:
        return None
    return "unbalanced" if "unbalanced" in verdicts else "balanced"


def describe_faults(counts: WindowCounts, streams: Collection[str]) -> str:
    """Say what is wrong with the counts of a window that has ended; empty where each of its streams balances.

    streams: those that must have been compared. Named are the equations that do not hold with the rows that they differ
    by, what a hub deleted before it was read, and the streams that were not compared.
    """
    faults = {stream: _faults(counts.get(stream, {}), stream in streams) for stream in [*counts, *streams]}
    return "; ".join(f"{stream}: {fault}" for stream, found in faults.items() for fault in found)


def _faults(stages: Mapping[str, int], is_needed: bool) -> list[str]:
    verdicts = {name for name, _ in _of_stage(stages, "reconciliation")}
    if "unbalanced" not in verdicts:
        return [] if verdicts or not is_needed else ["it was not reconciled"]
    differences = [f"{name} by {rows}" for name, rows in _of_stage(stages, "difference")]
    holes = [f"{rows} events of {name} were deleted unread" for name, rows in _of_stage(stages, "hole")]
    return [*differences, *holes] or ["it does not balance"]


def _of_stage(stages: Mapping[str, int], wanted: str) -> Iterator[tuple[str, int]]:
    for key, rows in stages.items():
        stage, _, name = key.partition("/")
        if stage == wanted and name:
            yield name, rows
