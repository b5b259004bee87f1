"""The plan of a window: all that was decided when it was claimed, and no retry decides again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import floor
from typing import Any, Literal

from shared.domain.windows.instances import leg_instance, slice_instance, window_instance
from shared.domain.windows.replay import ReplayPlan, ReplaySettings
from shared.domain.windows.window import Leg, Slice, Window

MAX_CHILDREN = 24
MAX_WINDOW = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """Where one stream of the window goes and how: contract, packing (`row` or `pack`), encoding, destination.

    hubs: by name, none for another destination; over several its records are spread (`shared.domain.spreading`).
    partitions: of the hub that has fewest of them, 0 where packing does not need to know. cosmos: the
    `<database>/<container>` that gets the records too, or alone where the destination says so; empty for none.
    """

    name: str
    hubs: tuple[str, ...]
    contract: str
    packing: Literal["row", "pack"]
    encoding: Literal["identity", "zstd"]
    partitions: int
    destination: Literal["hub", "sql", "lake_ndjson", "lake_parquet", "cosmos"] = "hub"
    cosmos: str = ""

    def as_wire(self) -> dict[str, Any]:
        """Give it as plain JSON; one hub is written as `hub`, as plans of before there could be several have it."""
        named = {"hubs": list(self.hubs)} if len(self.hubs) > 1 else {"hub": "".join(self.hubs)}
        return {
            "name": self.name,
            **named,
            "contract": self.contract,
            "packing": self.packing,
            "encoding": self.encoding,
            "partitions": self.partitions,
            "destination": self.destination,
            **({"cosmos": self.cosmos} if self.cosmos else {}),
        }

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> "StreamPlan":
        """Read what `as_wire` gave."""
        others = {name: value for name, value in wire.items() if name not in {"hub", "hubs"}}
        one = [wire["hub"]] if wire.get("hub") else []
        return cls(hubs=tuple(wire.get("hubs", one)), **others)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything about a window that must not change once it is claimed.

    past: the window had wholly passed when it was claimed, so its slices run one after another.
    rate: records of a drawn feed's primary stream a second. speed: how many times that a past window is sent with.
    sources: the markets of a feed of exchanges (`coinbase:BTC-USD`). fingerprint: of the pool that a drawn feed draws
    from. options: the values of the feed's own settings, by name. attempt: of the window, from 1. refused: markets that
    the window goes on without, and why. replay: what it replays instead of what its feed gives, None is nothing.
    answers: what the app makes of its records, on hubs of their own; no slice sends it.
    """

    window: Window
    slice_length: timedelta
    lead: timedelta
    grace: timedelta
    past: bool
    rate: float
    speed: float
    sources: tuple[str, ...]
    fingerprint: str
    streams: tuple[StreamPlan, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    attempt: int = 1
    refused: Mapping[str, str] = field(default_factory=dict)
    replay: ReplayPlan | None = None
    answers: tuple[StreamPlan, ...] = ()

    @property
    def of_hubs(self) -> tuple[StreamPlan, ...]:
        """Give all streams that a run of the lakehouse reads."""
        return _of_hubs(self.streams, self.answers)

    @property
    def instance(self) -> str:
        """Name the window's orchestration of this attempt."""
        return window_instance(self.window.id, self.attempt)

    def slices(self) -> tuple[Slice, ...]:
        """Cut the window on the grid of its own start; the last slice may be shorter."""
        count = -(-self.window.length // self.slice_length)
        starts = [self.window.start + number * self.slice_length for number in range(count)]
        return tuple(
            Slice(self.window.id, number, start, min(start + self.slice_length, self.window.end))
            for number, start in enumerate(starts)
        )

    def legs(self) -> tuple[Leg, ...]:
        """Group the slices so that neither the window nor a leg has more than `MAX_CHILDREN` children."""
        slices = self.slices()
        size = len(slices) if len(slices) <= MAX_CHILDREN else -(-len(slices) // MAX_CHILDREN)
        firsts = range(0, len(slices), size)
        return tuple(Leg(number, slices[first : first + size]) for number, first in enumerate(firsts))

    def slice_instances(self) -> tuple[str, ...]:
        """Name the orchestrations of the slices, in order: a stop is raised to those that wait for their time."""
        named = [(leg_instance(self.instance, leg.number), part) for leg in self.legs() for part in leg.slices]
        return tuple(slice_instance(leg, part.number) for leg, part in named)

    def records(self, part: Slice) -> int:
        """Count the primary records that a drawn feed owes in a slice; over a window they add up to rate × length."""
        start, end = part.start - self.window.start, part.end - self.window.start
        return _records_before(end, self.rate) - _records_before(start, self.rate)

    def with_keys_of(self, earlier: "Plan") -> "Plan":
        """Give the plan with all that the keys and numbers of records go by as an earlier attempt had it.

        What was sent then and what is sent now are the same records, in the same slices, whatever was set since.
        """
        return replace(
            self,
            slice_length=earlier.slice_length,
            rate=earlier.rate,
            fingerprint=earlier.fingerprint,
            options=earlier.options,
            replay=earlier.replay.again(self.replay) if earlier.replay else None,
        )

    def as_wire(self) -> dict[str, Any]:
        """Give the plan as plain JSON."""
        return {
            "feed": self.window.feed,
            "start": self.window.start.isoformat(),
            "end": self.window.end.isoformat(),
            "slice_length": self.slice_length.total_seconds(),
            "lead": self.lead.total_seconds(),
            "grace": self.grace.total_seconds(),
            "past": self.past,
            "rate": self.rate,
            "speed": self.speed,
            "sources": list(self.sources),
            "fingerprint": self.fingerprint,
            "streams": [stream.as_wire() for stream in self.streams],
            "options": dict(self.options),
            "attempt": self.attempt,
            "refused": dict(self.refused),
            **({"replay": self.replay.as_wire()} if self.replay else {}),
            **({"answers": [stream.as_wire() for stream in self.answers]} if self.answers else {}),
        }

    @classmethod
    def from_wire(cls, wire: dict[str, Any]) -> "Plan":
        """Read what `as_wire` gave."""
        return cls(
            window=Window(wire["feed"], datetime.fromisoformat(wire["start"]), datetime.fromisoformat(wire["end"])),
            slice_length=timedelta(seconds=wire["slice_length"]),
            lead=timedelta(seconds=wire["lead"]),
            grace=timedelta(seconds=wire["grace"]),
            past=wire["past"],
            rate=wire["rate"],
            speed=wire["speed"],
            sources=tuple(wire["sources"]),
            fingerprint=wire["fingerprint"],
            streams=tuple(map(StreamPlan.from_wire, wire["streams"])),
            options=wire.get("options", {}),
            attempt=wire.get("attempt", 1),
            refused=wire.get("refused", {}),
            replay=ReplayPlan.from_wire(wire.get("replay")),
            answers=tuple(map(StreamPlan.from_wire, wire.get("answers", ()))),
        )


@dataclass(frozen=True, slots=True)
class SliceAttempt:
    """One try at one slice of a plan. resumed: what the try before it had reported, as plain JSON, where it goes on."""

    plan: Plan
    part: Slice
    attempt: int
    resumed: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlanTemplate:
    """What the settings say of every window of a feed; `freeze` makes it one window's plan."""

    slice_length: timedelta
    lead: timedelta
    grace: timedelta
    rate: float
    catch_up_rate: float
    sources: tuple[str, ...]
    streams: tuple[StreamPlan, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    replay: ReplaySettings = field(default_factory=ReplaySettings)
    answers: tuple[StreamPlan, ...] = ()

    @property
    def of_hubs(self) -> tuple[StreamPlan, ...]:
        """Give all streams that a run of the lakehouse reads."""
        return _of_hubs(self.streams, self.answers)

    def freeze(
        self, window: Window, now: datetime, fingerprint: str, partitions: Mapping[str, int], attempt: int = 1
    ) -> Plan:
        """Decide all that a window claimed at `now` must keep; `partitions` are counts by hub."""
        past = window.end <= now
        return Plan(
            window=window,
            slice_length=self.slice_length,
            lead=self.lead,
            grace=self.grace,
            past=past,
            rate=self.rate,
            speed=self.catch_up_rate if past else 1.0,
            sources=self.sources,
            fingerprint=fingerprint,
            streams=tuple(replace(stream, partitions=_fewest(stream.hubs, partitions)) for stream in self.streams),
            options=self.options,
            attempt=attempt,
            answers=self.answers,
        )


def longest_window(slice_length: timedelta) -> timedelta:
    """Give the longest window that can be cut in such slices without an orchestration having too many children."""
    most = MAX_CHILDREN * MAX_CHILDREN
    return min(MAX_WINDOW, slice_length * most)


def _of_hubs(*streams: Iterable[StreamPlan]) -> tuple[StreamPlan, ...]:
    return tuple(stream for each in streams for stream in each if stream.hubs)


def _records_before(elapsed: timedelta, rate: float) -> int:
    return floor(elapsed.total_seconds() * rate + 1e-6)


def _fewest(hubs: Iterable[str], partitions: Mapping[str, int]) -> int:
    """Count the partitions that all of some hubs have; 0 where that is not known of each."""
    return min((partitions.get(hub, 0) for hub in hubs), default=0)
