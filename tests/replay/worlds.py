"""What may be away, for how long: the world in which a test lets orchestrations run."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Outage:
    """Something is away from second `start` on, for `length` seconds."""

    start: float
    length: float

    def covers(self, seconds):
        return self.start <= seconds < self.start + self.length

    def meets(self, began, ended):
        """Say whether it is away at some moment between these."""
        return began < self.start + self.length and self.start < ended


NOTHING = Outage(0, 0)


def window(start, delay, length, slice_length):
    """Give the plan of a live window that begins `delay` seconds after `start`, as the small shapes read it."""
    begins = start + timedelta(seconds=delay)
    return {
        "feed": "trades",
        "start": begins.isoformat(),
        "end": (begins + timedelta(seconds=length)).isoformat(),
        "slice_length": slice_length,
        "lead": 3,
        "grace": 3,
    }
