"""The feed of the call centre: calls as the voice menu saw them, what agents did for them, and the callers' marks."""

from datetime import timedelta
from functools import lru_cache, partial

import numpy as np

from shared.feeds.call_centre import tables
from shared.feeds.call_centre.building import VERSION, build
from shared.feeds.call_centre.calls import Attendances, Calls, Surveys
from shared.feeds.call_centre.choices import choose
from shared.feeds.call_centre.dimensions import AGENTS, CLIENTS, areas_on, dimension
from shared.feeds.call_centre.writing import Texts, write_attendances, write_calls, write_surveys
from shared.feeds.drawing import timestamps
from shared.feeds.drawing.blocks import check_position, pieces
from shared.feeds.drawing.identifiers import identifiers, seed_of
from shared.feeds.drawing.local_times import LocalTimes
from shared.feeds.drawing.pool import Pool
from shared.feeds.feed import Dimension, Drawn, Feed, Position, Stream
from shared.feeds.slicing import StreamRecords

URA, CALLS, SURVEYS = Stream("ura/1"), Stream("calls/1"), Stream("surveys/1")

_NAME = "call_centre"
_KEPT_BLOCKS = 16  # of 200 KB each: enough for the slices that overlap, drawn from in small steps
_KEPT_DAYS = 16
_NUMBERS_OF_A_CALL = 16  # for ids: there are at most seven attendances


class CallCentre:
    """Draws calls from a pool. Immutable; may be used by any number of threads."""

    def __init__(self, pool: Pool) -> None:
        """Draw from this pool, whose fingerprint belongs to the plan of every window drawn from it."""
        self._local = LocalTimes(tables.ZONE)
        self._areas_on = lru_cache(_KEPT_DAYS)(partial(areas_on, pool))
        self._block = lru_cache(_KEPT_BLOCKS)(_choose_block)

    def draw(self, at: Position) -> StreamRecords:
        """Give the calls at a position, and all the attendances and surveys of these calls.

        Those come with their call, though they lie up to 38 minutes later. An agent's area is that of the local day on
        which the attendance starts. Raises ValueError as `check_position` says.
        """
        check_position(at.first, at.count, at.rate)
        calls = Calls.of(self._chosen(at), timestamps.grid(at.start, at.rate, at.first, at.count) // 1000)
        attendances = Attendances.of(calls.passed_on())
        surveys = Surveys.of(attendances)
        texts = Texts.of(calls, attendances, surveys, _ids(at, attendances, surveys))
        return {
            URA.name: write_calls(calls, texts),
            CALLS.name: write_attendances(attendances, texts, self._areas(attendances)),
            SURVEYS.name: write_surveys(surveys, texts),
        }

    def _chosen(self, at: Position) -> np.ndarray:
        parts = [
            self._block(at.window_id, at.slice_number, block)[start:stop]
            for block, start, stop in pieces(at.first, at.count)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _areas(self, attendances: Attendances) -> np.ndarray:
        days = self._local.days(attendances.starts)
        first, last = (int(days.min()), int(days.max())) if len(days) else (0, 0)
        areas = np.concatenate([self._areas_on(day) for day in range(first, last + 1)])
        of_each: np.ndarray = areas.take((days - first) * tables.AGENTS + attendances.agents)
        return of_each


def _choose_block(window_id: str, slice_number: int, block: int) -> np.ndarray:
    return choose(seed_of(_NAME, window_id, slice_number, block))


def _ids(at: Position, attendances: Attendances, surveys: Surveys) -> np.ndarray:
    """Give the ids of all calls, then those of all attendances, then those of all surveys, as V36.

    A call has 16 numbers of its own: the first is its own, the next ones are its attendances', the last its survey's.
    """
    attended = attendances.calls.places.take(attendances.of_call)
    attendance = attended * _NUMBERS_OF_A_CALL + 1 + attendances.numbers
    survey = (surveys.calls.places + 1) * _NUMBERS_OF_A_CALL - 1
    numbers = np.concatenate([np.arange(at.count) * _NUMBERS_OF_A_CALL, attendance, survey])
    seed = seed_of(_NAME, at.window_id, at.slice_number)
    ids: np.ndarray = identifiers(seed, (at.first * _NUMBERS_OF_A_CALL + numbers).astype(np.uint64)).view("V36")
    return ids.reshape(-1)


FEED = Feed(
    name=_NAME,
    streams=(URA, CALLS, SURVEYS),
    source=Drawn(VERSION, build, draw=lambda pool: CallCentre(pool).draw),
    every=timedelta(minutes=10),
    length=timedelta(minutes=10),
    rate=0.16,
    lookups=(CLIENTS, AGENTS),
    dimensions=tuple(Dimension(name, partial(dimension, name)) for name in (CLIENTS, AGENTS)),
    zone=tables.ZONE,
    daily_gold=True,
)
