"""Drawings in SVG: the bars of a trace, and the line of a series."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from emulators.application_insights.markup import Markup, element
from emulators.application_insights.traces import Span

_WIDE, _HIGH, _EDGE = 240, 36, 3
_BAR_WIDE, _BAR_HIGH = 320, 12
_INSTANT: Final = timedelta(milliseconds=1)
_GOOD, _BAD = "#2f6fab", "#b00020"


def bar(span: Span, begin: datetime, end: datetime) -> Markup:
    """Draw a span within the time of its trace."""
    whole = max(end - begin, _INSTANT)
    left = _BAR_WIDE * ((span.start - begin) / whole)
    wide = max(1.5, _BAR_WIDE * ((span.end - span.start) / whole))
    colour = _GOOD if span.success else _BAD
    drawn = element("rect", x=f"{left:.1f}", y=1, width=f"{wide:.1f}", height=_BAR_HIGH - 2, fill=colour)
    return element("svg", drawn, width=_BAR_WIDE + 2, height=_BAR_HIGH, role="img")


def line(times: Sequence[datetime], values: Sequence[float]) -> Markup:
    """Draw values over time, from the lowest to the highest; one value alone is a dot."""
    begin, whole = times[0], max(times[-1] - times[0], _INSTANT)
    lowest, height = min(values), max(values) - min(values)
    points = [
        (
            _EDGE + (_WIDE - 2 * _EDGE) * ((at - begin) / whole),
            _HIGH - _EDGE - (_HIGH - 2 * _EDGE) * ((value - lowest) / height if height else 0.5),
        )
        for at, value in zip(times, values, strict=True)
    ]
    path = element(
        "polyline",
        points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points),
        fill="none",
        stroke=_GOOD,
        stroke_width=1.5,
    )
    x, y = points[-1]
    dot = element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=2, fill=_GOOD)
    return element("svg", path, dot, width=_WIDE, height=_HIGH, role="img")
