"""What else could be chosen, and what that saves a month in the case at hand: found by working out each bill."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from cost.bill import bill_of
from cost.case import Case, FeedCase
from cost.prices import PriceList

_HOUR: Final = timedelta(hours=1)

type Change = Callable[[Case], Case]


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to choose. how: by which settings. gives_up: what else it costs. is_there: whether it can be set."""

    name: str
    how: str
    gives_up: str
    change: Change
    is_there: bool = True


@dataclass(frozen=True, slots=True)
class Saving:
    """A choice, and what a month's bill is less by it in the list's currency; negative where it is more."""

    choice: Choice
    amount: float


def _of_feeds(change: Callable[[FeedCase], FeedCase]) -> Change:
    return lambda case: replace(case, feeds=tuple(map(change, case.feeds)))


def _fewer(times: int) -> Change:
    return _of_feeds(lambda feed: replace(feed, schedule=replace(feed.schedule, every=feed.schedule.every * times)))


def _packed(feed: FeedCase) -> FeedCase:
    return replace(feed, streams=feed.packed)


def _shorter(feed: FeedCase) -> FeedCase:
    length = max(feed.schedule.length / 4, min(feed.schedule.length, timedelta(minutes=5)))
    return replace(feed, schedule=replace(feed.schedule, length=length))


def _longer(feed: FeedCase) -> FeedCase:
    """Join windows that lie side by side to windows of an hour, which have the same records."""
    if feed.schedule.every != feed.schedule.length or feed.schedule.length >= _HOUR:
        return feed
    return replace(feed, schedule=replace(feed.schedule, every=_HOUR, length=_HOUR))


CHOICES: Final = (
    Choice(
        "one window in four",
        "`<FEED>_WINDOW_EVERY` × 4",
        "three quarters of the records",
        _fewer(4),
    ),
    Choice(
        "windows of a quarter of their length",
        "`<FEED>_WINDOW_LENGTH`",
        "three quarters of the records",
        _of_feeds(_shorter),
    ),
    Choice(
        "windows of an hour, one after another",
        "`<FEED>_WINDOW_EVERY`, `<FEED>_WINDOW_LENGTH` 01:00:00",
        "gold that is final every ten minutes",
        _of_feeds(_longer),
    ),
    Choice(
        "a pass every two minutes",
        "the bundle's `trigger_interval` 00:02:00",
        "tables that are half a minute old",
        lambda case: replace(case, pass_every=timedelta(minutes=2)),
    ),
    Choice(
        "packs with zstd",
        "`<STREAM>_PACKING` pack, `<STREAM>_ENCODING` zstd",
        "events of one record each",
        _of_feeds(_packed),
    ),
    Choice(
        "instances of 512 MB",
        "`instance_memory` 512",
        "memory: look first whether it is enough",
        lambda case: replace(case, memory=0.5),
    ),
    Choice(
        "Flex Consumption",
        "`plan` flex",
        "nothing",
        lambda case: replace(case, plan="flex"),
    ),
    Choice(
        "Elastic Premium",
        "`plan` premium",
        "what is paid by use alone",
        lambda case: replace(case, plan="premium"),
    ),
    Choice(
        "a database that pauses after an hour",
        "`sql_pause_after` 60",
        "a minute for it to wake",
        lambda case: replace(case, pause_after=timedelta(hours=1)),
    ),
    Choice(
        "no Capture",
        "`capture` false",
        "the lakehouse's source `capture`",
        lambda case: replace(case, capture=False),
    ),
    Choice(
        "no Cosmos DB",
        "`cosmos` false",
        "payments in Cosmos DB",
        lambda case: replace(case, cosmos_units=0),
    ),
    Choice(
        "no private network",
        "`private` false",
        "services that the internet does not reach",
        lambda case: replace(case, private=False),
    ),
    Choice(
        "windows that the app's timer opens",
        "Data Factory's triggers stopped",
        "nothing",
        lambda case: replace(case, factory_runs=0),
    ),
    Choice(
        "runs that read a window once, after its end",
        "no setting yet",
        "tables while the window goes on",
        lambda case: replace(case, follows=False),
        is_there=False,
    ),
)


def savings(case: Case, prices: PriceList, choices: Sequence[Choice] = CHOICES) -> list[Saving]:
    """Work out what each choice saves alone, the most first; choices that change nothing are left out."""
    total = bill_of(case, prices).total
    found = [Saving(one, total - bill_of(one.change(case), prices).total) for one in choices]
    return sorted((saving for saving in found if saving.amount), key=lambda saving: -saving.amount)


def best(case: Case, prices: PriceList, most: int = 3) -> list[Saving]:
    """Give the choices that save most and can be made."""
    return [saving for saving in savings(case, prices) if saving.choice.is_there and saving.amount > 0][:most]
