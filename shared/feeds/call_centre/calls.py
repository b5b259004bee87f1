"""The course of calls, from their random bits: when the menu answers, who attends them, and when each of it ends.

All times are int64 milliseconds since the epoch.
"""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from shared.feeds.call_centre import tables
from shared.feeds.call_centre.choices import agents_of, below, between, happens


@dataclass(frozen=True, slots=True)
class Calls:
    """Some calls of a batch, as the menu saw them.

    chosen: their rows of random bits. places: int64, where each stands in the batch. starts, ends: when the menu
    answered, and when the caller left it.
    """

    chosen: np.ndarray
    places: np.ndarray
    starts: np.ndarray
    ends: np.ndarray

    @classmethod
    def of(cls, chosen: np.ndarray, times: np.ndarray) -> Self:
        """Give the calls of a batch, which begin to ring at these times."""
        starts = times + between(tables.RINGING, chosen["ringing"])
        return cls(chosen, np.arange(len(times)), starts, starts + between(tables.MENU, chosen["menu"]))

    def passed_on(self) -> Self:
        """Give those that an agent attended."""
        return self.take(np.flatnonzero(happens(tables.PASSED_ON_PERCENT, self.chosen["passed_on"])))

    def take(self, which: np.ndarray) -> Self:
        """Give those at these places among them."""
        return type(self)(*(getattr(self, each.name).take(which) for each in fields(self)))


@dataclass(frozen=True, slots=True)
class Attendances:
    """What agents did for calls that were passed on, call by call, in the order of time.

    calls: these calls. of_call: int64[m], the place in `calls` of each attendance's. numbers: int64[m], 0 for the first
    of a call. agents: int64[m], 0 to 999. starts, ends: the next one of a call starts when the one before it ends.
    last: int64[calls], the place of each call's last one.
    """

    calls: Calls
    of_call: np.ndarray
    numbers: np.ndarray
    agents: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    last: np.ndarray

    @classmethod
    def of(cls, calls: Calls) -> Self:
        """Give the attendances of calls that were passed on."""
        chosen, most = calls.chosen, tables.MOST_ATTENDANCES
        counts = 1 + below(most, chosen["attendances"])
        last = np.cumsum(counts) - 1
        of_call = np.repeat(np.arange(len(counts)), counts)
        first = last - counts + 1
        numbers = np.arange(len(of_call)) - first.take(of_call)
        lengths = between(tables.ATTENDANCE, chosen["lengths"].reshape(-1).take(of_call * most + numbers))
        ends = calls.ends.take(of_call) + _running(lengths, of_call, first)
        first_agents = below(tables.AGENTS, chosen["agent"]).take(of_call)
        agents = agents_of(first_agents, chosen["next_agent"].take(of_call), numbers)
        return cls(calls, of_call, numbers, agents, ends - lengths, ends, last)


@dataclass(frozen=True, slots=True)
class Surveys:
    """The calls whose callers gave a mark, and when they gave it."""

    calls: Calls
    sent: np.ndarray

    @classmethod
    def of(cls, attendances: Attendances) -> Self:
        """Give the surveys of calls that were attended: each after its last attendance."""
        calls = attendances.calls
        which = np.flatnonzero(happens(tables.ANSWERED_PERCENT, calls.chosen["answered"]))
        answered = calls.take(which)
        done = attendances.ends.take(attendances.last.take(which))
        return cls(answered, done + between(tables.ANSWERING, answered.chosen["answering"]))


def _running(lengths: np.ndarray, of_call: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Add up the lengths within each call; first: the place of each call's first one."""
    sums = np.cumsum(lengths)
    running: np.ndarray = sums - (sums - lengths).take(first).take(of_call)
    return running
