"""What a month's bill is worked out for: the feeds with what they send, and how everything is set up."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from shared.domain.costs import HOURS_OF_MONTH
from shared.domain.windows.schedule import Schedule

MONTH: Final = timedelta(hours=HOURS_OF_MONTH)

type Plan = Literal["flex", "premium"]


@dataclass(frozen=True, slots=True)
class StreamFlow:
    """What a stream sends in a second of its window: records, events, events as a hub bills them, bytes of bodies."""

    name: str
    destination: str
    records: float
    events: float
    billed_events: float
    bytes: float


@dataclass(frozen=True, slots=True)
class FeedCase:
    """A feed: when its windows lie, how they are cut, and what its streams send, as they are set and in packs.

    packed: the same streams, where each that goes to a hub is sent as packs with zstd. enriched: whether a run of the
    lakehouse follows each window. daily: whether one more run a day brings gold up to date.
    """

    schedule: Schedule
    slice_length: timedelta
    lead: timedelta
    grace: timedelta
    streams: tuple[StreamFlow, ...]
    packed: tuple[StreamFlow, ...]
    enriched: bool
    daily: bool

    @property
    def name(self) -> str:
        """Name the feed."""
        return self.schedule.feed

    @property
    def windows(self) -> float:
        """Count the windows of a month."""
        return MONTH / self.schedule.every

    @property
    def slices(self) -> int:
        """Count the slices of a window."""
        return -(-self.schedule.length // self.slice_length)

    @property
    def seconds(self) -> float:
        """Count the seconds of a month that lie in windows."""
        return self.windows * self.schedule.length.total_seconds()

    @property
    def hub_streams(self) -> tuple[StreamFlow, ...]:
        """Give the streams that go to a hub."""
        return tuple(stream for stream in self.streams if stream.destination == "hub")


@dataclass(frozen=True, slots=True)
class Case:
    """A deployment; the names are those of infra/variables.tf where these have the thing.

    memory: GB of an instance on Flex Consumption. pause_after: of the database, None for never. least_vcores: of the
    database while it is awake. sql_gigabytes: that it may grow to, which is what is billed. polling: how long at most
    between two looks at a queue. cosmos_units: RU/s, 0 for no account. timer_ticks: of all timers, an hour.
    factory_runs: activity runs for each window that Data Factory opens, 0 where it opens none. follows: whether a run
    reads its window while this goes on, or once after its end.
    """

    feeds: tuple[FeedCase, ...]
    timer_ticks: int
    plan: Plan = "flex"
    memory: float = 2.0
    throughput_units: int = 1
    capture: bool = False
    private: bool = False
    cosmos_units: int = 0
    pause_after: timedelta | None = timedelta(minutes=60)
    least_vcores: float = 0.5
    sql_gigabytes: float = 32
    export_every: timedelta | None = timedelta(hours=1)
    polling: timedelta = timedelta(seconds=10)
    pass_every: timedelta = timedelta(seconds=30)
    factory_runs: int = 0
    follows: bool = True


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the bill: so many units of a price in a month, and what drives them."""

    part: str
    quantity: float
    price: str
    driver: str
