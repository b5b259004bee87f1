"""What a run is asked to do, read from the texts of its job's parameters.

Their contract is `contracts/documents/job_parameters.v1.schema.json`.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from lakehouse.grammar import CONTAINER, CONTRACT, DURATION, FEED, FOLDER, HUB, STREAM, WINDOW_ID

_FIELDS: Mapping[str, re.Pattern[str]] = {"name": STREAM, "hub": HUB, "contract": CONTRACT}
_OF_FILES: Mapping[str, re.Pattern[str]] = {"name": STREAM, "files": FOLDER, "contract": CONTRACT}
_CREATED_AT, _FURTHER_HUBS, _COSMOS = "created_at", "further_hubs", "cosmos"
_MAYBE = frozenset({_CREATED_AT, _FURTHER_HUBS, _COSMOS})
COUNT = re.compile("[1-9][0-9]{0,8}")


class InvalidParameter(ValueError):
    """A parameter of the job that can't be read; says which and what is expected."""


@dataclass(frozen=True, slots=True)
class FurtherHub:
    """One more hub of a stream. created_at: as that of the stream's first one."""

    name: str
    created_at: str = ""


@dataclass(frozen=True, slots=True)
class Container:
    """A container of Cosmos DB."""

    database: str
    name: str


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream of a window.

    hub: where it is read from, the first of several. contract: `<name>/<version>`, what a record is held to whose event
    names none. created_at: when the hub was made, in ISO 8601: a hub of one name that was made anew is another one;
    empty where the app could not say. further_hubs: the others that the stream is spread over. cosmos: the container
    that gets its records beside the hub.
    """

    name: str
    hub: str
    contract: str
    created_at: str = ""
    further_hubs: tuple[FurtherHub, ...] = ()
    cosmos: Container | None = None

    @property
    def hubs(self) -> tuple[FurtherHub, ...]:
        """Give all its hubs, in order."""
        return FurtherHub(self.hub, self.created_at), *self.further_hubs

    def of_each_hub(self) -> tuple["Stream", ...]:
        """Give the stream as it is read from each of its hubs."""
        return tuple(Stream(self.name, hub.name, self.contract, hub.created_at) for hub in self.hubs)

    def made(self, created: Mapping[str, str]) -> "Stream":
        """Give the stream with its hubs made when this says, by their name; those that it does not name stay."""
        first, *further = (replace(hub, created_at=created.get(hub.name) or hub.created_at) for hub in self.hubs)
        return replace(self, created_at=first.created_at, further_hubs=tuple(further))


@dataclass(frozen=True, slots=True)
class ExportedStream:
    """A stream whose records a table was exported to.

    files: the folder of its Parquet files in the container `lake`. contract: what each record is held to.
    """

    name: str
    files: str
    contract: str


@dataclass(frozen=True, slots=True)
class RunRequest:
    """The window that a run follows, and its streams.

    exported: streams that are read beside them, from files that belong to no window. lookups: paths in the reference
    store, by lookup. options: numbers that tables are made by, those that are not as by default.
    """

    feed: str
    window_id: str
    start: datetime
    end: datetime
    streams: tuple[Stream, ...]
    lookups: Mapping[str, str]
    grace: timedelta
    drain_limit: timedelta
    options: Mapping[str, int] = field(default_factory=dict)
    exported: tuple[ExportedStream, ...] = ()

    @property
    def gives_up_at(self) -> datetime:
        """Give the moment after which the run no longer waits for its window to be closed."""
        return self.end + self.grace + self.drain_limit


def place_of(hub: str, partition: str) -> str:
    """Name a partition among those of all hubs of a stream: `<hub>/<partition>`; of the first, `<partition>`."""
    return f"{hub}/{partition}" if hub else partition


def parse_window_id(feed: str, text: str) -> str:
    """Check a feed's name and the id of a window of it, `<feed>-<yyyymmddThhmmssZ>`; raises InvalidParameter."""
    if not FEED.fullmatch(feed):
        raise InvalidParameter(f"feed: {feed!r} is no feed's name; expected small letters, digits and underscores.")
    if not WINDOW_ID.fullmatch(text):
        raise InvalidParameter(f"window_id: {text!r} is no window id; expected <feed>-<yyyymmddThhmmssZ>.")
    try:
        datetime.strptime(text.rpartition("-")[2], "%Y%m%dT%H%M%S%z")
    except ValueError as error:
        raise InvalidParameter(f"window_id: {text!r} names a time that there is not: {error}.") from error
    if text.rpartition("-")[0] != feed:
        raise InvalidParameter(f"window_id: {text!r} is no window of the feed {feed!r}.")
    return text


