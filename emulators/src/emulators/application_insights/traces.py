"""Spans out of the rows of requests and dependencies, and the windows that they tell of."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

ROOT: Final = "window"


@dataclass(frozen=True, slots=True)
class Span:
    """One span. parent: the id of another, or empty."""

    id: str
    parent: str
    trace: str
    name: str
    start: datetime
    milliseconds: float
    success: bool
    properties: Mapping[str, str]

    @property
    def end(self) -> datetime:
        """Give its end."""
        return self.start + timedelta(milliseconds=self.milliseconds)


@dataclass(frozen=True, slots=True)
class Trace:
    """The spans of one trace, in the order of their start. counts: how many lines belong to what."""

    id: str
    spans: Sequence[Span]
    counts: Mapping[str, int]

    @property
    def root(self) -> Span | None:
        """Give the span of the window, which is there once the window has ended."""
        return next((span for span in self.spans if span.name == ROOT), None)

    @property
    def start(self) -> datetime:
        """Give the start of the window, or that of the first span where there is none of it."""
        return self.root.start if self.root else self.spans[0].start

    @property
    def failed(self) -> int:
        """Count the spans that failed."""
        return sum(not span.success for span in self.spans)

    @property
    def lines(self) -> int:
        """Count its lines."""
        return sum(self.counts.get(key, 0) for key in self.keys)

    def count(self, name: str) -> int:
        """Count the spans of a name."""
        return sum(span.name == name for span in self.spans)

    def attribute(self, name: str) -> str:
        """Give an attribute from the window's span, or from the first that has it; empty where none does."""
        root = self.root
        spans = self.spans if root is None else [root, *self.spans]
        return next((span.properties[name] for span in spans if name in span.properties), "")

    @property
    def keys(self) -> set[str]:
        """Give what its lines belong to: the trace itself, and its window."""
        return {self.id, self.attribute("window")} - {""}


def spans_of(rows: Iterable[Mapping[str, Any]]) -> list[Span]:
    """Read spans from rows of AppRequests and AppDependencies, the first started first."""
    return sorted(map(_span, rows), key=lambda span: (span.start, span.id))


def traces_of(spans: Iterable[Span], lines: Iterable[Mapping[str, Any]]) -> list[Trace]:
    """Gather traces, the newest first: those of windows, whether ended or not, and any others."""
    found: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        found[span.trace].append(span)
    counts = Counter(map(belongs_to, lines))
    traces = [Trace(trace, of, counts) for trace, of in found.items()]
    return sorted(traces, key=lambda trace: trace.start, reverse=True)


def belongs_to(line: Mapping[str, Any]) -> str:
    """Give the window that a line names, or the trace that it was logged in."""
    return str(line["Properties"].get("window") or line.get("OperationId", ""))


def as_tree(spans: Sequence[Span]) -> Iterator[tuple[int, Span]]:
    """Give each span once, after its parent and with its depth; one whose parent is not there is at the top."""
    known = {span.id for span in spans}
    children: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        children[span.parent if span.parent in known else ""].append(span)
    given: set[int] = set()
    # Spans that are each other's parents hang on no top: they are given after all others, at the top.
    for top in [*children[""], *spans]:
        waiting = [(0, top)]
        while waiting:
            depth, span = waiting.pop()
            if id(span) not in given:
                given.add(id(span))
                yield depth, span
                waiting += [(depth + 1, child) for child in reversed(children[span.id])]


def _span(row: Mapping[str, Any]) -> Span:
    return Span(
        id=row.get("Id", ""),
        parent=row.get("ParentId", ""),
        trace=row.get("OperationId", ""),
        name=row.get("Name", ""),
        start=datetime.fromisoformat(row["TimeGenerated"]),
        milliseconds=row["DurationMs"],
        success=row["Success"],
        properties=row["Properties"],
    )
