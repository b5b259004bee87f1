"""The reference data that enrichment joins: each lookup is made once, for a window, a day or as long as it is right."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from functools import partial
from typing import Any, Final

from shared import telemetry
from shared.clients.coincap.assets import Assets
from shared.clients.storage.reference import Reference
from shared.domain.days import DailySchedule, day_of, newest_due
from shared.domain.windows.window import Window
from shared.errors import FeedRefused, FeedUnusable, IngestionError, JobRefused, LoginRefused, Unavailable
from shared.feeds.assets import prepare
from shared.feeds.feed import Dimension, Drawing, Drawn, DrawnReference, Feed
from shared.feeds.lookup_files import dimension_file, parquet, reference_file
from shared.feeds.reference_lines import edition_of

logger = logging.getLogger(__name__)

LOOKUP_SECONDS = 20.0
ASSETS: Final = "assets"

type MakeLookup = Callable[[], bytes]
"""Makes a lookup as Parquet; raises Unavailable, FeedRefused, FeedUnusable or LoginRefused."""


@dataclass(frozen=True, slots=True)
class LookupFile:
    """A file of a lookup, in its folder and without its ending, and what makes its content where it is not there."""

    name: str
    make: MakeLookup


@dataclass(frozen=True, slots=True)
class WindowLookup:
    """A lookup of which each window has a file of its own."""

    make: MakeLookup

    def file(self, window: Window) -> LookupFile:
        """Give the file of a window: `<window id>`."""
        return LookupFile(window.id, self.make)


@dataclass(frozen=True, slots=True)
class DailyLookup:
    """A lookup of which each day has a file, for all windows that begin in it.

    zone: by whose clock the days are. due_at: the time at which a day's file is made, also where no window wants it.
    """

    make: Callable[[date], bytes]
    zone: tzinfo
    due_at: time

    def file(self, window: Window) -> LookupFile:
        """Give the file of a window's day: `<yyyymmdd>`."""
        return self._of(day_of(window.start, self.zone))

    def due(self, now: datetime) -> LookupFile:
        """Give the file of the newest day whose time has come."""
        return self._of(newest_due(now, self.due_at, self.zone))

    def _of(self, day: date) -> LookupFile:
        return LookupFile(f"{day:%Y%m%d}", partial(self.make, day))


@dataclass(frozen=True, slots=True)
class DrawnLookup:
    """A lookup that is drawn once: all windows have the same file till it would be drawn from something else.

    edition: names what it is drawn from.
    """

    edition: Callable[[], str]
    make: MakeLookup

    def file(self, window: Window) -> LookupFile:  # noqa: ARG002 - as the others have it
        """Give the file that there is now: `<edition>`."""
        return LookupFile(self.edition(), self.make)


type LookupMaker = WindowLookup | DailyLookup | DrawnLookup


@dataclass(frozen=True, slots=True)
class LookupTools:
    """Where lookups lie, and what makes each of them, by its name."""

    reference: Reference
    makers: Mapping[str, LookupMaker]


def lookup_makers(assets: Assets | None) -> dict[str, LookupMaker]:
    """Give what makes each lookup that a feed of any kind may name."""
    return {ASSETS: WindowLookup(partial(_make_assets, assets))}


def dimension_makers(
    feed: Feed, daily: DailySchedule, drawing: Callable[[str, Drawn], Drawing]
) -> dict[str, LookupMaker]:
    """Give what makes each of a feed's dimensions. drawing: gives a drawn feed ready to draw, with its pool."""
    source, due_at = feed.source, daily.lookups_at
    if not isinstance(source, Drawn) or due_at is None:
        return {}

    def made(dimension: Dimension, day: date) -> bytes:
        return dimension_file(dimension, drawing(feed.name, source).pool, day)

    return {one.name: DailyLookup(partial(made, one), daily.zone, due_at) for one in feed.dimensions}


def reference_makers(
    feed: Feed, options: Mapping[str, Any], drawing: Callable[[str, Drawn], Drawing]
) -> dict[str, LookupMaker]:
    """Give what makes those lookups of a feed that are its reference data. options: values of the feed's settings."""
    source = feed.source
    if not isinstance(source, Drawn):
        return {}

    def drawn(one: DrawnReference) -> DrawnLookup:
        return DrawnLookup(
            lambda: edition_of(one, drawing(feed.name, source).pool, options),
            lambda: reference_file(one, drawing(feed.name, source).pool, options),
        )

    return {one.name: drawn(one) for one in feed.references if one.name in feed.lookups}


def folder_of(name: str) -> str:
    """Name the folder of a lookup in its container."""
    return f"{name}/"


def provide(tools: LookupTools, name: str, window: Window) -> tuple[str, str]:
    """Write the lookup of a window, or of its day, unless it is there.

    Gives its path, or the newest good one's and why it is that. Raises JobRefused where there is none at all, or
    nothing makes one of that name.
    """
    if name not in tools.makers:
        known = ", ".join(sorted(tools.makers))
        raise JobRefused(f"Nothing makes a lookup {name!r}; there are {known}.")
    try:
        file = tools.makers[name].file(window)
        write_once(tools.reference, name, file)
    except (Unavailable, FeedRefused, FeedUnusable, LoginRefused) as error:
        return _fallback(tools, name, error)
    return path_of(name, file), ""


def write_due_lookups(tools: LookupTools, now: datetime) -> None:
    """Write of each daily lookup the file of the newest day that is due, where it is not there.

    What is due is read from the store alone: a tick that was missed is made good by the next one, and of two at once
    one writes. A lookup that can't be written is named in the log, tried again at the next tick, and costs no other.
    """
    daily = {name: maker for name, maker in tools.makers.items() if isinstance(maker, DailyLookup)}
    for name, maker in daily.items():
        file = maker.due(now)
        try:
            if write_once(tools.reference, name, file):
                telemetry.info(logger, "lookup.written", path=path_of(name, file))
        except IngestionError as error:
            telemetry.warning(logger, "lookup.not_written", path=path_of(name, file), cause=error)


def write_once(reference: Reference, name: str, file: LookupFile) -> bool:
    """Make and write a file unless it is there; say whether this call did."""
    path = path_of(name, file)
    return not reference.has(path) and reference.add(path, file.make())


def path_of(name: str, file: LookupFile) -> str:
    """Give the path of a lookup's file in its container."""
    return f"{folder_of(name)}{file.name}.parquet"


def _fallback(tools: LookupTools, name: str, error: IngestionError) -> tuple[str, str]:
    path = tools.reference.newest(folder_of(name))
    if path is None:
        raise JobRefused(f"There is no lookup {name}, and none could be made: {error}") from error
    telemetry.warning(logger, "lookup.fallback", path=path, cause=error)
    return path, f"The lookup {name} could not be made, {path} is used: {error}"


def _make_assets(assets: Assets | None) -> bytes:
    if assets is None:
        raise Unavailable("ASSETS__url is not set")
    lookup = prepare(assets.pages(LOOKUP_SECONDS))
    if lookup.unmatched:
        named = ", ".join(lookup.unmatched)
        telemetry.warning(logger, "lookup.unmatched", count=lookup.without_max_supply, symbols=named)
    if not len(lookup.table):
        raise Unavailable(f"of {lookup.read} assets none has a max supply")
    return parquet(lookup.table)
