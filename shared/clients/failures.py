"""What the errors of Azure's SDKs and the statuses of HTTP services mean to the app."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, NamedTuple

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError

from shared.clients.retrying import TransientError
from shared.domain.failures import FailureKind
from shared.errors import IngestionError, LoginRefused, ServiceRefused, Unavailable, Untrusted

type Words = Mapping[str, FailureKind]
"""The words that a service has for its failures (its error codes), and what each means."""


class Meaning(NamedTuple):
    """What an answer that is no success means, and its own words, short.

    ambiguous: a refused login in words that the service also has for what passes.
    """

    kind: FailureKind
    words: str
    ambiguous: bool = False


NO_WORDS: Final[Words] = MappingProxyType({})

_BY_STATUS: Final[Mapping[int, FailureKind]] = {
    HTTPStatus.UNAUTHORIZED: FailureKind.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN: FailureKind.UNAUTHORIZED,
    HTTPStatus.TOO_MANY_REQUESTS: FailureKind.THROTTLED,
    HTTPStatus.SERVICE_UNAVAILABLE: FailureKind.THROTTLED,
    HTTPStatus.REQUEST_TIMEOUT: FailureKind.UNAVAILABLE,
    HTTPStatus.CONFLICT: FailureKind.UNAVAILABLE,
    HTTPStatus.TOO_EARLY: FailureKind.UNAVAILABLE,
}
_IN_MILLISECONDS: Final = ("retry-after-ms", "x-ms-retry-after-ms")  # Azure's own; azure-core reads both
_UNTRUSTED: Final = "CERTIFICATE_VERIFY_FAILED"  # OpenSSL's own word, whatever wraps it


def kind_of(status: int) -> FailureKind:
    """Say what a status that is no success means; redirects and unknown ones are permanent."""
    is_servers = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return _BY_STATUS.get(status, FailureKind.UNAVAILABLE if is_servers else FailureKind.PERMANENT)


def transient_failure(text: str, kind: FailureKind, headers: Mapping[str, str]) -> TransientError:
    """Make the error of an answer that may be another one later, of one of the kinds that may pass."""
    throttled = kind is FailureKind.THROTTLED
    return TransientError(text, throttled=throttled, retry_after=retry_after_seconds(headers))


def untrusted(place: str) -> Untrusted:
    """Make the error of a peer whose certificate no authority of the CA bundle signed."""
    return Untrusted(
        f"{place}: certificate not trusted; put the certificate of the authority that signed it in CA_BUNDLE."
    )


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """Give an error and, one after the other, those that it came of, the oldest last."""
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def is_untrusted(error: BaseException) -> bool:
    """Say whether an error, as a client words it, comes of a certificate that is not trusted."""
    return _UNTRUSTED in str(error)


def retry_after_seconds(headers: Mapping[str, str], now: Callable[[], float] = time.time) -> float:
    """Read for how long a service wants to be left alone: milliseconds, seconds or a date; 0 where it does not say.

    A date (RFC 9110, 10.2.3) is counted from the answer's own `Date`, else from `now` (Unix time).
    """
    given = {name.lower(): value for name, value in headers.items()}
    for name in _IN_MILLISECONDS:
        if name in given:
            return _number(given[name]) / 1000
    asked = given.get("retry-after", "")
    until = _instant(asked)
    if until is None:
        return _number(asked)
    sent = _instant(given.get("date", ""))
    return max(0.0, until - (now() if sent is None else sent))


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        return 0.0
    return number if 0.0 <= number < math.inf else 0.0


def _instant(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError:
        return None


def call[Answer](
    verb: Callable[[], Answer],
    *,
    place: str,
    client: str,
    keep: type[AzureError] | tuple[type[AzureError], ...] = (),
    words: Words = NO_WORDS,
) -> Answer:
    """Give what `verb` gives; of the SDK's errors only `keep` comes through as it is.

    place, client: what was asked and by whom, for messages. words: what the service's error codes mean, where it is
    not what their status means. Raises TransientError, Unavailable or LoginRefused.
    """
    try:
        return verb()
    except keep:
        raise
    except AzureError as error:
        failure = _failure(error, place, client, words)
    # Raised outside the handler: the error's request holds the key or token, so it may not hang on to ours.
    raise failure


def _failure(error: AzureError, place: str, client: str, words: Words) -> IngestionError:
    status = _status(error)
    if status is None:
        return _unanswered(error, place)
    word = code_of(error)
    text = f"{place} answered {status} ({word or _phrase(status)})"
    kind = words.get(word) or kind_of(status)
    if kind is FailureKind.UNAUTHORIZED:
        return LoginRefused(f"{text} to {client}.")
    if not kind.may_pass:
        return ServiceRefused(f"{text}.", kind)
    return transient_failure(f"{text}.", kind, getattr(getattr(error, "response", None), "headers", {}))


def _status(error: AzureError) -> int | None:
    """Give the status of the answer; Event Grid's SDK raises a 404 without it."""
    if isinstance(error, ResourceNotFoundError):
        return HTTPStatus.NOT_FOUND
    return error.status_code if isinstance(error, HttpResponseError) else None


def code_of(error: AzureError) -> str:
    """Give the service's error code, which the storage SDKs keep as a text or an enumeration."""
    code = getattr(error, "error_code", None) or ""
    return str(getattr(code, "value", code))


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus else "unknown"


def _unanswered(error: AzureError, place: str) -> Unavailable:
    if is_untrusted(error):
        return untrusted(place)
    return TransientError(f"{place} can't be reached or stopped in the middle of its answer.")
