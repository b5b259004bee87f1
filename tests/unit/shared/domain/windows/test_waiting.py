from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.runs.run import RunRow
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.waiting import closing_age, enrichment_age, measurement_age, opening_age
from shared.domain.windows.window import Window

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
WINDOW = Window("trades", NOON, NOON + HOUR)
PLANNED = WindowRow(WINDOW, "planned", "timer", NOON - MINUTE)
OPEN = replace(PLANNED, state="open", opened_at=NOON)
PUBLISHED = replace(OPEN, announced={"opened": NOON.isoformat()})
QUEUED = replace(PLANNED, queued=True)
RUN = RunRow(WINDOW, 1, "follow", "claimed", NOON, NOON)
STARTED = replace(RUN, state="active", run_id=7)


@pytest.mark.parametrize(
    ("row", "announced", "age"),
    [
        (PLANNED, True, 60),
        (PLANNED, False, 60),
        (OPEN, True, 60),
        (OPEN, False, 0),
        (PUBLISHED, True, 0),
        (QUEUED, True, 0),
    ],
)
def test_a_window_is_late_to_open_while_it_is_planned_or_not_published(row, announced, age):
    assert opening_age([row], NOON + MINUTE, announced=announced) == age


def test_a_window_that_was_claimed_late_is_late_from_then_on():
    late = replace(PLANNED, claimed_at=NOON + 10 * MINUTE)

    assert opening_age([late], NOON + 12 * MINUTE, announced=True) == 120


def test_a_window_is_late_to_close_from_its_end_on_earlier_where_it_was_stopped():
    now = WINDOW.end + MINUTE

    assert closing_age([PUBLISHED], WINDOW.end) == 0
    assert closing_age([PUBLISHED], now) == 60
    assert closing_age([replace(PUBLISHED, stop_at=WINDOW.end - MINUTE)], now) == 60  # filled in its own length
    assert closing_age([QUEUED], now) == 0


def test_the_oldest_counts():
    older = replace(PUBLISHED, window=Window("trades", NOON - HOUR, NOON), opened_at=NOON - HOUR)

    assert closing_age([PUBLISHED, older], WINDOW.end + MINUTE) == 3660


def test_a_run_is_late_to_start_from_its_claim_on():
    assert enrichment_age([RUN, STARTED], NOON + MINUTE) == 60
    assert enrichment_age([STARTED], NOON + MINUTE) == 0


def test_a_run_is_late_to_be_measured_when_its_window_let_it_go_and_it_had_its_time():
    closed = replace(PUBLISHED, state="closed", closed_at=WINDOW.end)
    now = WINDOW.end + 12 * MINUTE

    assert measurement_age([STARTED], [closed], now, 10 * MINUTE) == 120
    assert measurement_age([STARTED], [closed], now, 20 * MINUTE) == 0
    assert measurement_age([RUN], [closed], now, MINUTE) == 0
    assert measurement_age([STARTED], [], now, MINUTE) == 0
