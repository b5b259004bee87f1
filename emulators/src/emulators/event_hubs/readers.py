"""Who reads a partition: owner levels, stolen links, at most five readers without a level."""

from collections import defaultdict
from typing import Protocol

from emulators.event_hubs.errors import LIMIT_EXCEEDED, STOLEN, Refusal

MOST_READERS = 5


class Reader(Protocol):
    """A consumer link; `owner_level` is None for one that shares."""

    @property
    def owner_level(self) -> int | None:
        """The level it was opened with."""
        ...

    def steal(self, by: Refusal) -> None:
        """Detach it for the reason in `by`."""
        ...


class Readers:
    """The readers of every (hub, consumer group, partition)."""

    def __init__(self) -> None:
        self._places: defaultdict[tuple[str, str, str], list[Reader]] = defaultdict(list)

    def enter(self, place: tuple[str, str, str], newcomer: Reader) -> None:
        """Let `newcomer` read at `place`, detaching those it outranks; raise `Refusal` if it may not."""
        present = self._places[place]
        if newcomer.owner_level is None:
            _check_sharing(place, present)
        else:
            _check_rank(place, present, newcomer.owner_level)
            self._detach_all(place, newcomer.owner_level)
        self._places[place].append(newcomer)

    def leave(self, place: tuple[str, str, str], reader: Reader) -> None:
        """Forget a reader; one that is not there is no error."""
        if reader in self._places[place]:
            self._places[place].remove(reader)

    def _detach_all(self, place: tuple[str, str, str], level: int) -> None:
        text = f"New receiver with owner level {level} was created for {_name(place)}; this one is disconnected."
        for reader in self._places.pop(place, []):
            reader.steal(Refusal(STOLEN, text))


def _check_sharing(place: tuple[str, str, str], present: list[Reader]) -> None:
    levels = [reader.owner_level for reader in present if reader.owner_level is not None]
    if levels:
        raise Refusal(STOLEN, f"{_name(place)} is owned with level {max(levels)}; a receiver without one is refused.")
    if len(present) >= MOST_READERS:
        text = (
            f"Exceeded the maximum number of allowed receivers per partition in a consumer group, {MOST_READERS}, for"
        )
        raise Refusal(LIMIT_EXCEEDED, f"{text} {_name(place)}.")


def _check_rank(place: tuple[str, str, str], present: list[Reader], level: int) -> None:
    higher = [reader.owner_level for reader in present if (reader.owner_level or 0) > level]
    if higher:
        raise Refusal(STOLEN, f"{_name(place)} is owned with a higher level than {level}.")


def _name(place: tuple[str, str, str]) -> str:
    return "hub {}, consumer group {}, partition {}".format(*place)
