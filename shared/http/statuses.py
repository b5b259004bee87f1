"""Which status each answer has: what went well, and each error that is raised on purpose."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from math import ceil
from typing import Any, Final

from shared.errors import (
    FeedRefused,
    IngestionError,
    LoginRefused,
    RejectionReason,
    RequestRejected,
    SettingsError,
    Unavailable,
)

OK: Final = HTTPStatus.OK
ACCEPTED: Final = HTTPStatus.ACCEPTED

REJECTED: Final[Mapping[RejectionReason, HTTPStatus]] = {
    "invalid": HTTPStatus.BAD_REQUEST,
    "unknown": HTTPStatus.NOT_FOUND,
    "conflict": HTTPStatus.CONFLICT,
    "too_large": HTTPStatus.CONTENT_TOO_LARGE,
    "unsupported": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
}
_RETRY_AFTER_SECONDS = 10


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """How an error is answered. code: a stable word for programs. retry_after: in seconds, where waiting may help."""

    status: HTTPStatus
    code: str
    message: str
    field: str | None = None
    retry_after: int | None = None

    @property
    def body(self) -> Mapping[str, Any]:
        """Give what the caller reads."""
        return {"error": {"code": self.code, "message": self.message, "field": self.field}}

    @property
    def headers(self) -> Mapping[str, str]:
        """Give the headers beside those of every answer."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


def error_response(error: IngestionError) -> ErrorResponse:
    """Say how an error is answered; only a rejected request is the caller's to mend."""
    if isinstance(error, RequestRejected):
        return ErrorResponse(REJECTED[error.reason], error.code, error.message, error.field)
    if isinstance(error, Unavailable | LoginRefused):
        unavailable = HTTPStatus.SERVICE_UNAVAILABLE
        asked = ceil(error.retry_after) if isinstance(error, Unavailable) else 0
        return ErrorResponse(unavailable, "unavailable", str(error), retry_after=asked or _RETRY_AFTER_SECONDS)
    if isinstance(error, FeedRefused):  # the request is right, and what its window would read is not
        return ErrorResponse(HTTPStatus.CONFLICT, "feed_refused", str(error))
    code = "settings" if isinstance(error, SettingsError) else "internal"
    return ErrorResponse(HTTPStatus.INTERNAL_SERVER_ERROR, code, str(error))
