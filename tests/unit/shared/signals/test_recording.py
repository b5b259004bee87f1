from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.signals.metrics import CLOSED, METRICS, OTHER, TICKS
from shared.signals.recording import NOBODY, record, record_span, record_window, sending
from shared.signals.window_trace import root_id, trace_id, try_id
from tests.told import telling

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
WINDOW = "trades-20261122T120000Z"
FEEDS = {"trades", "payments"}
NAMES = st.text(max_size=30) | st.sampled_from(sorted({WINDOW, "17", *FEEDS, *CLOSED["state"], *CLOSED["kind"]}))


def test_nothing_happens_until_somebody_listens():
    record(TICKS, 1, timer="keep_in_order")
    record_window(WINDOW, NOON, NOON)

    assert dict(NOBODY.instruments) == {}


@given(st.data())
def test_whatever_the_values_are_the_series_are_those_of_closed_sets(data):
    with telling(feed=FEEDS, stream={"trades"}) as told:
        for _ in range(20):
            metric = data.draw(st.sampled_from(METRICS))
            record(metric, 1, **{dimension: data.draw(NAMES) for dimension in metric.dimensions})
        series = told.series()

    known = {**CLOSED, "feed": FEEDS, "stream": {"trades"}}
    found = [attributes for points in series.values() for attributes, _ in points]
    assert all(value in known[name] or value == OTHER for attributes in found for name, value in attributes.items())


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_the_ids_of_a_trace_follow_from_the_windows_id_alone(one, other):
    assert 0 < trace_id(one) < 2**128
    assert 0 < root_id(one) < 2**64
    assert (trace_id(one) == trace_id(other)) == (one == other)
    assert (try_id(one) == try_id(other)) == (one == other)


def test_a_span_has_the_times_that_were_given_and_numbers_stay_numbers():
    with telling() as told:
        record_span("run", WINDOW, NOON, NOON + timedelta(seconds=90), run=17, url=None, healthy=True)

    (span,) = told.spans()
    assert (span.start_time, span.end_time - span.start_time) == (int(NOON.timestamp()) * 10**9, 90 * 10**9)
    assert dict(span.attributes) == {"window": WINDOW, "feed": "trades", "run": 17, "healthy": True}
    assert (span.context.trace_id, span.parent.span_id) == (trace_id(WINDOW), root_id(WINDOW))


def test_a_span_that_ends_before_it_began_by_a_clock_that_was_set_has_no_length():
    with telling() as told:
        record_span("run", WINDOW, NOON, NOON - timedelta(seconds=1))

    (span,) = told.spans()
    assert span.start_time == span.end_time


def test_a_send_that_fails_says_how_and_belongs_to_its_try():
    with telling() as told, pytest.raises(TimeoutError), sending(f"{WINDOW}/3.2", "trades", "hub", lambda: NOON):
        raise TimeoutError

    (span,) = told.spans()
    assert (span.status.is_ok, span.attributes["reason"]) == (False, "TimeoutError")
    assert span.parent.span_id == try_id(f"{WINDOW}/3.2")


def test_what_closing_sends_is_below_the_window():
    with telling() as told, sending(f"{WINDOW}/close.1", "trades", "hub", lambda: NOON):
        pass

    (span,) = told.spans()
    assert span.parent.span_id == root_id(WINDOW)
    assert (span.attributes["slice"], span.attributes["attempt"]) == ("close", 1)
