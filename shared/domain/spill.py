"""What waits for a hub that was away: batches of events, each known by its path, and what became of each."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, get_args

SpillState = Literal["waiting", "redriven", "dead", "discarded"]
SPILL_STATES: Final[tuple[str, ...]] = get_args(SpillState)

VERSION: Final = 1
"""Of the content of a batch and of the message that names it; a newer one is not redriven by this version."""

_PATH = re.compile(r"([a-z_]+)/([a-z_]+-\d{8}T\d{6}Z)/(\d{4,}|close)\.(\d+)/(\d{6,}(?:-held)?)\.ndjson\.zst")


@dataclass(frozen=True, slots=True)
class SpilledBatch:
    """One batch that a hub did not take: `rows` records in `events` events, kept under `path`.

    path: `<stream>/<window id>/<slice or close>.<try>/<number>.ndjson.zst`; paths sort in the order of time.
    sha256: of the content as it is kept, in hexadecimal. tries: how often the hub was away again when it was redriven.
    reason: why it is dead, was discarded, or waits still. waits_for: the dead batch whose keys it has, empty otherwise.
    """

    path: str
    feed: str
    hub: str
    rows: int
    events: int
    sha256: str
    spilled_at: datetime
    version: int = VERSION
    state: SpillState = "waiting"
    tries: int = 0
    reason: str = ""
    waits_for: str = ""

    @property
    def stream(self) -> str:
        """Name the stream."""
        return self.path.partition("/")[0]

    @property
    def window_id(self) -> str:
        """Name the window."""
        return self.path.split("/")[1]


@dataclass(frozen=True, slots=True)
class SpillCounts:
    """Records of some batches, by what became of them."""

    by_state: Mapping[str, int] = field(default_factory=dict)

    def as_wire(self) -> dict[str, int]:
        """Give all four counts as plain JSON."""
        return {state: self.by_state.get(state, 0) for state in SPILL_STATES}


def batch_path(stream: str, attempt_id: str, number: int) -> str:
    """Name a batch of the try `<window id>/<slice or close>.<try>` that spilled it as its `number`th, from 0."""
    window_id, _, name = attempt_id.partition("/")
    part, _, attempt = name.partition(".")
    padded = f"{int(part):04d}" if part.isdigit() else part
    return f"{stream}/{window_id}/{padded}.{attempt}/{number:06d}.ndjson.zst"


def is_batch_path(path: str) -> bool:
    """Say whether a blob's name is that of a batch."""
    return _PATH.fullmatch(path) is not None


def counts_by_stream(batches: Iterable[SpilledBatch]) -> dict[str, SpillCounts]:
    """Count the records of some batches by stream and state."""
    found: dict[str, dict[str, int]] = {}
    for batch in batches:
        states = found.setdefault(batch.stream, {})
        states[batch.state] = states.get(batch.state, 0) + batch.rows
    return {stream: SpillCounts(states) for stream, states in found.items()}
