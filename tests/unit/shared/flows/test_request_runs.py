import pytest

from shared.clients.sql.fake import FakeCounts
from shared.errors import LoginRefused, SettingsError, Unavailable
from shared.flows.request_runs import count_window

WINDOW = "trades-20261122T120000Z"


def test_a_window_is_shown_with_what_the_lakehouse_counted():
    counts = FakeCounts({WINDOW: {"trades": {"bronze": 3}}})

    assert count_window(counts, WINDOW) == ({"trades": {"bronze": 3}}, "")
    assert count_window(counts, "another") == ({}, "")
    assert count_window(FakeCounts(None), WINDOW) == ({}, "")


@pytest.mark.parametrize("failure", [Unavailable("SQL is away."), LoginRefused("denied"), SettingsError("no driver")])
def test_a_database_that_does_not_answer_hides_no_window(failure):
    assert count_window(FakeCounts(failure=failure), WINDOW) == ({}, str(failure))


def test_without_a_database_the_setting_that_is_missing_is_named():
    assert count_window(None, WINDOW) == ({}, "SQL__url is not set.")