def parse_instant(name: str, text: str) -> datetime:
    """Read an ISO 8601 time with its offset; raises InvalidParameter."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidParameter(f"{name}: {text!r} is no time; expected such as 2026-11-22T10:00:00Z.") from error
    if instant.tzinfo is None:
        raise InvalidParameter(f"{name}: {text!r} has no offset; write it in UTC, with Z at its end.")
    return instant


def parse_duration(name: str, text: str) -> timedelta:
    """Read a duration written as hh:mm:ss; raises InvalidParameter."""
    if not DURATION.fullmatch(text):
        raise InvalidParameter(f"{name}: {text!r} is no duration; expected hh:mm:ss.")
    try:
        hours, minutes, seconds = map(int, text.split(":"))
        return timedelta(hours=hours, minutes=minutes, seconds=seconds)
    except (OverflowError, ValueError) as error:
        raise InvalidParameter(f"{name}: {text[:40]!r} is longer than a duration can be.") from error


def parse_count(name: str, text: str) -> int:
    """Read a number of at least 1; raises InvalidParameter."""
    if not COUNT.fullmatch(text):
        raise InvalidParameter(f"{name}: {text[:40]!r} is no number from 1 to 999999999.")
    return int(text)


def parse_streams(text: str) -> tuple[tuple[Stream, ...], tuple[ExportedStream, ...]]:
    """Read the JSON list of a window's streams: those of hubs, one at least, and those that come as exported files.

    Raises InvalidParameter, also where two have one name, hub or folder.
    """
    given = _parse_json("streams", text)
    found = [_stream(number, each) for number, each in enumerate(given)] if isinstance(given, list) else []
    of_hubs = tuple(each for each in found if isinstance(each, Stream))
    exported = tuple(each for each in found if isinstance(each, ExportedStream))
    if not of_hubs:
        raise InvalidParameter('streams: expected a JSON list of {"name", "hub", "contract"}, and at least one.')
    _refuse_twice("name", (stream.name for stream in found))
    _refuse_twice("hub", (hub.name for stream in of_hubs for hub in stream.hubs))
    _refuse_twice("folder", (stream.files for stream in exported))
    return of_hubs, exported


def parse_lookups(text: str) -> dict[str, str]:
    """Read the JSON object of paths by the lookup's name; raises InvalidParameter."""
    given = _parse_json("lookups", text)
    if not isinstance(given, dict) or not all(isinstance(path, str) and path for path in given.values()):
        raise InvalidParameter("lookups: expected a JSON object with a path for each lookup's name.")
    return given


def _refuse_twice(what: str, names: Iterable[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InvalidParameter(f"streams: the {what} {twice[0]!r} is given twice.")


def _parse_json(name: str, text: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidParameter(f"{name}: {text[:80]!r} is no JSON: {error}.") from error


def _stream(number: int, given: object) -> Stream | ExportedStream:
    place = f"streams[{number}]"
    fields, maybe = (_OF_FILES, frozenset[str]()) if isinstance(given, dict) and "files" in given else (_FIELDS, _MAYBE)
    if not isinstance(given, dict) or set(given) - maybe != set(fields):
        others = f", maybe {', '.join(sorted(maybe))}" if maybe else ""
        raise InvalidParameter(f"{place}: expected an object of {', '.join(fields)}{others}, and nothing else.")
    for name, pattern in fields.items():
        if not isinstance(given[name], str) or not pattern.fullmatch(given[name]):
            raise InvalidParameter(f"{place}.{name}: {given[name]!r} does not match {pattern.pattern}.")
    if given["contract"].partition("/")[0] != given["name"]:
        raise InvalidParameter(
            f"{place}.contract: {given['contract']!r} is no contract of the stream {given['name']!r}."
        )
    return _of_hubs(place, given) if maybe else ExportedStream(**given)


def _of_hubs(place: str, given: Mapping[str, Any]) -> Stream:
    if created := given.get(_CREATED_AT):
        parse_instant(f"{place}.{_CREATED_AT}", created)
    further = _further_hubs(f"{place}.{_FURTHER_HUBS}", given.get(_FURTHER_HUBS, []))
    cosmos = _container(f"{place}.{_COSMOS}", given[_COSMOS]) if _COSMOS in given else None
    return Stream(**{**given, _FURTHER_HUBS: further, _COSMOS: cosmos})


def _further_hubs(place: str, given: object) -> tuple[FurtherHub, ...]:
    if not isinstance(given, list):
        raise InvalidParameter(f'{place}: expected a JSON list of {{"name"}}, maybe with {_CREATED_AT}.')
    return tuple(_further_hub(f"{place}[{number}]", each) for number, each in enumerate(given))


def _further_hub(place: str, given: object) -> FurtherHub:
    if not isinstance(given, dict) or set(given) - {_CREATED_AT} != {"name"}:
        raise InvalidParameter(f"{place}: expected an object of name, maybe {_CREATED_AT}, and nothing else.")
    if not isinstance(given["name"], str) or not HUB.fullmatch(given["name"]):
        raise InvalidParameter(f"{place}.name: {given['name']!r} does not match {HUB.pattern}.")
    if created := given.get(_CREATED_AT):
        parse_instant(f"{place}.{_CREATED_AT}", created)
    return FurtherHub(**given)


def _container(place: str, given: object) -> Container:
    if not isinstance(given, dict) or set(given) != {"database", "container"}:
        raise InvalidParameter(f"{place}: expected an object of database and container, and nothing else.")
    for name, text in given.items():
        if not isinstance(text, str) or not CONTAINER.fullmatch(text):
            raise InvalidParameter(f"{place}.{name}: {text!r} does not match {CONTAINER.pattern}.")
    return Container(given["database"], given["container"])
