from typing import get_args

import pytest

from shared.errors import (
    CorruptRow,
    FeedRefused,
    FeedUnusable,
    JobRefused,
    LoginRefused,
    RejectionReason,
    RequestRejected,
    SendFailed,
    SettingsError,
    Unavailable,
    Unreachable,
    Untrusted,
)
from shared.http.statuses import REJECTED, error_response

STATUSES = {"invalid": 400, "unknown": 404, "conflict": 409, "too_large": 413, "unsupported": 415}


def test_every_reason_has_its_status():
    assert set(REJECTED) == set(get_args(RejectionReason))
    assert STATUSES == REJECTED


@pytest.mark.parametrize(("reason", "status"), STATUSES.items())
def test_a_rejected_request_keeps_its_code_message_and_field(reason, status):
    response = error_response(RequestRejected.of_field("start", "is missing", reason=reason, code="a_code"))

    assert response.status == status
    assert response.body == {"error": {"code": "a_code", "message": "start is missing.", "field": "start"}}
    assert response.headers == {}


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("away"),
        LoginRefused("away"),
        Unreachable("away"),
        Untrusted("away"),
        SendFailed("away"),
    ],
)
def test_what_may_be_cured_by_waiting_is_503_and_says_how_long_to_wait(error):
    response = error_response(error)

    assert (response.status, response.headers) == (503, {"Retry-After": "10"})
    assert response.body == {"error": {"code": "unavailable", "message": "away", "field": None}}


@pytest.mark.parametrize(("asked", "told"), [(0.2, "1"), (3.0, "3"), (959.5, "960")])
def test_a_service_that_names_a_wait_is_what_the_caller_is_told(asked, told):
    assert error_response(Unavailable("away", retry_after=asked)).headers == {"Retry-After": told}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsError("wrong"), "settings"),
        (CorruptRow("wrong"), "internal"),
        (FeedUnusable("wrong"), "internal"),
        (JobRefused("wrong"), "internal"),
    ],
)
def test_what_waiting_does_not_cure_is_500(error, code):
    response = error_response(error)

    assert (response.status, response.headers) == (500, {})
    assert response.body == {"error": {"code": code, "message": "wrong", "field": None}}


def test_a_window_whose_source_does_not_serve_it_is_a_conflict_and_says_why():
    response = error_response(FeedRefused("There is no recording blob:recordings/payments.csv."))

    assert (response.status, response.headers) == (409, {})
    assert response.body["error"] == {
        "code": "feed_refused", "message": "There is no recording blob:recordings/payments.csv.", "field": None,
    }  # fmt: skip
