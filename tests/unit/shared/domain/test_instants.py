from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.domain.instants import utc_text

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
EARLY = datetime(2026, 11, 22, 0, 30, 0, 1, tzinfo=timezone(timedelta(hours=1)))


@pytest.mark.parametrize(
    ("at", "to", "written"),
    [
        (NOON, "auto", "2026-11-22T12:00:00Z"),
        (EARLY, "auto", "2026-11-21T23:30:00.000001Z"),
        (EARLY, "seconds", "2026-11-21T23:30:00Z"),
        (NOON, "microseconds", "2026-11-22T12:00:00.000000Z"),
    ],
)
def test_a_time_of_any_zone_is_written_in_utc(at, to, written):
    assert utc_text(at, to) == written


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="without a zone"):
        utc_text(NOON.replace(tzinfo=None))
