"""The app settings of feeds, of their streams and sources, and of the venues that they follow."""

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta

from shared.domain import setting
from shared.domain.duration import format_duration
from shared.domain.recording import recording_location
from shared.domain.setting import Setting
from shared.domain.volumes.measurement import MeasuredTable
from shared.feeds.feed import Drawn, EventHub, Exchanges, Feed, Stream
from shared.settings import values
from shared.settings.measured_tables import measured_tables
from shared.trades.venues.registry import PUBLIC_ENDPOINTS

JOB = "follow_window"
"""The one job of the bundle, which takes any stream from its hub on."""


def enabled(feeds: Iterable[Feed]) -> Setting:
    """Give the setting that names the feeds which run."""
    return Setting("FEEDS", setting.names, ",".join(feed.name for feed in feeds), "The enabled feeds.")


def of_feed(feed: Feed) -> Iterable[Setting]:
    """Give what every feed has, then what its source, its streams and itself have."""
    name = feed.name.upper()
    lengths = {
        "WINDOW_EVERY": (setting.positive_whole_seconds, feed.every, "How often a window begins."),
        "WINDOW_OFFSET": (setting.whole_seconds, timedelta(), "How far the grid is moved from midnight UTC."),
        "WINDOW_LENGTH": (setting.positive_whole_seconds, feed.length, "How long a window is, at most 24:00:00."),
        "SLICE_LENGTH": (setting.positive_whole_seconds, feed.slice_length, "How long one activity ingests."),
        "LEAD": (setting.duration, feed.lead, "How long before its start a slice begins."),
        "GRACE": (setting.duration, feed.grace, "How long late records are awaited."),
        "CATCH_UP": (setting.duration, timedelta(hours=24), "How far back missed windows are caught up."),
    }
    for suffix, (parse, default, meaning) in lengths.items():
        yield Setting(f"{name}_{suffix}", parse, format_duration(default), meaning)
    job = JOB if any(isinstance(stream.destination, EventHub) for stream in feed.streams) else ""
    yield Setting(f"{name}_JOB", setting.optional_text, job, "The Databricks job that enriches its windows.")
    yield from _daily(feed)
    for stream in feed.streams:
        yield from _stream(stream)
    yield from _source(feed)
    if feed.replay is not None:
        yield from _replay(name)
    yield from feed.settings


def _daily(feed: Feed) -> Iterable[Setting]:
    name = feed.name.upper()
    if feed.dimensions:
        lookups = ", ".join(dimension.name for dimension in feed.dimensions)
        meaning = f"When each day's file of {lookups} is made, by the clock of {feed.zone}."
        yield Setting(f"{name}_LOOKUPS_AT", setting.time_of_day, "02:00:00", meaning)
    at = "06:00:00" if feed.daily_gold else ""
    meaning = (
        f"When a run brings the gold of the day before up to date, by the clock of {feed.zone}; absent: none does."
    )
    yield Setting(f"{name}_GOLD_AT", setting.optional_time_of_day, at, meaning)


def _stream(stream: Stream) -> Iterable[Setting]:
    name = stream.name.upper()
    if isinstance(stream.destination, EventHub):
        yield Setting(f"{name}_HUB", values.hub, stream.name, f"The hub of the stream {stream.name}.")
        several = f"The hubs of the stream {stream.name} where it is spread over several, in the place of {name}_HUB."
        yield Setting(f"{name}_HUBS", values.hubs, "", several)
        if stream.destination.beside_cosmos:
            yield from _beside_cosmos(stream.name)
    rows_or_packs = setting.OneOf("row", "pack")
    yield Setting(f"{name}_PACKING", rows_or_packs, "row", "`row`: one record an event; `pack`: many.")
    encodings = setting.OneOf("identity", "zstd")
    meaning = "How packs are compressed: `identity` (not at all) or `zstd`."
    yield Setting(f"{name}_ENCODING", encodings, "identity", meaning)


def _beside_cosmos(stream: str) -> Iterable[Setting]:
    beside = f"The container of Cosmos DB that gets the stream {stream} too, `<database>/<container>`; absent: none."
    yield Setting(f"{stream.upper()}_COSMOS", values.container, "", beside)
    alone = f"`true`: the stream {stream} goes to that container alone, and to no hub; runs do not read it."
    yield Setting(f"{stream.upper()}_COSMOS_ONLY", setting.yes_or_no, "false", alone)


def _source(feed: Feed) -> Iterable[Setting]:
    name = feed.name.upper()
    if isinstance(feed.source, Drawn):
        yield Setting(f"{name}_RATE", setting.positive_number, f"{feed.rate:g}", "Records per second.")
        past = "Past windows go at this many times the rate."
        yield Setting(f"{name}_CATCH_UP_RATE", setting.positive_number, "2", past)
    if isinstance(feed.source, Exchanges):
        venues = ", ".join(PUBLIC_ENDPOINTS)
        meaning = (
            f"Markets, as `venue:symbol`; venues are {venues}. Where a symbol can be read in two ways: "
            "`venue:symbol=BASE/QUOTE`."
        )
        yield Setting(f"{name}_SOURCES", setting.names, ",".join(feed.source.markets), meaning)


def _replay(name: str) -> Iterable[Setting]:
    meaning = (
        "A recording in CSV that windows replay instead, plain, .gz or .zip: `file:///<path>`, "
        "`blob:<container>/<path>`, or an `https://` URL, with its signature if it needs one."
    )
    yield Setting(f"{name}_REPLAY_FILE", recording_location, "", meaning, secret=True)
    from_line = "The line of the file with which each window begins; its header, if it has one, is passed over."
    yield Setting(f"{name}_REPLAY_FROM", setting.positive_integer, "1", from_line)
    speed = "`0`: lines go at the rate; else by their own times, so many times as fast."
    yield Setting(f"{name}_REPLAY_SPEED", setting.number_from_zero, "0", speed)
    lead = "So many seconds after a window's start its first line is sent."
    yield Setting(f"{name}_SECONDS_TO_LEAD", setting.number_from_zero, "0", lead)
    run = "For so many seconds lines are sent; `0`: to the window's end."
    yield Setting(f"{name}_SECONDS_TO_RUN", setting.number_from_zero, "0", run)


def measured(feeds: Iterable[Feed]) -> Setting:
    """Give the setting that names the tables whose volume may be measured."""
    tables = {table.key: _measured_table(table) for feed in feeds for table in feed.measured}
    meaning = "The tables that may be measured, by key, as JSON."
    return Setting("METRICS_TABLES", measured_tables, json.dumps(tables), meaning)


def _measured_table(table: MeasuredTable) -> Mapping[str, str | int]:
    written: dict[str, str | int] = {"table": table.table, "floor": table.floor, "alert": table.alert}
    return written if table.stream == table.key else {**written, "stream": table.stream}


def of_venue(venue: str) -> Iterable[Setting]:
    """Give the addresses of a venue."""
    name, public = venue.upper(), PUBLIC_ENDPOINTS[venue]
    websocket, rest = setting.Url("wss"), setting.Url("https")
    yield Setting(f"{name}__websocketUrl", websocket, public.websocket_url, f"The websocket of {venue}.")
    yield Setting(f"{name}__restUrl", rest, public.rest_url, f"The REST API of {venue}.")
