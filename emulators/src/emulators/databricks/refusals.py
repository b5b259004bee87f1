"""How the Jobs API says no: an error code, a sentence and the HTTP status they travel with."""

from dataclasses import dataclass
from http import HTTPStatus


@dataclass(eq=False)
class Refusal(Exception):
    """A request that the workspace turns down; `body` is what the client reads."""

    error_code: str
    message: str
    status: int = HTTPStatus.BAD_REQUEST
    retry_after: float | None = None

    @property
    def body(self) -> dict[str, str]:
        """Write the refusal as Databricks' REST interface does."""
        return {"error_code": self.error_code, "message": self.message}

    @property
    def headers(self) -> dict[str, str]:
        """Name the seconds to wait, where there are any."""
        return {} if self.retry_after is None else {"Retry-After": f"{self.retry_after:g}"}


def invalid(message: str) -> Refusal:
    """A parameter that can't be; an id that nothing has is one, too."""
    return Refusal("INVALID_PARAMETER_VALUE", message)


def wrong_state(message: str) -> Refusal:
    """The run is not in a state for this."""
    return Refusal("INVALID_STATE", message)


def no_token() -> Refusal:
    """The request carries no bearer token."""
    message = "Credential was not sent or was of an unsupported type for this API."
    return Refusal("UNAUTHENTICATED", message, HTTPStatus.UNAUTHORIZED)


def bad_token(message: str, status: int = HTTPStatus.FORBIDDEN) -> Refusal:
    """The token does not hold; the message names the rule, never the token."""
    return Refusal("PERMISSION_DENIED" if status == HTTPStatus.FORBIDDEN else "UNAUTHENTICATED", message, status)


def not_permitted(caller: str, needed: str, job_id: int) -> Refusal:
    """The caller's token holds, but the job's permissions do not name the caller for this."""
    message = f"User {caller} does not have {needed} permissions on job {job_id}."
    return Refusal("PERMISSION_DENIED", message, HTTPStatus.FORBIDDEN)


def not_done(what: str) -> Refusal:
    """Databricks does it and this service does not."""
    message = f"{what} is a part of Databricks' interface that the Jobs service on one machine does not do."
    return Refusal("NOT_IMPLEMENTED", message, HTTPStatus.NOT_IMPLEMENTED)


def too_many_requests(retry_after: float) -> Refusal:
    """The caller is over its rate."""
    message = "Current request has to be retried due to a rate limit."
    return Refusal("REQUEST_LIMIT_EXCEEDED", message, HTTPStatus.TOO_MANY_REQUESTS, retry_after)


def unavailable() -> Refusal:
    """The service is down for a while."""
    return Refusal("TEMPORARILY_UNAVAILABLE", "The service is unavailable.", HTTPStatus.SERVICE_UNAVAILABLE)


def no_such_endpoint(method: str, path: str) -> Refusal:
    """Nothing is served at this address."""
    return Refusal("ENDPOINT_NOT_FOUND", f"No API found for '{method} {path}'.", HTTPStatus.NOT_FOUND)
