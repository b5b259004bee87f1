"""Cases of small numbers, by which a bill can be worked out by hand."""

from datetime import timedelta

from cost.case import Case, FeedCase, StreamFlow
from shared.domain.windows.schedule import Schedule

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def flow(name="trades", events=10.0, size=100.0, destination="hub"):
    return StreamFlow(name, destination, events, events, events, events * size)


def feed(every=HOUR, length=HOUR, *, streams=None, packed=None, enriched=True, daily=False, name="trades"):
    streams = streams or (flow(name),)
    schedule = Schedule(name, every, timedelta(), length, timedelta(), timedelta())
    parts = 5 * MINUTE, timedelta(), timedelta()
    return FeedCase(schedule, *parts, streams, packed or streams, enriched, daily)


def case(*feeds, **settings):
    return Case(feeds=feeds or (feed(),), timer_ticks=288, **settings)


def quantities(lines):
    return {line.part: line.quantity for line in lines}
