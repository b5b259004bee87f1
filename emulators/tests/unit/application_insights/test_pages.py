"""Pages, of which the hostile ones matter most: what comes in a property is text, wherever it is shown."""

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.application_insights.drawings import bar, line
from emulators.application_insights.judging import judge
from emulators.application_insights.markup import element, link
from emulators.application_insights.pages import chosen_lines, lines_page, metrics_page, trace_page, windows_page
from emulators.application_insights.rows import row_of
from emulators.application_insights.series import Series, series_of
from emulators.application_insights.traces import Span, Trace, spans_of, traces_of
from tests.unit.application_insights.conftest import BASES, KEY, envelope, item

NOW = datetime(2026, 11, 28, 5, 0, tzinfo=UTC)
HOSTILE = """</td><script>alert(1)</script><img src=x onerror='x()' alt="y"> & javascript:alert(1)"""


class Elements(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, page):
        super().__init__()
        self.found, self.text = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def of(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def span(
    name="window", span_id="a", parent="", *, after=0, milliseconds=1_000.0, success=True, trace="t1", **properties
):
    start = NOW + timedelta(milliseconds=after)
    return Span(span_id, parent, trace, name, start, milliseconds, success, properties)


def traced(*spans, **counts):
    return Trace(spans[0].trace, spans, counts)


def a_line(message="window.closed", at="05:00:00.000000", **properties):
    return {"TimeGenerated": f"2026-11-28T{at}Z", "Message": message, "Properties": properties, "SeverityLevel": 1}


def pages_of(text):
    hostile = traced(span(text, feed=text, window=text, state=text, url=text, trace=text), **{text: 1})
    nameless = traced(span(text, trace=text))
    row = a_line(text) | {"Details": [{"stack": text}]}
    series = Series(text, {text: text}, text, [NOW], [1.0])
    return [
        windows_page([hostile, nameless], {text: 1}, 5),
        trace_page(hostile, [row]),
        metrics_page([series]),
        lines_page([row], {"feed": text, "window": text, "text": text}),
    ]


@pytest.mark.parametrize("page", pages_of(HOSTILE))
def test_a_hostile_value_is_text_wherever_it_is_shown(page):
    elements = Elements(page)

    assert HOSTILE in elements.text or HOSTILE in [one.get("value") for one in elements.of("input")]
    assert elements.of("script") == elements.of("img") == []
    assert all(one["href"].startswith("/") for one in elements.of("a"))


def test_a_page_takes_nothing_from_elsewhere():
    for page in pages_of("plain"):
        assert not any("src" in attributes or "onclick" in attributes for _, attributes in Elements(page).found)


VALUES = st.text(max_size=9) | st.floats(allow_nan=False) | st.integers(-(2**63), 2**63)


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(BASES)), st.dictionaries(st.text(max_size=9), st.text(max_size=9)), VALUES)
    )
)
def test_whatever_is_accepted_can_be_shown(drawn):
    items = [
        item(
            envelope(
                kind,
                base={"properties": properties, "name": str(value) or "n", "metrics": [{"name": "n", "value": value}]},
            )
        )
        for kind, properties, value in drawn
    ]
    rows = [row_of(one, NOW)[1] for one in items if judge(one, KEY, NOW) is None]

    lines = chosen_lines([row for row in rows if "Message" in row], {})
    for trace in traces_of(spans_of(row for row in rows if "DurationMs" in row), lines):
        assert trace.id in windows_page([trace], {}, 1) + trace_page(trace, lines)
    metrics = [row for row in rows if "Sum" in row]
    assert metrics_page(series_of(metrics)).count("<svg") == len(series_of(metrics))
    assert f"{len(lines)} lines" in lines_page(lines, {})


def test_windows_are_listed_with_their_state_and_counts():
    closed = traced(
        span(feed="trades", window="trades-1", state="closed"), span("slice", "b", "a", success=False), t1=4
    )
    going = traced(span("slice", "c", "x", window="gps-1", feed="gps", trace="t2"))
    tick = traced(span("tick", "d", trace="t3"))

    text = Elements(windows_page([closed, going, tick], {"AppTraces": 7}, 20)).text

    assert "trades-1tradesclosed2026-11-28 05:00:001.0001214" in text
    assert "gps-1gpsnot ended" in text
    assert "Other tracestracespanst31" in text
    assert "AppTraces 7" in text


def test_a_trace_shows_each_span_as_a_bar_with_its_attributes_and_its_lines():
    trace = traced(span(window="trades-1"), span("slice", "b", "a", after=500, milliseconds=250.0, slice="0"))

    elements = Elements(trace_page(trace, [a_line("slice.sent records=3")]))

    bars = [(float(one["x"]), float(one["width"])) for one in elements.of("rect")]
    assert bars == [(0.0, 320.0), (160.0, 80.0)]
    assert "slice=0" in elements.text
    assert "slice.sent records=3" in elements.text


def test_the_address_of_a_run_is_a_link():
    page = trace_page(traced(span("run", url="https://adb-1.azuredatabricks.net/#job/1/run/2")), [])

    assert "https://adb-1.azuredatabricks.net/#job/1/run/2" in [one["href"] for one in Elements(page).of("a")]


@pytest.mark.parametrize("address", ["javascript:alert(1)", "//elsewhere", "data:text/html,x", "ftp://x", ""])
def test_other_addresses_are_no_links(address):
    assert "<a" not in link("text", address)


def test_a_metric_shows_its_last_value_and_a_line_from_its_lowest_to_its_highest():
    times = [NOW + timedelta(seconds=at) for at in (0, 10, 20)]

    elements = Elements(metrics_page([Series("ingestion.ticks", {"timer": "tick"}, "i1", times, [1.0, 3.0, 2.5])]))

    assert "ingestion.tickstimer=tick 2.51 to 3" in elements.text
    assert elements.of("polyline")[0]["points"] == "3.0,33.0 120.0,3.0 237.0,10.5"


def test_values_that_are_all_alike_and_a_span_without_a_length_are_drawn_too():
    assert '18.0 237.0,18.0"' in line([NOW, NOW + timedelta(seconds=1)], [4.0, 4.0])
    assert 'width="1.5"' in bar(span(milliseconds=0.0), NOW, NOW)


def test_lines_are_chosen_by_feed_window_and_text_the_newest_first():
    lines = [
        a_line("first", "05:00:01.000000", feed="trades", window="w1"),
        a_line("Second", "05:00:02.000000", feed="trades", window="w2"),
        a_line("third", "05:00:03.000000", feed="gps"),
    ]

    def chosen(**asked):
        return [one["Message"] for one in chosen_lines(lines, asked)]

    assert chosen() == ["third", "Second", "first"]
    assert chosen(feed="trades") == ["Second", "first"]
    assert chosen(feed="trades", window="w1", text="") == ["first"]
    assert chosen(text="SEC") == ["Second"]
    assert chosen(window="w") == []


def test_an_element_escapes_its_attributes():
    assert element("input", value='"><b>', data_x="a&b") == '<input value="&quot;&gt;&lt;b&gt;" data-x="a&amp;b">'
