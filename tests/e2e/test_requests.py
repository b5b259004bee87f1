"""What callers may ask of windows, and what they are told when they ask wrongly."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.running_app import SECOND, stamp

TOMORROW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
GOOD = {"feed": "trades", "start": stamp(TOMORROW), "length": "00:01:00"}


def as_json(**changes):
    return json.dumps(GOOD | changes).encode()


BAD_BODIES = {
    "not JSON": (b"{feed", None, "not_json", "must be JSON"),
    "not an object": (b"[1]", None, "not_an_object", "an array"),
    "too large": (b'"' + b"x" * 65_536 + b'"', None, "too_large", "64 KiB"),
    "unknown feed": (as_json(feed="weather"), "feed", "invalid_field", "trades, payments"),
    "no time": (as_json(start="soon"), "start", "invalid_field", "ISO 8601"),
    "no number of seconds": (as_json(length=60), "length", "invalid_field", "must be a string"),
    "end before start": (as_json(end=stamp(TOMORROW - SECOND)), "end", "invalid_field", "after start"),
    "over 31 days": (as_json(end=stamp(TOMORROW + timedelta(days=32))), "length", "invalid_field", "31 days"),
}


@pytest.mark.parametrize(("body", "field", "code", "rule"), BAD_BODIES.values(), ids=BAD_BODIES)
def test_bad_body_is_refused_with_its_field_and_rule(app, body, field, code, rule):
    answer = app.call("POST", "/api/windows", body=body)

    error = answer.json()["error"]
    assert (answer.status_code, error["field"], error["code"]) == (400, field, code)
    assert rule in error["message"]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("window_id", ["trades-20200101T000000Z", "nonsense"])
def test_unknown_window_is_not_found(app, method, window_id):
    answer = app.call(method, f"/api/windows/{window_id}")

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "unknown_window"


def test_unknown_state_is_refused(app):
    answer = app.call("GET", "/api/windows?state=asleep")

    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == "state"


@pytest.fixture(scope="module")
def crowd(app):
    """The answers to fifty callers who ask for the same window at the same time."""
    answers = app.at_once(50, "POST", "/api/windows", GOOD)
    yield answers
    app.call("DELETE", f"/api/windows/{window_of(answers)}")


def window_of(answers):
    (named,) = {answer.json()["windows"][0]["id"] for answer in answers}
    return named


def test_each_of_fifty_callers_is_answered_with_the_one_window(crowd):
    assert Counter(answer.status_code for answer in crowd) == {202: 50}
    assert window_of(crowd).startswith("trades-")


def test_fifty_callers_start_one_orchestration(app, crowd):
    started = window_of(crowd)

    found = [one.removeprefix(started) for one in app.instances() if one.startswith(started)]

    # Its children are named after it: its opening, its leg, and what these start.
    assert "" in found
    assert [one for one in found if not one.startswith(("-opening", "-leg0", ":"))] == [""]


def test_overlapping_window_is_refused_and_named(app, crowd):
    answer = app.post("trades", TOMORROW + timedelta(seconds=30), timedelta(minutes=1))

    assert answer.status_code == 409
    assert window_of(crowd) in answer.json()["error"]["message"]


def test_window_stopped_before_its_time_ends_stopped_and_nothing_is_sent(app):
    start = TOMORROW + timedelta(hours=1)
    window_id = app.post("payments", start, timedelta(seconds=30)).json()["windows"][0]["id"]

    answers = [app.call("DELETE", f"/api/windows/{window_id}") for _ in range(2)]

    window = app.ended(window_id)
    assert [answer.status_code for answer in answers] == [202, 202], [answer.text for answer in answers]
    assert window["state"] == "stopped"
    assert {row["state"] for row in window["slices"]} <= {"skipped"}
