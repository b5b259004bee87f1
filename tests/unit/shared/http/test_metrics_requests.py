import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.volumes.measurement import MeasureRequest
from shared.errors import RequestRejected
from shared.http.bodies import MAX_BODY
from shared.http.metrics_requests import parse_measure_request

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
GOOD = {"table": "trades", "run_id": "r-1", "ingestion_time": "2026-11-22T12:00:00Z"}


def parse(document, content_type="application/json"):
    return parse_measure_request(json.dumps(document).encode(), content_type)


def refused(document, content_type="application/json"):
    with pytest.raises(RequestRejected) as caught:
        parse(document, content_type)
    return caught.value


def test_a_body_names_table_run_and_time():
    assert parse(GOOD) == MeasureRequest("trades", "r-1", NOON)


def test_a_window_may_be_named_too():
    assert parse(GOOD | {"window": "trades-20261122T120000Z"}).window_id == "trades-20261122T120000Z"
    assert parse(GOOD | {"window": None}).window_id is None


def test_data_factory_may_call_the_table_as_it_always_did():
    body = {"ingestion_table": "trades"} | {name: GOOD[name] for name in ("run_id", "ingestion_time")}

    assert parse(body) == MeasureRequest("trades", "r-1", NOON)


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-22T12:00:00",
        "2026-11-22T12:00:00.1234567Z",
        "2026-11-22T14:00:00+02:00",
        "2026-11-22 12:00",
        "20261122T120000Z",
    ],
)
def test_a_time_is_iso_8601_in_whole_seconds_of_utc(written):
    assert parse(GOOD | {"ingestion_time": written}).ingestion_time == NOON


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_is_taken_with_any_parameters(content_type):
    assert parse(GOOD, content_type).table == "trades"


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
def test_what_is_not_sent_as_json_is_unsupported(content_type):
    assert refused(GOOD, content_type).reason == "unsupported"


@pytest.mark.parametrize(
    ("raw", "reason", "code"),
    [
        (b"", "invalid", "not_json"),
        (b"{", "invalid", "not_json"),
        (b"\xff\xfe", "invalid", "not_json"),
        (b"[" * 10_000, "invalid", "not_json"),
        (b"[]", "invalid", "not_an_object"),
        (b"null", "invalid", "not_an_object"),
        (b'{"table": "' + b"x" * MAX_BODY + b'"}', "too_large", "too_large"),
    ],
)
def test_a_body_that_is_no_small_json_object_is_refused(raw, reason, code):
    with pytest.raises(RequestRejected) as caught:
        parse_measure_request(raw, "application/json")

    assert (caught.value.reason, caught.value.code, caught.value.field) == (reason, code, None)


def test_a_body_of_just_64_kib_is_read():
    raw = json.dumps(GOOD).encode().ljust(MAX_BODY)

    assert parse_measure_request(raw, "application/json").table == "trades"


@pytest.mark.parametrize("field", ["table", "run_id", "ingestion_time"])
@pytest.mark.parametrize("value", [None, 7, True, [], {}, ""])
def test_every_field_but_the_window_must_be_a_string_that_says_something(field, value):
    assert (refused(GOOD | {field: value}).reason, refused(GOOD | {field: value}).field) == ("invalid", field)


@pytest.mark.parametrize("field", ["table", "run_id", "ingestion_time"])
def test_a_missing_field_is_named(field):
    body = {name: value for name, value in GOOD.items() if name != field}

    assert str(refused(body)) == f"{field} is missing."


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ingestion_time", "yesterday"),
        ("ingestion_time", "2026-13-01T00:00:00Z"),
        ("ingestion_time", "0001-01-01T00:00:00+14:00"),
        ("run_id", "a b"),
        ("run_id", "r\n1"),
        ("run_id", "x" * 129),
        ("run_id", "r\x00"),
        ("window", ""),
        ("window", "trades' OR 1=1 --"),
        ("window", 7),
        ("window", "w" * 101),
    ],
)
def test_a_value_of_another_shape_is_named(field, value):
    rejection = refused(GOOD | {field: value})

    assert (rejection.reason, rejection.field) == ("invalid", field)


def test_an_address_in_the_body_is_refused_with_the_reason():
    rejection = refused(GOOD | {"logic_app_url": "https://example.com/hook?sig=s3cret"})

    assert (rejection.reason, rejection.field) == ("invalid", "logic_app_url")
    assert "settings" in str(rejection)
    assert "s3cret" not in str(rejection)


def test_a_field_that_nobody_reads_is_refused_by_its_name():
    rejection = refused(GOOD | {"windw": "trades-1"})

    assert (rejection.reason, rejection.code, rejection.field) == ("invalid", "unknown_field", "windw")


def test_one_table_is_not_named_twice():
    assert refused(GOOD | {"ingestion_table": "trades"}).field == "ingestion_table"


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=9),
        lambda inner: st.dictionaries(st.sampled_from([*GOOD, "window", "x"]), inner) | st.lists(inner, max_size=3),
        max_leaves=9,
    ).map(lambda document: json.dumps(document).encode())
)
def test_any_bytes_give_a_request_or_a_rejection(raw):
    try:
        outcome = parse_measure_request(raw, "application/json").ingestion_time.tzinfo
    except RequestRejected as rejection:
        outcome = rejection.reason

    assert outcome in (UTC, "invalid")
