"""What happened to streams and tables since a table looked at them, read once for all tables of a pass."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.lake.tables import CHANGE, INSERT, VERSION, Lake

WINDOW = "window_id"


@dataclass(frozen=True, slots=True)
class Span:
    """A table's changes after some version of it.

    found: each pair of window (None in a table without) and kind of change that there is.
    """

    rows: DataFrame
    to: int
    whole: bool
    found: frozenset[tuple[str | None, str]]

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
        if version is not None and version >= changes.to:
            return Span(rows, changes.to, whole=False, found=frozenset())
        rows = rows if changes.whole else rows.persist()
        window = F.col(WINDOW) if WINDOW in rows.columns else F.lit(None).cast("string")
        found = rows.select(window.alias(WINDOW), CHANGE).distinct().collect()
        return Span(rows, changes.to, changes.whole, frozenset((row[0], row[1]) for row in found))


@contextmanager
def spans_of(lake: Lake) -> Iterator[Spans]:
    """Read spans for as long as one pass takes."""
    spans = Spans(lake)
    try:
        yield spans
    finally:
        spans.release()
