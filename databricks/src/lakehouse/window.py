"""What `closed.json` says of a window once it has ended."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from lakehouse.request import place_of

SPILL_STATES = ("waiting", "redriven", "dead", "discarded")
UNSETTLED = ("waiting", "dead")
"""The states that spilled records may still leave."""


class InvalidMarker(ValueError):
    """A `closed.json` that can't be read; says why."""


@dataclass(frozen=True, slots=True)
class StreamCounts:
    """What the app counted of one stream's records, over the attempt that completed each slice.

    unknown: they may have been stored, even twice. spilled: kept elsewhere until the hub is back.
    """

    read: int
    accepted: int
    refused: int
    unknown: int
    spilled: int = 0


@dataclass(frozen=True, slots=True)
class Spilled:
    """What became of one stream's records that were spilled, over the attempt that completed each slice.

    waiting_of_all_tries: over all attempts; while there are any, events of the window still come.
    """

    waiting: int = 0
    redriven: int = 0
    dead: int = 0
    discarded: int = 0
    waiting_of_all_tries: int = 0

    @property
    def by_state(self) -> dict[str, int]:
        """Give the records by state, without the states that none are in."""
        states = {state: getattr(self, state) for state in SPILL_STATES}
        return {state: rows for state, rows in states.items() if rows}

    @property
    def unsettled(self) -> dict[str, int]:
        """Give the records by those states that they may still leave."""
        return {state: rows for state, rows in self.by_state.items() if state in UNSETTLED}


@dataclass(frozen=True, slots=True)
class Closed:
    """A window's end as the app recorded it, for one stream.

    last: each partition's last sequence number, -1 where it is empty; of a further hub's by `place_of`. attempts: the
    attempt that completed each slice. created_at: when the hub that these numbers are of was made, in the app's own
    text; empty where it is not said. further_created: the same of the further hubs, by name. spill: all 0 where there
    was none. continued: by slice, the earlier attempts that the completing one went on from. waiting_for_cosmos:
    records in the spill of Cosmos DB beside the hub.
    """

    state: str
    counts: StreamCounts
    last: Mapping[str, int]
    attempts: Mapping[str, int]
    created_at: str = ""
    spill: Spilled = Spilled()
    continued: Mapping[str, Sequence[int]] = field(default_factory=dict)
    further_created: Mapping[str, str] = field(default_factory=dict)
    waiting_for_cosmos: int = 0


def marker_path(window_id: str) -> str:
    """Name the marker in the reference store: `windows/<window id>/closed.json`."""
    return f"windows/{window_id}/closed.json"


def streams_named(document: bytes) -> frozenset[str]:
    """Name the streams that a window's marker tells the positions of; raises InvalidMarker."""
    try:
        return frozenset(json.loads(document)["last_sequence_numbers"])
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidMarker(f"closed.json can't be read: {type(error).__name__} {error}.") from error


def parse_closed(document: bytes, stream: str) -> Closed:
    """Read a window's marker for one stream; raises InvalidMarker where it names neither counts nor positions of it."""
    try:
        return closed_of(json.loads(document), stream)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidMarker(
            f"closed.json can't be read for stream {stream!r}: {type(error).__name__} {error}."
        ) from error


def closed_of(marker: Mapping[str, Any], stream: str) -> Closed:
    """Take from a marker what a run of this stream needs; what is not counted there is 0."""
    counts, spill = marker["counts"].get(stream, {}), marker.get("spill", {}).get(stream, {})
    further = marker.get("further_hubs", {}).get(stream, ())
    cosmos = marker.get("cosmos", {}).get(stream, {})
    positions = [("", marker["last_sequence_numbers"][stream])]
    positions += [(hub["name"], hub["last_sequence_numbers"]) for hub in further]
    return Closed(
        state=str(marker["state"]),
        counts=StreamCounts(**{one.name: int(counts.get(one.name, 0)) for one in fields(StreamCounts)}),
        last={place_of(hub, partition): int(number) for hub, last in positions for partition, number in last.items()},
        attempts={number: int(attempt) for number, attempt in marker.get("attempts", {}).items()},
        created_at=str(marker.get("hubs", {}).get(stream, {}).get("created_at", "")),
        continued={number: tuple(map(int, tries)) for number, tries in marker.get("continued", {}).items()},
        spill=Spilled(**{one.name: int(spill.get(one.name, 0)) for one in fields(Spilled)}),
        further_created={hub["name"]: str(hub.get("created_at", "")) for hub in further},
        waiting_for_cosmos=int(cosmos.get("spill", {}).get("waiting", 0)),
    )
