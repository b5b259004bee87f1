"""What a table has to take in: changes of what it follows since its own progress, as far as this run may show them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.lake.progress import Progress
from lakehouse.lake.tables import AFTER_UPDATE, INSERT, as_inserts
from lakehouse.pipelines.kinds.kind import Changed
from lakehouse.pipelines.spans import WINDOW, Span, Spans
from lakehouse.pipelines.table import Table
from lakehouse.pipelines.waiting import is_visible, still_waiting, waits

type LakeName = Callable[[str], str]
"""Names an input that is no lookup as the lake does, see `Pipeline.lake_name`."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What came.

    windows: those whose rows are joined with lookups. touched: those whose rows may be others than before. progress:
    what the table says once it has taken all this in. is_news: whether there is anything to take in.
    """

    changes: Mapping[str, Changed]
    windows: frozenset[str | None]
    touched: frozenset[str]
    progress: Progress
    is_news: bool


def as_new(came: Arrivals) -> Arrivals:
    """Say that the table has no row yet, so whatever its streams have is new to it."""
    changes = {name: Changed(one.rows, only_new=True, times=one.times) for name, one in came.changes.items()}
    return replace(came, changes=changes, touched=came.touched - set(came.progress.waiting))


def arrivals(streams: Iterable[str], before: Progress | None, spans: Spans, name_of: LakeName) -> Arrivals:
    """Look at what the streams and tables that a table follows did since its progress."""
    versions = before.versions if before else {}
    found = {name: spans.after(name_of(name), versions.get(name_of(name))) for name in streams}
    now = {name_of(name): span.to for name, span in found.items()}
    progress = replace(before or Progress(), versions={**versions, **now})
    return Arrivals(
        changes={name: Changed(span.rows, span.only_inserts, span.whole, span.times) for name, span in found.items()},
        windows=frozenset(),
        touched=frozenset[str]().union(*[span.windows for span in found.values()]),
        progress=progress,
        is_news=any(span.is_news for span in found.values()),
    )


def arrivals_by_window(
    table: Table, before: Progress | None, own_window: str, spans: Spans, name_of: LakeName
) -> Arrivals:
    """Do the same for a table that takes lookups: rows of later windows are left aside till a run of such a window.

    To the table it is as if there were none of them: where one of them took a key over, the former row goes.
    """
    (stream,) = table.kind.follows
    followed = name_of(stream)
    plain, before = arrivals(table.kind.follows, before, spans, name_of), before or Progress()
    span = spans.after(followed, before.versions.get(followed))
    came = {window for window, change in span.found if change in {INSERT, AFTER_UPDATE}}
    aside = {window for window in came if waits(window, own_window)}
    released = {window for window in before.waiting if not waits(window, own_window)}
    only_new = span.only_inserts and not released
    return Arrivals(
        changes={stream: Changed(_rows(span, followed, released, own_window, spans), only_new, span.whole)},
        windows=frozenset((came - aside) | released),
        touched=frozenset((plain.touched - aside if only_new else plain.touched) | released),
        progress=replace(plain.progress, waiting=still_waiting(before.waiting, came, own_window)),
        is_news=span.whole or bool(released) or bool(came - aside) or not span.only_inserts,
    )


def with_files(came: Arrivals, files: Mapping[str, str]) -> Arrivals:
    """Say beside what came of streams which file there is of each lookup; with another one, all is to be made anew."""
    source = {**came.progress.source, **files}
    if source == came.progress.source:
        return came
    changes = {name: replace(one, whole=True) for name, one in came.changes.items()}
    return replace(came, changes=changes, progress=replace(came.progress, source=source), is_news=True)


def arrivals_of_lookup(table: Table, before: Progress | None, edition: str) -> Arrivals:
    """Look whether a table of a lookup has this edition of it (a window's or a day's), or a later one, already."""
    (lookup,) = table.kind.follows
    before = before or Progress()
    is_newer = before.source.get(lookup, "") < edition
    progress = replace(before, source={**before.source, lookup: edition}) if is_newer else before
    return Arrivals({}, frozenset(), frozenset(), progress, is_newer)


def _rows(span: Span, followed: str, released: set[str], own_window: str, spans: Spans) -> DataFrame:
    if span.whole or (span.only_inserts and not released):
        return span.rows.where(is_visible(F.col(WINDOW), own_window))
    if released:
        waited = spans.lake.read(followed).where(F.col(WINDOW).isin(*released))
        return span.rows.unionByName(as_inserts(waited))
    return span.rows
