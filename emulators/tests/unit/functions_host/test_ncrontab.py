from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.functions_host.errors import TimerScheduleError
from emulators.functions_host.ncrontab import Schedule, parse_schedule

THURSDAY = datetime(2026, 1, 1, 10, 0, 0, tzinfo=UTC)


def following(expression, moment=THURSDAY, **settings):
    return parse_schedule(expression, settings).next_after(moment)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 */5 * * * *", "2026-01-01T10:05:00"),
        ("*/5 * * * *", "2026-01-01T10:05:00"),
        ("*/2 * * * * *", "2026-01-01T10:00:02"),
        ("0 5/20 * * * *", "2026-01-01T10:05:00"),
        ("30 0 9-17/4 * * *", "2026-01-01T13:00:30"),
        ("0 0 0 1 Mar,september *", "2026-03-01T00:00:00"),
        ("0 0 0 * * Mon-FRIDAY", "2026-01-02T00:00:00"),
        ("0 0 0 * * 0", "2026-01-04T00:00:00"),
        ("0 0 0 13 * 5", "2026-02-13T00:00:00"),
        ("0 0 0 29 2 *", "2028-02-29T00:00:00"),
    ],
)
def test_an_expression_fires_when_ncrontab_says(expression, expected):
    assert following(expression) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_a_setting_in_percent_signs_is_the_expression():
    assert following("%EVERY%", EVERY="0 0 12 * * *") == THURSDAY.replace(hour=12)


def test_a_time_span_is_an_interval():
    assert following("00:00:30") == THURSDAY + timedelta(seconds=30)
    assert following("1.02:00:00") == THURSDAY + timedelta(days=1, hours=2)


def test_a_schedule_in_a_time_zone_follows_its_clock_change():
    schedule = parse_schedule("0 0 8 * * *", {}, ZoneInfo("Europe/Oslo"))

    assert schedule.next_after(datetime(2026, 3, 28, 12, tzinfo=UTC)).hour == 6
    assert schedule.next_after(datetime(2026, 3, 27, 12, tzinfo=UTC)).hour == 7


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "* * * *",
        "* * * * * * *",
        "60 * * * * *",
        "0 0 24 * * *",
        "0 0 0 0 * *",
        "0 0 0 * * 7",
        "0 0 0 L * *",
        "0 0 0 * * 5#2",
        "0 0 0 ? * *",
        "0 0 0 15W * *",
        "0 0 0 * 13 *",
        "0 0 0 * * Mond",
        "0 0 0 * Jan-13 *",
        "*-5 * * * * *",
        "0 5-1 * * * *",
        "*/0 * * * * *",
        "0 , * * * *",
        "-1 * * * * *",
        "0 0 0 30 2 *",
        "24:00:00",
        "00:60:00",
        "00:00:00",
        "00:00:01.5",
        "%NO_SUCH_SETTING%",
    ],
)
def test_what_azure_would_not_take_is_refused_with_the_expression(expression):
    with pytest.raises(TimerScheduleError, match="schedule"):
        following(expression)


def numbers(low, high):
    value = st.integers(low, high)
    ends = st.tuples(value, value).map(sorted)
    piece = st.one_of(
        st.just("*"), value.map(str), ends.map(lambda e: f"{e[0]}-{e[1]}"), st.integers(1, 9).map(lambda n: f"*/{n}")
    )
    return st.lists(piece, min_size=1, max_size=3).map(",".join)


@given(numbers(0, 59), numbers(0, 59), numbers(0, 23), st.integers(0, 3_000_000))
def test_the_next_firing_matches_the_expression_and_none_lies_between(second, minute, hour, offset):
    moment = THURSDAY + timedelta(seconds=offset)
    schedule = parse_schedule(f"{second} {minute} {hour} * * *", {})
    wanted = [values(field, high) for field, high in ((second, 59), (minute, 59), (hour, 23))]

    fires = schedule.next_after(moment)

    assert fires == first_by_search(moment, *wanted)


def values(field, high):
    found = set()
    for piece in field.split(","):
        body, _, step = piece.partition("/")
        first, _, last = body.partition("-")
        low, top = (0, high) if body == "*" else (int(first), int(last or first))
        found |= set(range(low, top + 1, int(step or 1)))
    return found


def first_by_search(moment, seconds, minutes, hours):
    times = sorted((h, m, s) for h in hours for m in minutes for s in seconds)
    now = (moment.hour, moment.minute, moment.second)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    later = next((t for t in times if t > now), None)
    h, m, s = later or times[0]
    return day + timedelta(days=0 if later else 1, hours=h, minutes=m, seconds=s)


def test_an_interval_is_not_a_cron_expression():
    assert parse_schedule("00:01:00", {}) == Schedule(interval=timedelta(minutes=1))
