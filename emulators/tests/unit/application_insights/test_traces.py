from hypothesis import given
from hypothesis import strategies as st

from emulators.application_insights.traces import as_tree, spans_of, traces_of


def span(name, span_id, parent="", *, trace="t1", at=0, success=True, **properties):
    row = {
        "Id": span_id,
        "OperationId": trace,
        "Name": name,
        "TimeGenerated": f"2026-11-28T05:00:{at:02d}.000000Z",
        "DurationMs": 1_500.0,
        "Success": success,
        "Properties": properties,
    }
    return row | ({"ParentId": parent} if parent else {})


def line(trace="0", **properties):
    return {"OperationId": trace, "Properties": properties}


def test_a_window_is_told_by_its_root_and_its_lines_by_trace_or_window():
    rows = [
        span("slice", "b", "a", at=1, success=False, slice="0"),
        span("window", "a", feed="trades", window="trades-1", state="closed"),
    ]

    (trace,) = traces_of(spans_of(rows), [line("t1"), line(window="trades-1"), line(window="other"), line()])

    assert [one.name for one in trace.spans] == ["window", "slice"]
    assert (trace.attribute("feed"), trace.attribute("state"), trace.attribute("slice")) == ("trades", "closed", "0")
    assert (trace.count("slice"), trace.failed, trace.lines) == (1, 1, 2)
    assert trace.root.end.isoformat() == "2026-11-28T05:00:01.500000+00:00"


def test_a_window_that_has_not_ended_is_known_by_its_first_spans():
    (trace,) = traces_of(spans_of([span("slice", "b", "a", window="trades-1", feed="trades")]), [])

    assert trace.root is None
    assert (trace.attribute("window"), trace.start.second) == ("trades-1", 0)


def test_the_newest_trace_comes_first():
    rows = [span("window", "a", at=1, trace="old"), span("window", "b", at=2, trace="new")]

    assert [trace.id for trace in traces_of(spans_of(rows), [])] == ["new", "old"]


def test_spans_come_after_their_parents_with_their_depth():
    rows = [
        span("window", "a"),
        span("slice", "b", "a", at=1),
        span("slice", "c", "a", at=2),
        span("send", "d", "b", at=3),
    ]

    assert [(depth, one.id) for depth, one in as_tree(spans_of(rows))] == [(0, "a"), (1, "b"), (2, "d"), (1, "c")]


def test_a_span_whose_parent_is_not_there_is_at_the_top():
    assert [depth for depth, _ in as_tree(spans_of([span("send", "d", "lost")]))] == [0]


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["", "a", "b", "c", "d"])), max_size=8))
def test_each_span_is_shown_once_whoever_calls_whom_a_parent(pairs):
    spans = spans_of([span("s", one, parent) for one, parent in pairs])

    assert sorted(map(id, (one for _, one in as_tree(spans)))) == sorted(map(id, spans))
