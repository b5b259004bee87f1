"""Which items a request concerns by its headers, and where in the feed of changes it goes on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

from emulators.cosmos.containers import Container, Partition
from emulators.cosmos.items import read_partition_key
from emulators.cosmos.partitions import hash_of
from emulators.cosmos.refusals import Refusal, bad_request, not_here
from emulators.cosmos.versions import Version, Versions

_RANGE_GONE: Final = 1002


@dataclass(frozen=True, slots=True)
class Selection:
    """The partitions that a request concerns, and of their partition keys those that it takes."""

    partitions: Sequence[Partition]
    takes: Callable[[str], bool]
    is_all: bool = False


def selection(container: Container, headers: Mapping[str, str]) -> Selection:
    """Read what part of a container a request is for: a partition key, a range of hashes, a partition, or all."""
    key = headers.get("x-ms-documentdb-partitionkey")
    if key is not None:
        wanted = read_partition_key(key)
        return Selection([container.partition_of(wanted)], lambda each: each == wanted)
    chosen = headers.get("x-ms-documentdb-partitionkeyrangeid")
    if chosen is None:
        return Selection(container.partitions, lambda _: True, is_all=True)
    partitions = [each for each in container.partitions if each.range.id == chosen]
    if not partitions:
        raise Refusal(410, "Gone", f"There is no partition key range {chosen!r}.", substatus=_RANGE_GONE)
    low, high = headers.get("x-ms-start-epk", ""), headers.get("x-ms-end-epk", "FF")
    return Selection(partitions, lambda each: low <= hash_of(each) < high, is_all=len(container.partitions) == 1)


def changes(versions: Versions, headers: Mapping[str, str]) -> Iterator[Version]:
    """Give the versions after the place that a reader names: a number, now, a time, or else the beginning."""
    if headers.get("A-IM", "").lower() != "incremental feed":
        raise not_here("feed but the incremental one of latest versions")
    after, since = headers.get("If-None-Match"), headers.get("If-Modified-Since")
    if after == "*":
        return versions.since(versions.last)
    if after is not None:
        return versions.since(_number(after, versions))
    return versions.since(versions.first) if since is None else _from(versions, since)


def _number(etag: str, versions: Versions) -> int:
    text = etag.removeprefix("W/").strip('"')
    if not text.isdigit():
        raise bad_request(f"The continuation {etag[:40]!r} is not valid.")
    if int(text) < versions.first:
        raise bad_request("The continuation is of an earlier start of this emulator, which keeps nothing: begin anew.")
    return int(text)


def _from(versions: Versions, since: str) -> Iterator[Version]:
    try:
        begin = parsedate_to_datetime(since).timestamp()
    except ValueError:
        raise bad_request("If-Modified-Since must be a date of HTTP.") from None
    return (one for one in versions.since(versions.first) if one.item["_ts"] >= begin)
