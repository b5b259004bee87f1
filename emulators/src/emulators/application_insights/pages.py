"""What a person sees of the tables: windows, one trace, metrics, lines."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from emulators.application_insights.drawings import bar, line
from emulators.application_insights.markup import Markup, element, link, page, table, together
from emulators.application_insights.series import Series
from emulators.application_insights.traces import Span, Trace, as_tree

MOST_LINES: Final = 500
MOST_TRACES: Final = 200
_SEVERE: Final = 3

type Row = Mapping[str, Any]


def windows_page(traces: Sequence[Trace], counts: Mapping[str, int], most_rows: int) -> Markup:
    """List the traces of windows, and below them any other."""
    windows = [trace for trace in traces if trace.attribute("window")][:MOST_TRACES]
    others = [trace for trace in traces if not trace.attribute("window")][:MOST_TRACES]
    kept = ", ".join(f"{name} {count}" for name, count in counts.items())
    return page(
        "Windows",
        element("p", f"Rows: {kept}. The newest {most_rows} of each table are kept.", class_="small"),
        table(("window", "feed", "state", "start", "seconds", "slices", "spans", "failed", "lines"), _each(windows)),
        element("h2", "Other traces") if others else "",
        table(("trace", "spans"), [(_to_trace(one, one.id), len(one.spans)) for one in others]) if others else "",
    )


def trace_page(trace: Trace, lines: Iterable[Row]) -> Markup:
    """Show one trace as bars below each other, and its lines beside."""
    begin, end = min(span.start for span in trace.spans), max(span.end for span in trace.spans)
    rows: list[tuple[object, ...]] = [
        (
            element("span", span.name, style=f"padding-left:{depth}em", class_="" if span.success else "bad"),
            bar(span, begin, end),
            _seconds(span),
            element("span", *_pairs(span.properties), class_="small"),
        )
        for depth, span in as_tree(trace.spans)
    ]
    bars = element("div", table(("span", f"{begin:%H:%M:%S} to {end:%H:%M:%S}", "seconds", "attributes"), rows))
    beside = element("div", element("h2", "Lines"), _lines(lines))
    return page(trace.attribute("window") or trace.id, element("div", bars, beside, class_="beside"))


def metrics_page(series: Sequence[Series]) -> Markup:
    """Show each series with its last value and a line."""
    rows: list[tuple[object, ...]] = [
        (
            one.name,
            element("span", *_pairs(one.dimensions)),
            _number(one.last),
            f"{_number(min(one.values))} to {_number(max(one.values))}",
            line(one.times, one.values),
            element("span", f"{len(one.values)} points, {one.instance}", class_="small"),
        )
        for one in series
    ]
    note = "A value is the sum of an interval, or its mean where it counts several measurements."
    return page("Metrics", element("p", note, class_="small"), table(_METRIC_HEADS, rows))


def lines_page(lines: Sequence[Row], asked: Mapping[str, str]) -> Markup:
    """Show the newest lines of a feed, a window, or with a text in them. asked: `feed`, `window`, `text`."""
    inputs = [
        element("label", name, " ", element("input", name=name, value=asked.get(name, "")))
        for name in ("feed", "window", "text")
    ]
    form = element("form", *inputs, element("button", "Show"), action="/lines")
    note = element("p", f"{len(lines)} lines, the newest first; at most {MOST_LINES} are shown.", class_="small")
    return page("Lines", form, note, _lines(lines[:MOST_LINES]))


def tables_page(counts: Mapping[str, int]) -> Markup:
    """Link to each table, as JSON lines."""
    return page("Tables", table(("table", "rows"), [(link(name, f"/tables/{name}"), n) for name, n in counts.items()]))


def chosen_lines(lines: Iterable[Row], asked: Mapping[str, str]) -> list[Row]:
    """Choose lines, the newest first. asked: `feed` and `window` to the letter, `text` anywhere in the message."""
    wanted = {name: asked[name] for name in ("feed", "window") if asked.get(name)}
    found = [
        one
        for one in lines
        if all(one["Properties"].get(name) == value for name, value in wanted.items())
        and asked.get("text", "").lower() in one["Message"].lower()
    ]
    return sorted(found, key=lambda one: str(one["TimeGenerated"]), reverse=True)


_METRIC_HEADS: Final = ("metric", "dimensions", "last", "lowest to highest", "", "")


def _each(windows: Sequence[Trace]) -> list[tuple[object, ...]]:
    return [
        (
            _to_trace(one, one.attribute("window")),
            one.attribute("feed"),
            one.attribute("state") if one.root else "not ended",
            f"{one.start:%Y-%m-%d %H:%M:%S}",
            _seconds(one.root) if one.root else "",
            one.count("slice"),
            len(one.spans),
            element("span", one.failed, class_="bad" if one.failed else ""),
            one.lines,
        )
        for one in windows
    ]


def _to_trace(trace: Trace, text: str) -> Markup:
    return link(text or "(no id)", f"/traces/{quote(trace.id, safe='')}")


def _lines(lines: Iterable[Row]) -> Markup:
    return table(("time", "line"), [(_time(one), _line(one)) for one in lines])


def _line(row: Row) -> Markup:
    severe = row.get("SeverityLevel", 0) >= _SEVERE
    text = element("pre", row["Message"], class_="bad" if severe else "")
    stacks = [detail["stack"] for detail in row.get("Details", ()) if detail.get("stack")]
    return together(text, *(element("details", element("summary", "stack"), element("pre", one)) for one in stacks))


def _time(row: Row) -> str:
    return str(row["TimeGenerated"]).partition("T")[2][:12]


def _pairs(values: Mapping[str, str]) -> list[Markup]:
    return [together(name, "=", link(value, value), " ") for name, value in values.items()]


def _seconds(span: Span) -> str:
    return f"{span.milliseconds / 1_000:,.3f}"


def _number(value: float) -> str:
    return f"{value:,.3f}".rstrip("0").rstrip(".")
