"""What marks a window's end for those who read files: `contracts/documents/window_closed.v1.schema.json`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.domain.runs.run import real_end
from shared.domain.spill import sink_of, stream_at
from shared.domain.windows.ending import COUNTS
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import Plan


@dataclass(frozen=True, slots=True)
class SliceTries:
    """The try that completed each slice, and the earlier ones that it went on from."""

    attempts: Mapping[str, int]
    continued: Mapping[str, Sequence[int]] = field(default_factory=dict)


def marker_of(row: WindowRow, plan: Plan, tries: SliceTries, spill: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """Write all of the document but how far the hubs are. spill: as `spill_in` reads it."""
    cosmos = {stream.name: _at_cosmos(row, stream.name, spill) for stream in plan.streams if stream.cosmos}
    return {
        "window": row.window.id,
        "start": row.window.start.isoformat(),
        "end": real_end(row).isoformat(),
        "state": row.state,
        "counts": row.result.get("counts", {}),
        "attempts": tries.attempts,
        **({"continued": tries.continued} if tries.continued else {}),
        "spill": {stream: states for stream, states in spill.items() if sink_of(stream) == "hub"},
        **({"cosmos": cosmos} if cosmos else {}),
    }


def spill_in(marker: Mapping[str, Any], of: SliceTries | None = None) -> dict[str, Mapping[str, int]]:
    """Take the spill from a document, at Cosmos DB under the stream's name there (`shared.domain.spill.stream_at`).

    of: nothing is taken where the document is of other tries.
    """
    if of and marker.get("attempts") != of.attempts:
        return {}
    found = marker.get("cosmos", {}).items()
    at_cosmos = {stream_at(stream, "cosmos"): part["spill"] for stream, part in found if "spill" in part}
    return {**marker.get("spill", {}), **at_cosmos}


def marked_hubs(marker: Mapping[str, Any], stream: str, first: str) -> dict[str, Mapping[str, Any]]:
    """Take from a document what it says of a stream's hubs, by name. first: the one whose name it may leave out."""
    last = marker.get("last_sequence_numbers", {}).get(stream, {})
    head = {**marker.get("hubs", {}).get(stream, {"name": first}), "last_sequence_numbers": last}
    return {one["name"]: one for one in (head, *marker.get("further_hubs", {}).get(stream, ()))}


def _at_cosmos(row: WindowRow, stream: str, spill: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    sent = row.result.get("sinks", {}).get(stream, {}).get("cosmos", {})
    states = spill.get(stream_at(stream, "cosmos"))
    return {"counts": {name: sent.get(name, 0) for name in COUNTS}, **({"spill": states} if states else {})}
