"""What is known of the times of changed rows."""

from datetime import timedelta

import pytest

from lakehouse.pipelines.kinds.kind import Changed


class Unread:
    """Rows of which a query would be one too many."""

    def __getattr__(self, name):
        raise AssertionError(f"the rows were asked for {name}")


@pytest.mark.parametrize(
    ("known", "within", "expected"),
    [
        ((10, 20), timedelta(0), (10, 20)),
        ((10, 20), timedelta(microseconds=15), (-5, 35)),
        (None, timedelta(days=1), None),
    ],
)
def test_a_span_that_is_known_needs_no_query(known, within, expected):
    changed = Changed(Unread(), times={"at": known})

    assert changed.around("at", within) == expected
