"""Which windows' rows a run leaves aside, since a later window has a lookup of its own."""

from collections.abc import Iterable

from pyspark.sql import Column


def waits(window: str | None, own: str) -> bool:
    """Say whether a window's rows wait for a later run. Windows that are none (`unknown`) have no run to wait for."""
    return window is not None and "-" in window and window > own


def is_visible(window: Column, own: str) -> Column:
    """Say the same of a row, the other way round."""
    return window.isNull() | ~window.contains("-") | (window <= own)


def still_waiting(before: Iterable[str], came: Iterable[str | None], own: str) -> tuple[str, ...]:
    """Name the windows that wait after a run of `own` has taken in what came."""
    return tuple(sorted({window for window in (*before, *came) if window is not None and waits(window, own)}))
