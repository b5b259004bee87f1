from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.runs.daily_run import daily_run
from shared.domain.runs.run import RunRow
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.window import Window

HOUR = timedelta(hours=1)
DUE = datetime(2026, 11, 27, 9, tzinfo=UTC)
NOW = DUE + HOUR
WINDOW = Window("helpdesk", DUE - 7 * HOUR, DUE - 6 * HOUR)
ROW = WindowRow(WINDOW, "closed", "timer", DUE - 7 * HOUR, attempt=2)
FOLLOWED = RunRow(WINDOW, 1, "follow", "succeeded", DUE - 7 * HOUR, DUE - 6 * HOUR)


def test_the_run_catches_up_under_the_next_number_of_its_window():
    run = daily_run(ROW, [FOLLOWED], DUE, NOW)

    assert run == RunRow(WINDOW, 2, "catch_up", "claimed", NOW, NOW, attempt=2)


@pytest.mark.parametrize("state", ["claimed", "active", "succeeded", "failed", "superseded"])
def test_a_run_that_catches_up_and_was_claimed_since_it_was_due_is_the_days_however_it_stands(state):
    claimed = replace(FOLLOWED, number=2, mode="catch_up", state=state, claimed_at=DUE)

    assert daily_run(ROW, [FOLLOWED, claimed], DUE, NOW) is None


@pytest.mark.parametrize(
    "other", [{"claimed_at": DUE - timedelta(seconds=1), "mode": "catch_up"}, {"claimed_at": NOW, "mode": "rerun"}]
)
def test_an_earlier_run_or_one_that_reads_no_hub_is_not_the_days(other):
    run = daily_run(ROW, [FOLLOWED, replace(FOLLOWED, number=2, **other)], DUE, NOW)

    assert run is not None
    assert run.number == 3
