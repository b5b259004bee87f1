import ssl

import pytest
from azure.eventhub.exceptions import (
    AuthenticationError,
    ConnectError,
    ConnectionLostError,
    EventDataSendError,
    EventHubError,
)

from shared.clients.event_hubs.amqp import _fault_of
from shared.domain.failures import FailureKind

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
    assert str(_fault_of(OSError("a\nb\na"), sending=True)) == "OSError: a b"
