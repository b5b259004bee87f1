"""What silver takes in next, by what its tables say of themselves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.streams.spans import Positions, Span, next_span

versions = st.integers(0, 20)


@pytest.mark.parametrize(
    ("positions", "newest", "span"),
    [
        (Positions(3, 3, 3), 3, None),
        (Positions(None, None, 3), 3, None),
        (Positions(None, None, 3), 5, Span(3, 5)),
        (Positions(4, 3, 3), 5, Span(3, 4, has_quarantine=True)),
        (Positions(None, 4, 3), 5, Span(3, 4, has_quarantine=True, has_duplicates=True)),
        (Positions(5, 4, 3), 6, Span(3, 4, has_quarantine=True, has_duplicates=True)),
        (Positions(5, 4, 4), 6, Span(4, 5, has_quarantine=True)),
        (Positions(5, 4, None), 6, Span(None, 6)),
        (Positions(None, None, None), 0, Span(None, 0)),
        (Positions(3, 3, 3), 2, Span(None, 2)),
    ],
)
def test_a_span_that_was_begun_is_finished_before_the_next(positions, newest, span):
    assert next_span(positions, newest) == span


@given(rows=versions, ahead=st.lists(versions, min_size=3, max_size=3))
def test_each_table_takes_each_version_once(rows, ahead):
    duplicates, quarantine, newest = rows + ahead[0], rows + ahead[0] + ahead[1], rows + sum(ahead)
    taken = {"quarantine": [], "duplicates": [], "rows": []}

    while (span := next_span(Positions(quarantine, duplicates, rows), newest)) is not None:
        span_of = range(span.after + 1, span.to + 1)
        taken["rows"] += span_of
        taken["duplicates"] += [] if span.has_duplicates else span_of
        taken["quarantine"] += [] if span.has_quarantine else span_of
        quarantine, duplicates, rows = max(quarantine, span.to), max(duplicates, span.to), span.to

    first = newest - sum(ahead)
    assert taken == {
        "rows": [*range(first + 1, newest + 1)],
        "duplicates": [*range(first + ahead[0] + 1, newest + 1)],
        "quarantine": [*range(first + ahead[0] + ahead[1] + 1, newest + 1)],
    }
