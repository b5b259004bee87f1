"""Whether the counts that the lakehouse wrote of a window add up, and by what they differ."""

from collections.abc import Iterator, Mapping
from typing import Literal

type WindowCounts = Mapping[str, Mapping[str, int]]
"""Rows by stream, then by `<stage>/<name>`; the stages `reconciliation` and `difference` hold what was compared."""


def verdict_of(counts: WindowCounts) -> Literal["balanced", "unbalanced"] | None:
    """Say whether all streams of a window balance; None where nothing was compared yet."""
    verdicts = {name for _, name, _ in _of_stage(counts, "reconciliation")}
    if not verdicts:
        return None
    return "unbalanced" if "unbalanced" in verdicts else "balanced"


def describe_differences(counts: WindowCounts) -> str:
    """Name the equations of a window that do not hold, with the rows that they differ by."""
    return "; ".join(f"{stream}: {name} by {rows}" for stream, name, rows in _of_stage(counts, "difference"))


def _of_stage(counts: WindowCounts, wanted: str) -> Iterator[tuple[str, str, int]]:
    for stream, stages in counts.items():
        for key, rows in stages.items():
            stage, _, name = key.partition("/")
            if stage == wanted and name:
                yield stream, name, rows
