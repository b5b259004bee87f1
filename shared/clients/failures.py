"""What the errors of Azure's SDKs and the statuses of HTTP services mean to the app."""

import math
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError

from shared.clients.retrying import TransientError
from shared.domain.failures import FailureKind
from shared.errors import IngestionError, LoginRefused, Unavailable, Untrusted

_BY_STATUS: Final[Mapping[int, FailureKind]] = {
    HTTPStatus.UNAUTHORIZED: FailureKind.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN: FailureKind.UNAUTHORIZED,
    HTTPStatus.TOO_MANY_REQUESTS: FailureKind.THROTTLED,
    HTTPStatus.SERVICE_UNAVAILABLE: FailureKind.THROTTLED,
    HTTPStatus.REQUEST_TIMEOUT: FailureKind.UNAVAILABLE,
    HTTPStatus.CONFLICT: FailureKind.UNAVAILABLE,
    HTTPStatus.TOO_EARLY: FailureKind.UNAVAILABLE,
}
_UNTRUSTED: Final = "CERTIFICATE_VERIFY_FAILED"  # OpenSSL's own word, whatever wraps it


def kind_of(status: int) -> FailureKind:
    """Say what a status that is no success means; redirects and unknown ones are permanent."""
    is_servers = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return _BY_STATUS.get(status, FailureKind.UNAVAILABLE if is_servers else FailureKind.PERMANENT)


def transient_failure(text: str, status: int, headers: Mapping[str, str]) -> TransientError:
    """Make the error of an answer that may be another one later."""
    throttled = kind_of(status) is FailureKind.THROTTLED
    return TransientError(text, throttled=throttled, retry_after=retry_after_seconds(headers))


def untrusted(place: str) -> Untrusted:
    """Make the error of a peer whose certificate no authority of the CA bundle signed."""
    return Untrusted(
        f"{place}: certificate not trusted; put the certificate of the authority that signed it in CA_BUNDLE."
    )


def retry_after_seconds(headers: Mapping[str, str]) -> float:
    """Read Retry-After where it is given in seconds; a date is treated as if it were not there."""
    try:
        seconds = float(headers.get("Retry-After", "0"))
    except ValueError:
        return 0.0
    return seconds if 0.0 <= seconds < math.inf else 0.0


def call[Answer](
    verb: Callable[[], Answer],
    *,
    place: str,
    client: str,
    keep: type[AzureError] | tuple[type[AzureError], ...] = (),
) -> Answer:
    """Give what `verb` gives; of the SDK's errors only `keep` comes through as it is.

    place, client: what was asked and by whom, for messages. Raises TransientError, Unavailable or LoginRefused.
    """
    try:
        return verb()
    except keep:
        raise
    except AzureError as error:
        failure = _failure(error, place, client)
    # Raised outside the handler: the error's request holds the key or token, so it may not hang on to ours.
    raise failure


def _failure(error: AzureError, place: str, client: str) -> IngestionError:
    status = _status(error)
    if status is None:
        return _unanswered(error, place)
    text, kind = f"{place} answered {status} ({_phrase(status)})", kind_of(status)
    if kind is FailureKind.UNAUTHORIZED:
        return LoginRefused(f"{text} to {client}.")
    if not kind.may_pass:
        return Unavailable(f"{text}.")
    return transient_failure(f"{text}.", status, getattr(getattr(error, "response", None), "headers", {}))


def _status(error: AzureError) -> int | None:
    """Give the status of the answer; Event Grid's SDK raises a 404 without it."""
    if isinstance(error, ResourceNotFoundError):
        return HTTPStatus.NOT_FOUND
    return error.status_code if isinstance(error, HttpResponseError) else None


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus else "unknown"


def _unanswered(error: AzureError, place: str) -> Unavailable:
    if _UNTRUSTED in str(error):
        return untrusted(place)
    return TransientError(f"{place} can't be reached or stopped in the middle: {type(error).__name__}.")
