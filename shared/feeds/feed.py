"""What a feed is: its streams, where each goes, where its records come from, and how its windows lie."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from shared.domain.setting import Setting
from shared.domain.volumes.measurement import MeasuredTable
from shared.feeds.drawing.pool import Pool
from shared.feeds.slicing import StreamRecords


@dataclass(frozen=True, slots=True)
class EventHub:
    """A stream whose records go to a hub, named like the stream unless a setting names another.

    beside_cosmos: the `collectionType` of its items where a setting may send it to Cosmos DB too, or alone; empty where
    none may.
    """

    kind: Literal["hub"] = "hub"
    beside_cosmos: str = ""


@dataclass(frozen=True, slots=True)
class SqlTable:
    """A stream whose records become rows of a SQL table named like the stream, one row a key."""

    kind: Literal["sql"] = "sql"


@dataclass(frozen=True, slots=True)
class LakeFolder:
    """A stream whose records become files of the lake, newline-delimited JSON or Parquet."""

    kind: Literal["lake_ndjson", "lake_parquet"] = "lake_ndjson"


@dataclass(frozen=True, slots=True)
class Answers:
    """A stream that the app makes of a feed's records itself, on a hub of its own; no slice of a window sends it.

    The setting `<STREAM>_HUB` names the hub. function: what makes it; while that is disabled there is no such stream.
    """

    contract: str
    function: str

    @property
    def name(self) -> str:
        """Name the stream as its contract does."""
        return self.contract.partition("/")[0]


type Destination = EventHub | SqlTable | LakeFolder


@dataclass(frozen=True, slots=True)
class Stream:
    """One kind of record of a feed: its contract (`trades/1`) and where it goes.

    Its name, key, partition key and columns are the contract's.
    """

    contract: str
    destination: Destination = EventHub()

    @property
    def name(self) -> str:
        """Name the stream as its contract does."""
        return self.contract.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Position:
    """Which records of a feed's primary stream to draw; the records of its other streams follow from these.

    They are the records `[first, first + count)` of a slice that starts at `start` (microseconds since the epoch), of
    which record p is of the time `start + p / rate` seconds. options: the values of the feed's own settings.
    """

    window_id: str
    slice_number: int
    first: int
    count: int
    start: int
    rate: float
    options: Mapping[str, Any] = field(default_factory=dict)


type Draw = Callable[[Position], StreamRecords]
"""Draws the records of all streams at a position: the same position always gives the same records."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Records that are drawn from a pool.

    version: raised by whoever changes what `build` or `draw` give. build: makes the pool of a seed, telling what it
    makes next. draw: makes, once for a pool, what draws from it.
    """

    version: int
    build: Callable[[int, Callable[[str], None]], Pool]
    draw: Callable[[Pool], Draw]
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Exchanges:
    """Trades of exchanges, by websocket and from their history; which markets is a setting."""

    markets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Replayed:
    """Records that are read from a recording in CSV, one line each, where a setting names its file.

    contract: of the records, whose names are those of the columns. time: the column of a record's own time. blank_key:
    the partition key of a record that has none.
    """

    contract: str
    time: str
    blank_key: str = "unk"


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawn feed that is ready: its pool, and what draws from it."""

    pool: Pool
    draw: Draw

    @property
    def fingerprint(self) -> str:
        """Name the content of the pool."""
        return self.pool.fingerprint


type Source = Drawn | Exchanges


@dataclass(frozen=True, slots=True)
class Dimension:
    """A lookup of a drawn feed that has other rows from day to day, such as its clients.

    make: gives the rows of a day from the feed's pool, in the columns and types of the contract `lookups/<name>`; the
    same pool and day always give the same rows.
    """

    name: str
    make: Callable[[Pool, date], pa.Table]


@dataclass(frozen=True, slots=True)
class DrawnReference:
    """Reference data that a drawn feed gives beside its windows: drawn once for a pool, kept as files of the lake.

    name: of its contract, `lookups/<name>`. path: of the file in the container, with one line a row; with `{number}` in
    it each row is a file of its own. options: which of the feed's settings its rows depend on. size: gives, from the
    values of the feed's settings, how many rows there are. lines: gives the rows of int64 numbers, from 1 on, as a
    `pa.Array` of JSON objects that end in a newline; the same pool, number and options always give the same row.
    """

    name: str
    path: str
    options: tuple[str, ...]
    size: Callable[[Mapping[str, Any]], int]
    lines: Callable[[Pool, np.ndarray, Mapping[str, Any]], pa.Array]

    @property
    def one_each(self) -> bool:
        """Say whether each row is a file of its own."""
        return "{number}" in self.path


@dataclass(frozen=True, slots=True)
class Feed:
    """A source of records in windows; what is a setting, too, is the default of it.

    source: where the records come from; the first of `streams` is the primary one of a drawn feed. every, length: how
    often a window begins and how long it is. slice_length: how long one activity ingests. lead: how long before its
    start a slice begins. grace: how long late records are awaited. rate: records of the primary stream a second, of a
    drawn feed. lookups: which reference data the enrichment of its windows joins. dimensions: those of the lookups
    that are made anew each day from the pool. references: what is drawn once for its pool, into files of the lake.
    answers: streams that the app makes of its records, and a run of the lakehouse reads beside them.
    zone: the time zone whose days these are, by its IANA name. daily_gold: whether its pipeline has tables by day,
    which a run brings up to date when the day is over. measured: the SQL tables whose volume is judged. replay: how its
    windows read a recording, which a setting may put in the place of its source. settings: its own, beyond those of
    every feed; their values, which must be plain JSON, are frozen into each plan.
    """

    name: str
    streams: tuple[Stream, ...]
    source: Source
    every: timedelta = timedelta(hours=1)
    length: timedelta = timedelta(hours=1)
    slice_length: timedelta = timedelta(minutes=5)
    lead: timedelta = timedelta(seconds=5)
    grace: timedelta = timedelta()
    rate: float = 100
    lookups: tuple[str, ...] = ()
    dimensions: tuple[Dimension, ...] = ()
    references: tuple[DrawnReference, ...] = ()
    answers: tuple[Answers, ...] = ()
    zone: str = "UTC"
    daily_gold: bool = False
    measured: tuple[MeasuredTable, ...] = ()
    replay: Replayed | None = None
    settings: tuple[Setting, ...] = ()
