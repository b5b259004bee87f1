"""How many records of a slice are due by now, counted from the grid: a hiccup is caught up, never added up."""

from math import ceil, floor


def due(elapsed_us: int, rate: float, total: int) -> int:
    """Count the records due `elapsed_us` microseconds after the slice's start, at `rate` records a second.

    Never more than `total`, never less than 0, and independent of when it was asked before.
    """
    return min(total, max(0, floor(elapsed_us * rate / _SECOND_US + _ROUNDING)))


def next_tick(elapsed_us: int, rate: float, every_us: int) -> int:
    """Give the next microsecond (from the slice's start) at which to wake up: the first multiple of `every_us`
    after now at which at least one more record is due.
    """
    records = due(elapsed_us, rate, _UNBOUNDED) + 1
    due_at = ceil(records * _SECOND_US / rate - _ROUNDING)
    return max(_next_multiple(elapsed_us + 1, every_us), _next_multiple(due_at, every_us))


def _next_multiple(at: int, of: int) -> int:
    return -(-at // of) * of


_SECOND_US = 1_000_000
_ROUNDING = 1e-6
_UNBOUNDED = 1 << 62
