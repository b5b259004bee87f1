import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.windows.schedule import Schedule
from shared.errors import RequestRejected
from shared.http.bodies import MAX_BODY
from shared.http.window_requests import OpenRequest, parse_open_request, windows_of

FEEDS = ("trades", "payments")
HOUR = timedelta(hours=1)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOURLY = Schedule("trades", every=HOUR, offset=timedelta(), length=HOUR, lead=timedelta(), catch_up=HOUR)
GOOD = {"feed": "trades", "start": "2026-11-22T13:00:00Z", "length": "01:00:00"}


def body(**changes) -> bytes:
    return json.dumps({name: value for name, value in (GOOD | changes).items() if value is not None}).encode()


def test_a_request_names_feed_start_and_length():
    request = parse_open_request(body(), FEEDS)

    assert request == OpenRequest("trades", NOON + HOUR, NOON + 2 * HOUR)


def test_an_end_may_stand_for_the_length():
    request = parse_open_request(body(length=None, end="2026-11-22T14:00:00+00:00"), FEEDS)

    assert request.end == NOON + 2 * HOUR


def test_a_time_without_zone_is_utc():
    assert parse_open_request(body(start="2026-11-22T13:00:00"), FEEDS).start == NOON + HOUR


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"[" * 10_000, "not_json"),
        (b"[]", "not_an_object"),
        (b"null", "not_an_object"),
        (b'"' + b"x" * MAX_BODY + b'"', "too_large"),
    ],
)
def test_a_body_that_is_no_small_json_object_is_refused(raw, code):
    with pytest.raises(RequestRejected) as caught:
        parse_open_request(raw, FEEDS)

    assert (caught.value.status, caught.value.code, caught.value.field) == (400, code, None)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"feed": None}, "feed"),
        ({"feed": "weather"}, "feed"),
        ({"feed": 7}, "feed"),
        ({"start": None}, "start"),
        ({"start": "tomorrow"}, "start"),
        ({"start": "0001-01-01T00:00:00+14:00"}, "start"),
        ({"start": "2026-11-22T13:00:00.5Z"}, "start"),
        ({"length": None}, "length"),
        ({"length": "1h"}, "length"),
        ({"length": "00:00:00"}, "length"),
        ({"length": 3600}, "length"),
        ({"length": "745:00:01"}, "length"),
        ({"length": None, "end": "2026-11-22T12:00:00Z"}, "end"),
        ({"length": None, "end": "2026-12-25T12:00:00Z"}, "length"),
    ],
)
def test_a_wrong_field_is_named_with_its_rule(changes, field):
    with pytest.raises(RequestRejected) as caught:
        parse_open_request(body(**changes), FEEDS)

    assert (caught.value.status, caught.value.field) == (400, field)
    assert field in caught.value.message


@given(st.binary(max_size=200))
def test_no_body_breaks_the_parser(raw):
    with pytest.raises(RequestRejected):
        parse_open_request(raw, FEEDS)


def test_a_request_to_come_is_one_window_as_asked():
    request = OpenRequest("trades", NOON + timedelta(minutes=7), NOON + timedelta(minutes=9))

    windows = windows_of(request, HOURLY, NOON)

    assert [(window.start, window.end) for window in windows] == [(request.start, request.end)]


def test_a_past_request_is_cut_into_the_grids_whole_windows():
    request = OpenRequest("trades", NOON - 4 * HOUR - timedelta(minutes=1), NOON - timedelta(minutes=1))

    windows = windows_of(request, HOURLY, NOON)

    assert [window.start for window in windows] == [NOON - 4 * HOUR, NOON - 3 * HOUR, NOON - 2 * HOUR]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (NOON - timedelta(minutes=50), NOON - timedelta(minutes=10)),
        (NOON - HOUR, NOON + HOUR),
        (NOON + HOUR, NOON + 26 * HOUR),
    ],
)
def test_what_is_no_window_is_refused(start, end):
    with pytest.raises(RequestRejected) as caught:
        windows_of(OpenRequest("trades", start, end), HOURLY, NOON)

    assert caught.value.status == 400
