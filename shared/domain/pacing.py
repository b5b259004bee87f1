"""How many records of a slice are due by now, counted from the grid: a hiccup is caught up, never added up."""

from math import ceil, floor


def due(elapsed_us: int, rate: float, total: int, before_us: float = 0.0) -> int:
    """Count the records due `elapsed_us` microseconds after the slice's start, at `rate` records a second.

    before_us: how long the window went on before the slice; a record that several slices have to wait for is due where
    the window's time says so, and not that long after the start of the slice that has it. Never more than `total`,
    never less than 0, and independent of when it was asked before.
    """
    return min(total, max(0, _due_by(before_us + elapsed_us, rate) - _due_by(before_us, rate)))


def next_tick(elapsed_us: int, rate: float, every_us: int, before_us: float = 0.0) -> int:
    """Give the next microsecond (from the slice's start) at which to wake up: the first multiple of `every_us`
    after now at which at least one more record is due.
    """
    records = due(elapsed_us, rate, _UNBOUNDED, before_us) + _due_by(before_us, rate) + 1
    due_at = ceil(records * _SECOND_US / rate - before_us - _ROUNDING)
    return max(_next_multiple(elapsed_us + 1, every_us), _next_multiple(due_at, every_us))


def _due_by(us: float, rate: float) -> int:
    return floor(us * rate / _SECOND_US + _ROUNDING)


def _next_multiple(at: int, of: int) -> int:
    return -(-at // of) * of


_SECOND_US = 1_000_000
_ROUNDING = 1e-6
_UNBOUNDED = 1 << 62
