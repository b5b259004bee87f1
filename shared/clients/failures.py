"""What the errors of Azure's SDKs mean to the app: worth another try, final, or a login that is refused."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError

from shared.clients.persistence import TransientError, retry_after_seconds
from shared.errors import IngestionError, LoginRefused, Unavailable

_NOT_LET_IN: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_BUSY: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_PASSING: Final = _BUSY | {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT}


def call[Answer](
    verb: Callable[[], Answer], *, place: str, client: str, keep: type[AzureError] | tuple[()] = ()
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
    text = f"{place} answered {status} ({_phrase(status)})"
    if status in _NOT_LET_IN:
        return LoginRefused(f"{text} to {client}.")
    if status not in _PASSING and status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unavailable(f"{text}.")
    wait = retry_after_seconds(getattr(getattr(error, "response", None), "headers", {}))
    return TransientError(f"{text}.", busy=status in _BUSY, retry_after=wait)


def _status(error: AzureError) -> int | None:
    """Give the status of the answer; Event Grid's SDK raises a 404 without it."""
    if isinstance(error, ResourceNotFoundError):
        return HTTPStatus.NOT_FOUND
    return error.status_code if isinstance(error, HttpResponseError) else None


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus else "unknown"


def _unanswered(error: AzureError, place: str) -> Unavailable:
    if _UNTRUSTED in str(error):
        return Unavailable(
            f"{place} shows a certificate that the CA bundle does not vouch for; "
            "put the authority's certificate in CA_BUNDLE."
        )
    return TransientError(f"{place} can't be reached or stopped in the middle: {type(error).__name__}.")


_UNTRUSTED: Final = "CERTIFICATE_VERIFY_FAILED"  # OpenSSL's own word, whatever wraps it
