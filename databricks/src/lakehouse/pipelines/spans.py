"""What happened to streams and tables since a table looked at them, read once for all tables of a pass."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lakehouse.lake.tables import CHANGE, INSERT, VERSION, Lake

WINDOW = "window_id"
_ENDS = {"first": F.min, "last": F.max}


@dataclass(frozen=True, slots=True)
class Span:
    """A table's changes after some version of it.

    found: each pair of window (None in a table without) and kind of change that there is. times: by column of times,
    the first and the last one of these rows in µs since 1970, or None where none has one; of a whole table, nothing.
    """

    rows: DataFrame
    to: int
    whole: bool
    found: frozenset[tuple[str | None, str]]
    times: Mapping[str, tuple[int, int] | None] = field(default_factory=dict)

    @property
    def only_inserts(self) -> bool:
        """Say whether nothing happened but that rows came."""
        return not self.whole and {change for _, change in self.found} <= {INSERT}

    @property
    def is_news(self) -> bool:
        """Say whether there is something to take in."""
        return self.whole or bool(self.found)

    @property
    def windows(self) -> frozenset[str]:
        """Name the windows whose rows changed, came or went."""
        return frozenset(window for window, _ in self.found if window is not None)


@dataclass(frozen=True, slots=True)
class Spans:
    """Reads spans, each once."""

    lake: Lake
    _spans: dict[tuple[str, int | None, int], Span] = field(default_factory=dict, init=False, repr=False)

    def after(self, name: str, version: int | None) -> Span:
        """Give what happened to a table after a version; None stands for all that it has.

        So does a version that the table has not come to: it was made anew since.
        """
        newest = self.lake.version(name)
        since = None if version is not None and version > newest else version
        if (name, since, newest) not in self._spans:
            self._spans[name, since, newest] = self._read(name, since)
        return self._spans[name, since, newest]

    def release(self) -> None:
        """Give back the memory that the spans took."""
        for span in self._spans.values():
            span.rows.unpersist()
        self._spans.clear()

    def _read(self, name: str, version: int | None) -> Span:
        changes = self.lake.changes(name, version)
        rows = changes.rows.drop(VERSION)
        times = [one.name for one in rows.schema if isinstance(one.dataType, T.TimestampType)]
        if version is not None and version >= changes.to:
            return Span(rows, changes.to, whole=False, found=frozenset(), times=dict.fromkeys(times))
        if changes.whole:
            return Span(rows, changes.to, whole=True, found=_found(_parts(rows, [])))
        parts = _parts(rows.persist(), times)
        return Span(rows, changes.to, whole=False, found=_found(parts), times={one: _ends(parts, one) for one in times})


@contextmanager
def spans_of(lake: Lake) -> Iterator[Spans]:
    """Read spans for as long as one pass takes."""
    spans = Spans(lake)
    try:
        yield spans
    finally:
        spans.release()


def _parts(rows: DataFrame, times: list[str]) -> list[Row]:
    """Give each pair of window and kind of change, with the bounds of its times, in one query."""
    window = F.col(WINDOW) if WINDOW in rows.columns else F.lit(None).cast("string")
    bounds = [end(F.unix_micros(time)).alias(f"{name} {time}") for time in times for name, end in _ENDS.items()]
    return rows.groupBy(window.alias(WINDOW), CHANGE).agg(F.count(F.lit(1)), *bounds).collect()


def _found(parts: list[Row]) -> frozenset[tuple[str | None, str]]:
    return frozenset((part[0], part[1]) for part in parts)


def _ends(parts: list[Row], time: str) -> tuple[int, int] | None:
    known = [part for part in parts if part[f"first {time}"] is not None]
    if not known:
        return None
    return min(part[f"first {time}"] for part in known), max(part[f"last {time}"] for part in known)
