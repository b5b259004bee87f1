import ssl

import pytest
from azure.eventhub.exceptions import (
    AuthenticationError,
    ConnectError,
    ConnectionLostError,
    EventDataSendError,
    EventHubError,
)

from shared.clients.event_hubs.amqp import _client_proxy, _fault_of
from shared.clients.event_hubs.answers import BY_CONDITION, REJECTIONS
from shared.clients.retrying import TransientError
from shared.domain.failures import FailureKind
from shared.errors import Untrusted

THROTTLED, UNAVAILABLE, UNAUTHORIZED, REJECTED, PERMANENT = FailureKind


def answered(kind, condition):
    error = kind(condition or "no condition")
    error.error = condition
    return error


def caused_by(cause, error):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "kind", "may_be_stored"),
    [
        (answered(EventDataSendError, "server-busy"), THROTTLED, False),
        (answered(EventHubError, "server-busy"), THROTTLED, True),
        (answered(EventDataSendError, "something new"), THROTTLED, True),
        (answered(ConnectionLostError, None), UNAVAILABLE, True),
        (answered(ConnectError, None), UNAVAILABLE, True),
        (answered(AuthenticationError, "internal-error"), UNAVAILABLE, True),
        (OSError("broken pipe"), UNAVAILABLE, True),
        (AttributeError("a slip of the client's"), UNAVAILABLE, True),
        (answered(AuthenticationError, None), UNAUTHORIZED, True),
        (answered(ConnectError, "unauthorized-access"), UNAUTHORIZED, True),
        (answered(EventDataSendError, "link:message-size-exceeded"), REJECTED, False),
        (answered(EventDataSendError, "decode-error"), REJECTED, False),
        (answered(ConnectError, "not-found"), PERMANENT, False),
        (caused_by(ssl.SSLCertVerificationError("unknown authority"), ConnectError("x")), PERMANENT, False),
        (caused_by(answered(ConnectionLostError, None), answered(EventDataSendError, "server-busy")), THROTTLED, True),
    ],
)
def test_what_the_client_raises_means_one_kind_of_failure(error, kind, may_be_stored):
    fault = _fault_of(error, sending=True)

    assert (fault.kind, fault.may_be_stored) == (kind, may_be_stored)


def test_what_fails_before_anything_is_sent_stores_nothing():
    assert not _fault_of(answered(ConnectionLostError, None), sending=False).may_be_stored


def test_a_reason_says_each_line_once():
    assert str(_fault_of(OSError("a\nb\na"), sending=True)) == "a b"


def test_a_reason_without_words_is_the_errors_name():
    assert str(_fault_of(TimeoutError(), sending=True)) == "TimeoutError"


@pytest.mark.parametrize(("condition", "kind"), BY_CONDITION.items())
def test_a_condition_means_what_its_table_says(condition, kind):
    assert _fault_of(answered(ConnectError, condition), sending=False).kind is kind


@pytest.mark.parametrize("condition", sorted(REJECTIONS))
def test_a_condition_of_a_message_rejects_it_and_only_when_it_was_sent(condition):
    assert _fault_of(answered(EventDataSendError, condition), sending=True).kind is REJECTED
    assert _fault_of(answered(ConnectError, condition), sending=False).kind is not REJECTED


class TokenAnswer(Exception):
    """What the client raises for the hub's answer to a token, as far as it matters."""

    def __init__(self, status: object) -> None:
        super().__init__(f"Status code: {status}")
        self.status_code = status


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, UNAUTHORIZED),
        (403, UNAUTHORIZED),
        (400, UNAUTHORIZED),
        (404, PERMANENT),
        (429, THROTTLED),
        (500, UNAVAILABLE),
        (503, THROTTLED),
        (b"amqp:client-error", UNAUTHORIZED),
    ],
)
def test_a_hub_that_can_not_check_a_token_now_has_not_refused_it(status, kind):
    refused = caused_by(TokenAnswer(status), answered(AuthenticationError, "client-error"))

    assert _fault_of(refused, sending=False).kind is kind


def test_a_new_token_that_was_not_to_be_had_keeps_its_meaning_and_its_wait():
    fault = _fault_of(
        caused_by(TransientError("busy", throttled=True, retry_after=60), ConnectError("x")), sending=True
    )

    assert (fault.kind, fault.retry_after) == (THROTTLED, 60)


def test_a_login_service_that_is_not_trusted_is_final():
    assert _fault_of(caused_by(Untrusted("x"), ConnectError("x")), sending=True).kind is PERMANENT


def test_a_websocket_that_could_not_be_opened_is_no_refused_login():
    unreachable = caused_by(OSError("Cannot connect to host"), Exception("Failed to authenticate the connection"))

    assert _fault_of(caused_by(unreachable, answered(AuthenticationError, "client-error")), sending=True).kind is (
        UNAVAILABLE
    )


class ProxyAnswer(Exception):
    """What the client lets through of a proxy's answer, as far as it matters."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{status}, message='no'")
        self.status = status


@pytest.mark.parametrize(("status", "kind"), [(407, UNAUTHORIZED), (403, UNAVAILABLE), (502, UNAVAILABLE)])
def test_a_proxy_that_wants_another_login_is_told_from_one_that_does_not_reach_the_hub(status, kind):
    assert _fault_of(caused_by(ProxyAnswer(status), answered(EventHubError, None)), sending=False).kind is kind


@pytest.mark.parametrize(
    ("url", "host", "login"),
    [
        ("http://proxy.corp.example:3128", "http://proxy.corp.example", ("", "")),
        ("http://me%40corp:p%3Ass%2Fw" + "@10.0.0.1:3128", "http://10.0.0.1", ("me@corp", "p:ss/w")),
        ("http://me:" + "@[::1]:3128", "http://[::1]", ("me", "")),
    ],
)
def test_a_proxys_address_is_split_as_the_client_takes_it(url, host, login):
    assert _client_proxy(url) == {
        "proxy_hostname": host,
        "proxy_port": 3128,
        "username": login[0],
        "password": login[1],
    }
