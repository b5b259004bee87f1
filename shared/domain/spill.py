"""What waits for a hub that was away: batches of events, each known by its path, and what became of each."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, get_args

SpillState = Literal["waiting", "redriven", "dead", "discarded"]
SPILL_STATES: Final[tuple[SpillState, ...]] = get_args(SpillState)

UNSETTLED: Final[tuple[SpillState, ...]] = ("waiting", "dead")
"""The states of batches that may still be redriven or discarded."""

type Sink = Literal["hub", "cosmos"]
"""What a batch waits for: a hub, or a container of Cosmos DB."""

type BatchPart = Literal["held", "refused"]
"""What is split off a batch: events that wait for a dead batch of their key, and events that the hub refused."""

VERSION: Final = 1
"""Of the content of a batch and of the message that names it; a newer one is not redriven by this version."""

_OF_COSMOS: Final = ".cosmos"

_PATH = re.compile(
    r"[a-z][a-z0-9_]*(\.cosmos)?/(?P<feed>[a-z][a-z0-9_]*)-\d{8}T\d{6}Z/(\d{4,}|close)\.\d+/(?P<number>\d{6,})(?P<part>-held|-refused)?"
    r"\.ndjson\.zst"
)

_LEGAL: Final[Mapping[SpillState, frozenset[SpillState]]] = {
    "waiting": frozenset({"waiting", "redriven", "dead", "discarded"}),
    "dead": frozenset({"waiting", "redriven", "dead", "discarded"}),
    "discarded": frozenset({"redriven", "discarded"}),
    "redriven": frozenset({"redriven"}),
}


@dataclass(frozen=True, slots=True)
class SpilledBatch:
    """One batch that its destination did not take: `rows` records in `events` events, kept under `path`.

    path: `<stream>/<window id>/<slice or close>.<try>/<number>.ndjson.zst`; paths sort in the order of time. What waits
    for Cosmos DB has `<stream>.cosmos`, and is redriven as a stream of its own. hub: or `<database>/<container>`.
    sha256: of the content as it is kept, in hexadecimal. tries: how often the hub was away again when it was redriven.
    reason: why it is dead, was discarded, or waits still. waits_for: the dead batch whose keys it has, empty otherwise.
    written_at: when its blob was last written, where it was read from that.
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
    written_at: datetime | None = field(default=None, compare=False)

    @property
    def is_readable(self) -> bool:
        """Say whether this version can read it: not where it is of a newer one, nor where its metadata are spoilt.

        Of spoilt metadata no SHA-256 is known.
        """
        return self.version <= VERSION and bool(self.sha256)

    @property
    def stream(self) -> str:
        """Name the stream, with `.cosmos` where it waits for Cosmos DB."""
        return self.path.partition("/")[0]

    @property
    def sink(self) -> Sink:
        """Say what it waits for."""
        return sink_of(self.stream)

    @property
    def window_id(self) -> str:
        """Name the window."""
        return self.path.split("/")[1]


@dataclass(frozen=True, slots=True)
class SpillMessage:
    """What a message in the queue says: the batch of which path waits, as which version of the app wrote it.

    tries, rows: the batch's when the message was written. tellings: of a message that is there to tell of the batch's
    window, the how manieth one it is; 0 of any other. hub: the batch's, empty where that can't be read.
    """

    path: str
    version: int = VERSION
    tries: int = 0
    rows: int = 0
    tellings: int = 0
    hub: str = ""


@dataclass(frozen=True, slots=True)
class SpillCounts:
    """Records of some batches, by what became of them."""

    by_state: Mapping[str, int] = field(default_factory=dict)

    def as_wire(self) -> dict[str, int]:
        """Give all four counts as plain JSON."""
        return {state: self.by_state.get(state, 0) for state in SPILL_STATES}


def stream_at(stream: str, sink: Sink) -> str:
    """Name under which a stream's batches for a sink are kept."""
    return f"{stream}{_OF_COSMOS}" if sink == "cosmos" else stream


