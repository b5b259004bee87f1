"""Which feeds there are, one line each, and which of them can't be run as they are declared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.contracts import ContractError, load_contract, load_lookup_columns
from shared.feeds import trades
from shared.feeds.call_centre import feed as call_centre
from shared.feeds.feed import Drawn, EventHub, Feed
from shared.feeds.gps import feed as gps
from shared.feeds.payments import feed as payments
from shared.feeds.shop import feed as shop

FEEDS: tuple[Feed, ...] = (
    trades.FEED,
    payments.FEED,
    gps.FEED,
    call_centre.FEED,
    shop.FEED,
)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The feeds that can run, by name, and for each of the others what is wrong with it."""

    feeds: Mapping[str, Feed]
    problems: Mapping[str, str]


def checked(feeds: Iterable[Feed]) -> Catalogue:
    """Check each feed's declaration; one that is wrong is left out with its reason, and costs no other feed.

    Of two feeds that claim one name, of themselves or of a stream, the one declared first keeps it.
    """
    usable: dict[str, Feed] = {}
    problems: dict[str, str] = {}
    for feed in feeds:
        problem = _problem(feed, usable)
        if problem is None:
            usable[feed.name] = feed
        else:
            problems[feed.name] = f"Feed {feed.name} can't run: {problem}"
    return Catalogue(usable, problems)


def collection_type(stream: str) -> str:
    """Give the `collectionType` of a stream's items in Cosmos DB; empty where it may not go there."""
    destinations = {each.name: each.destination for feed in FEEDS for each in feed.streams}
    destination = destinations.get(stream)
    return destination.beside_cosmos if isinstance(destination, EventHub) else ""


def _problem(feed: Feed, others: Mapping[str, Feed]) -> str | None:
    if feed.name in others:
        return "another feed has this name."
    if not feed.streams:
        return "it has no stream."
    owners = {stream.name: other.name for other in others.values() for stream in other.streams}
    for number, stream in enumerate(feed.streams):
        if stream.name in owners:
            return f"its stream {stream.name} is a stream of feed {owners[stream.name]}, too."
        if stream.name in {earlier.name for earlier in feed.streams[:number]}:
            return f"it has two streams named {stream.name}."
        try:
            load_contract(stream.contract)
        except ContractError as error:
            return f"stream {stream.name}: {error}"
    return _problem_of_days(feed, others)


def _problem_of_days(feed: Feed, others: Mapping[str, Feed]) -> str | None:
    try:
        ZoneInfo(feed.zone)
    except (ZoneInfoNotFoundError, ValueError):
        return f"there is no time zone {feed.zone!r}."
    owners = {dimension.name: other.name for other in others.values() for dimension in other.dimensions}
    for dimension in feed.dimensions:
        if not isinstance(feed.source, Drawn):
            return f"its dimension {dimension.name} is made from a pool, and only a drawn feed has one."
        if dimension.name not in feed.lookups:
            return f"its dimension {dimension.name} is none of its lookups."
        if dimension.name in owners:
            return f"its dimension {dimension.name} is one of feed {owners[dimension.name]}, too."
        try:
            load_lookup_columns(dimension.name)
        except ContractError as error:
            return f"dimension {dimension.name}: {error}"
    return None
