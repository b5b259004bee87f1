import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.windows.request import ListRequest, OpenRequest
from shared.errors import RequestRejected
from shared.http.bodies import MAX_BODY
from shared.http.window_requests import parse_list_request, parse_open_request

FEEDS = ("trades", "payments")
HOUR = timedelta(hours=1)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
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

    assert (caught.value.reason, caught.value.code, caught.value.field) == ("invalid", code, None)


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

    assert (caught.value.reason, caught.value.field) == ("invalid", field)
    assert field in caught.value.message


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"start": "0001-01-02T00:00:00Z"}, "start"),
        ({"start": "0001-01-01T00:00:00"}, "start"),
        ({"start": "0999-11-22T13:00:00Z"}, "start"),
        ({"start": "9999-12-31T23:30:00Z"}, "start"),
        ({"start": "9999-12-31T23:30:00-14:00"}, "start"),
        ({"start": "2099-12-31T23:30:00Z"}, "end"),
        ({"length": None, "end": "9990-11-22T13:00:00Z"}, "end"),
    ],
)
def test_a_mistyped_year_is_refused_with_the_years_that_are_meant(changes, field):
    with pytest.raises(RequestRejected, match=f"^{field} must lie between 2000-01-01 and 2100-01-01") as caught:
        parse_open_request(body(**changes), FEEDS)

    assert (caught.value.reason, caught.value.field) == ("invalid", field)


@given(st.binary(max_size=200))
def test_no_body_breaks_the_parser(raw):
    with pytest.raises(RequestRejected):
        parse_open_request(raw, FEEDS)


def test_a_list_is_asked_for_by_feed_state_limit_and_the_window_it_goes_on_after():
    query = {"feed": "trades", "state": "open", "limit": "7", "after": "payments-20261122T120000Z"}

    assert parse_list_request(query, FEEDS) == ListRequest("trades", "open", 7, ("payments", NOON))
    assert parse_list_request({}, FEEDS) == ListRequest(None, None, 100, None)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"feed": "weather"}, "feed"),
        ({"state": "ajar"}, "state"),
        *(({"limit": limit}, "limit") for limit in ("0", "-1", "1001", "ten", "", "1.5", "\u0661", "9" * 5000)),
        *(({"after": after}, "after") for after in ("", "trades", "trades-9991122T120000Z", "soon")),
    ],
)
def test_a_wrong_query_is_named_with_its_rule(query, field):
    with pytest.raises(RequestRejected) as caught:
        parse_list_request(query, FEEDS)

    assert (caught.value.reason, caught.value.field) == ("invalid", field)