def sink_of(stream: str) -> Sink:
    """Say of the name under which a stream's batches are kept for what they wait."""
    return "cosmos" if stream.endswith(_OF_COSMOS) else "hub"


def batch_path(stream: str, attempt_id: str, number: int) -> str:
    """Name a batch of the try `<window id>/<slice or close>.<try>` that spilled it as its `number`th, from 0."""
    window_id, _, name = attempt_id.partition("/")
    part, _, attempt = name.partition(".")
    padded = f"{int(part):04d}" if part.isdigit() else part
    return f"{stream}/{window_id}/{padded}.{attempt}/{number:06d}.ndjson.zst"


def is_batch_path(path: str) -> bool:
    """Say whether a blob's name is that of a batch."""
    return _PATH.fullmatch(path) is not None


def feed_of(path: str) -> str:
    """Name the feed of a batch by its path; raises ValueError for a path that is none of a batch."""
    return _matched(path)["feed"]


def next_path(path: str) -> str:
    """Name the batch after one, of the same try; raises ValueError for a path that is none of a batch."""
    match = _matched(path)
    return f"{path[: match.start('number')]}{int(match['number']) + 1:06d}{match['part'] or ''}.ndjson.zst"


def part_path(path: str, part: BatchPart) -> str:
    """Name what is split off a batch; raises ValueError for a path that is none of a batch."""
    match = _matched(path)
    return f"{path[: match.end('number')]}-{part}.ndjson.zst"


def whole_path(path: str) -> str:
    """Name the batch of which one was split off, itself where it is whole; raises ValueError for no batch's path."""
    return f"{path[: _matched(path).end('number')]}.ndjson.zst"


def may_become(state: SpillState, other: SpillState) -> bool:
    """Say whether a batch may go from one state to another, where two write at once.

    What the hub has acknowledged is redriven, whatever was said of it meanwhile, and stays so; what was discarded is
    never tried again.
    """
    return other in _LEGAL[state]


def message_of(batch: SpilledBatch, tellings: int = 0) -> dict[str, Any]:
    """Give the message that names a batch, as `contracts/documents/spill_message` says."""
    message = {
        "version": batch.version,
        "path": batch.path,
        "feed": batch.feed,
        "hub": batch.hub,
        "rows": batch.rows,
        "tries": batch.tries,
    }
    numbered = {"tellings": tellings} if tellings else {}
    return message | numbered | ({"reason": batch.reason} if batch.reason else {})


def read_message(document: object) -> SpillMessage:
    """Read a message, also of a newer version; raises ValueError, which says what is wrong with it."""
    if not isinstance(document, Mapping):
        raise ValueError(f"a message is a JSON object, not {type(document).__name__}")
    version, path = document.get("version"), document.get("path")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ValueError(f"version is {version!r}, not a whole number from 1")
    if not isinstance(path, str) or not is_batch_path(path):
        raise ValueError(f"path is {str(path)[:200]!r}, which names no batch")
    tries, rows, tellings = (_count_of(document, name) for name in ("tries", "rows", "tellings"))
    hub = document.get("hub")
    return SpillMessage(path, version, tries, rows, tellings, hub if isinstance(hub, str) else "")


def counts_by_stream(batches: Iterable[SpilledBatch]) -> dict[str, SpillCounts]:
    """Count the records of some batches by stream and state."""
    found: dict[str, dict[str, int]] = {}
    for batch in batches:
        states = found.setdefault(batch.stream, {})
        states[batch.state] = states.get(batch.state, 0) + batch.rows
    return {stream: SpillCounts(states) for stream, states in found.items()}


def _count_of(document: Mapping[str, Any], name: str) -> int:
    """Read a count that only helps; one that is missing or unreadable is 0."""
    count = document.get(name)
    return count if isinstance(count, int) and count >= 0 else 0


def _matched(path: str) -> re.Match[str]:
    match = _PATH.fullmatch(path)
    if match is None:
        raise ValueError(f"{path[:200]!r} names no batch")
    return match
