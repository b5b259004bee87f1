"""Rows of later windows wait for a run of their own."""

import pytest

from lakehouse.pipelines.waiting import still_waiting, waits

OWN, EARLIER, LATER = "trades-20261122T100000Z", "trades-20261122T090000Z", "trades-20261122T110000Z"


@pytest.mark.parametrize(
    ("window", "expected"), [(OWN, False), (EARLIER, False), (LATER, True), ("unknown", False), (None, False)]
)
def test_only_a_later_window_waits(window, expected):
    assert waits(window, OWN) is expected


def test_what_came_waits_beside_what_waited_already_until_its_run():
    assert still_waiting([LATER, OWN], ["unknown", None, EARLIER, LATER + "a"], OWN) == (LATER, LATER + "a")
