from datetime import UTC, datetime
from http import HTTPStatus
from types import SimpleNamespace

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError, ServiceRequestError

from shared.clients.failures import call, kind_of, retry_after_seconds
from shared.clients.retrying import TransientError
from shared.clients.storage.answers import BY_CODE
from shared.domain.failures import FailureKind
from shared.errors import LoginRefused, ServiceRefused, Untrusted


def answered(status, kind=HttpResponseError, **headers):
    error = kind("the key is s3cret")
    error.status_code = status
    error.response = SimpleNamespace(headers=headers)
    return error


def raised(error, **options):
    def verb():
        raise error

    with pytest.raises(Exception) as caught:  # noqa: PT011 - which one it is, is what is asked
        call(verb, place="The topic", client="client id me", **options)
    return caught.value


def test_an_answer_is_given_back():
    assert call(lambda: 7, place="The topic", client="me") == 7


@pytest.mark.parametrize("status", [401, 403])
def test_an_identity_that_is_not_let_in_is_refused_by_name(status):
    error = raised(answered(status))

    assert type(error) is LoginRefused
    assert str(error) == f"The topic answered {status} ({HTTPStatus(status).phrase}) to client id me."


@pytest.mark.parametrize("status", [400, 404, 413])
def test_what_no_repetition_changes_is_final(status):
    error = raised(answered(status))

    assert type(error) is ServiceRefused
    assert error.kind is FailureKind.PERMANENT


@pytest.mark.parametrize(("status", "throttled"), [(408, False), (409, False), (429, True), (500, False), (503, True)])
def test_what_may_pass_is_transient(status, throttled):
    error = raised(answered(status))

    assert isinstance(error, TransientError)
    assert (error.kind is FailureKind.THROTTLED) is throttled


def test_the_wait_that_a_service_asks_for_is_kept():
    assert raised(answered(429, **{"Retry-After": "7"})).retry_after == 7.0


def test_a_service_that_can_not_be_reached_is_transient():
    assert isinstance(raised(ServiceRequestError("refused")), TransientError)


def test_a_missing_thing_is_final_though_the_sdk_keeps_no_status():
    assert str(raised(ResourceNotFoundError("no"))) == "The topic answered 404 (Not Found)."


def test_an_untrusted_certificate_is_named_and_final():
    error = raised(ServiceRequestError("[SSL: CERTIFICATE_VERIFY_FAILED] unable to get local issuer"))

    assert type(error) is Untrusted
    assert str(error).startswith("The topic: certificate not trusted; ")
    assert "CA_BUNDLE" in str(error)


def test_no_secret_hangs_on_to_an_error():
    error = raised(answered(400))

    assert "s3cret" not in str(error)
    assert (error.__cause__, error.__context__) == (None, None)


def test_what_the_caller_asks_for_comes_through_as_it_is():
    error = answered(404, ResourceNotFoundError)

    assert raised(error, keep=ResourceNotFoundError) is error


@pytest.mark.parametrize(
    ("kind", "statuses"),
    [
        (FailureKind.THROTTLED, (429, 503)),
        (FailureKind.UNAVAILABLE, (408, 409, 425, 500, 502, 504, 599)),
        (FailureKind.UNAUTHORIZED, (401, 403)),
        (FailureKind.PERMANENT, (301, 400, 404, 410, 412, 413, 422)),
    ],
)
def test_a_status_means_one_kind_of_failure(kind, statuses):
    assert {kind_of(status) for status in statuses} == {kind}


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("Sun, 22 Nov 2026 10:01:30 GMT", 90.0),
        ("Sunday, 22-Nov-26 10:01:30 GMT", 90.0),
        ("Sun, 22 Nov 2026 09:00:00 GMT", 0.0),
        ("-1", 0.0),
        ("inf", 0.0),
        ("nan", 0.0),
        ("", 0.0),
    ],
)
def test_retry_after_is_read_in_seconds_or_as_a_date(value, seconds):
    ten = datetime(2026, 11, 22, 10, tzinfo=UTC).timestamp()

    assert retry_after_seconds({"Retry-After": value}, lambda: ten) == seconds


def test_a_date_is_counted_from_the_services_own_clock_where_it_tells_it():
    headers = {"Retry-After": "Sun, 22 Nov 2026 10:16:00 GMT", "Date": "Sun, 22 Nov 2026 10:00:00 GMT"}

    assert retry_after_seconds(headers, lambda: 0.0) == 960.0


@pytest.mark.parametrize("name", ["retry-after-ms", "x-ms-retry-after-ms"])
def test_azures_own_headers_say_it_in_milliseconds(name):
    assert retry_after_seconds({name: "250", "Retry-After": "1"}) == 0.25


@pytest.mark.parametrize(("code", "kind"), BY_CODE.items())
def test_an_error_code_of_storage_means_what_its_table_says(code, kind):
    error = answered(409)
    error.error_code = code

    failure = raised(error, words=BY_CODE)

    assert failure.kind is kind
    assert str(failure).startswith(f"The topic answered 409 ({code})")


def test_a_wait_of_any_length_reaches_the_caller():
    assert raised(answered(503, **{"Retry-After": "960"})).retry_after == 960.0


def test_the_names_of_headers_are_read_in_any_case():
    assert retry_after_seconds({"RETRY-AFTER": "7"}) == 7.0


def test_no_retry_after_is_no_wait():
    assert retry_after_seconds({}) == 0.0
