"""The proof at the end of the story: the counts agree from the source to the hub, and each double is explained."""

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
    """What the source says it gave in the window: how many records, and their keys where it remembers them."""

    count: int
    keys: frozenset[Key] | None = None


@dataclass(frozen=True, slots=True)
class StreamProof:
    """One stream of one window: what the source gave, what the ledger counted, what the hub holds, what is wrong."""

    window: str
    stream: str
    state: str
    slices: int
    source: int
    counts: Mapping[str, int]
    found: int
    distinct: int
    duplicates: Mapping[str, int]
    gaps: Mapping[str, int]
    lost: int
    faults: tuple[str, ...]


def prove(window: Mapping[str, Any], stream: str, records: Sequence[Record], source: Source) -> StreamProof:
    """Hold what `GET /api/windows/{id}` says of a stream against what the hub holds of it and what the source gave."""
    result = window["result"]
    counts = result.get("counts", {}).get(stream, {})
    keys = {record.key for record in records}
    doubles = _doubles(records)
    return StreamProof(
        window=window["id"],
        stream=stream,
        state=window["state"],
        slices=len({row["slice"] for row in window["slices"]}),
        source=source.count,
        counts=counts,
        found=len(records),
        distinct=len(keys),
        duplicates=doubles,
        gaps=result.get("gaps", {}),
        lost=len(result.get("lost", [])),
        faults=(*_count_faults(window, counts, doubles, len(keys)), *_source_faults(keys, source)),
    )


def _doubles(records: Sequence[Record]) -> dict[str, int]:
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


def _count_faults(
    window: Mapping[str, Any], counts: Mapping[str, int], doubles: Mapping[str, int], distinct: int
) -> list[str]:
    accepted, lost = counts.get("accepted", 0), len(window["result"].get("lost", []))
    checks = {
        f"the window is {window['state']}: {window['reason']}": window["state"] == "closed",
        f"{lost} intervals are lost": not lost,
        f"{counts.get('unknown', 0)} records have an unknown outcome": not counts.get("unknown", 0),
        f"{counts.get('refused', 0)} records were refused": not counts.get("refused", 0),
        f"{accepted} records were accepted but the hub holds {distinct} different ones": accepted == distinct,
        f"{doubles.get(UNEXPLAINED, 0)} doubles have no explanation": UNEXPLAINED not in doubles,
    }
    return [fault for fault, holds in checks.items() if not holds]


def _source_faults(keys: set[Key], source: Source) -> list[str]:
    if source.keys is None:
        return [] if len(keys) == source.count else [f"{source.count} records were planned, {len(keys)} are there"]
    missing, strange = source.keys - keys, keys - source.keys
    checks = {
        f"{len(missing)} records of the source are missing, such as {sorted(missing)[:3]}": not missing,
        f"{len(strange)} records are not the source's, such as {sorted(strange)[:3]}": not strange,
    }
    return [fault for fault, holds in checks.items() if not holds]
