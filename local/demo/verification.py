"""Whether the counts of a stream agree from the source to the hub, and why a record is there twice."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

type Key = tuple[Any, ...]
"""The values of a contract's identity columns."""

TRIED_AGAIN = "slice tried again"
SENT_AGAIN = "acknowledgement lost"
CLOSING = "sent again by closing"
UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class Record:
    """One record found in a hub: the attempt that sent it (`<window>/<slice>.<attempt>`), and its key."""

    attempt: str
    key: Key


@dataclass(frozen=True, slots=True)
class Source:
    """What the source gave in the window: how many records, and their keys; None where it doesn't say."""

    count: int | None = None
    keys: frozenset[Key] | None = None


@dataclass(frozen=True, slots=True)
class StreamCheck:
    """One stream of one window: what the source gave, what the ledger counted, what is there, what is wrong.

    spill: records that were spilled, by what became of them.
    """

    window: str
    stream: str
    state: str
    slices: int
    source: int | None
    counts: Mapping[str, int]
    spill: Mapping[str, int]
    found: int
    distinct: int
    duplicates: Mapping[str, int]
    gaps: Mapping[str, int]
    lost: int
    problems: tuple[str, ...]


def check_stream(
    window: Mapping[str, Any],
    stream: str,
    records: Sequence[Record],
    source: Source,
    spill: Mapping[str, int] | None = None,
) -> StreamCheck:
    """Compare what `GET /api/windows/{id}` says of a stream with what its hub holds and what the source gave.

    spill: what `GET /api/spill` says of the stream's spilled records, by state; none where not given.
    """
    spill = spill or {}
    result = window["result"]
    counts = result.get("counts", {}).get(stream, {})
    keys = {record.key for record in records}
    duplicates = _duplicates(records)
    return StreamCheck(
        window=window["id"],
        stream=stream,
        state=window["state"],
        slices=len({row["slice"] for row in window["slices"]}),
        source=source.count,
        counts=counts,
        spill=spill,
        found=len(records),
        distinct=len(keys),
        duplicates=duplicates,
        gaps=result.get("gaps", {}),
        lost=len(result.get("lost", [])),
        problems=(
            *_window_problems(window),
            *_count_problems(counts, spill, _spilled_in_vain(window, stream), duplicates, len(keys)),
            *_source_problems(keys, source),
        ),
    )


def _duplicates(records: Sequence[Record]) -> dict[str, int]:
    """Count the records beyond the first of each key, by why there are more."""
    attempts: dict[Key, list[str]] = defaultdict(list)
    for record in records:
        attempts[record.key].append(record.attempt)
    extras = [(tries[0], extra) for tries in attempts.values() for extra in tries[1:]]
    return dict(Counter(_why(first, extra) for first, extra in extras))


def _why(first: str, extra: str) -> str:
    if first == extra:
        return SENT_AGAIN
    slices = {first.rpartition(".")[0], extra.rpartition(".")[0]}
    if len(slices) == 1:
        return TRIED_AGAIN
    return CLOSING if any(part.endswith("/close") for part in slices) else UNEXPLAINED


def _window_problems(window: Mapping[str, Any]) -> list[str]:
    lost = len(window["result"].get("lost", []))
    checks = {
        f"the window is {window['state']}: {window['reason']}": window["state"] == "closed",
        f"{lost} intervals are lost": not lost,
    }
    return [problem for problem, holds in checks.items() if not holds]


def _spilled_in_vain(window: Mapping[str, Any], stream: str) -> int:
    """Count what was spilled by tries in whose place others came, which sent the same records again."""
    tries = (row for row in window["slices"] if row.get("state", "done") != "done")
    return sum(row.get("counts", {}).get(stream, {}).get("spilled", 0) for row in tries)


def _count_problems(
    counts: Mapping[str, int], spill: Mapping[str, int], in_vain: int, duplicates: Mapping[str, int], distinct: int
) -> list[str]:
    spilled, redriven = counts.get("spilled", 0), spill.get("redriven", 0) - in_vain
    sent = counts.get("accepted", 0) + redriven
    came = f"{sent} records were accepted" + (f" ({redriven} of them redriven)" if redriven else "")
    checks = {
        f"{counts.get('unknown', 0)} records have an unknown outcome": not counts.get("unknown", 0),
        f"{spilled - redriven} records are spilled and not in the hub yet": spilled == redriven,
        f"{counts.get('refused', 0)} records were refused": not counts.get("refused", 0),
        f"{came} but there are {distinct} different ones": sent == distinct,
        f"{duplicates.get(UNEXPLAINED, 0)} duplicates have no explanation": UNEXPLAINED not in duplicates,
    }
    return [problem for problem, holds in checks.items() if not holds]


def _source_problems(keys: set[Key], source: Source) -> list[str]:
    if source.keys is None:
        return (
            [] if source.count in {None, len(keys)} else [f"{source.count} records were planned, {len(keys)} are there"]
        )
    missing, foreign = source.keys - keys, keys - source.keys
    checks = {
        f"{len(missing)} records of the source are missing, such as {sorted(missing)[:3]}": not missing,
        f"{len(foreign)} records are not the source's, such as {sorted(foreign)[:3]}": not foreign,
    }
    return [problem for problem, holds in checks.items() if not holds]
