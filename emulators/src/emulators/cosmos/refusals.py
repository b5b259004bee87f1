"""What Cosmos DB answers to a request that it does not grant: status, sub-status, code and words.

Sources: "HTTP status codes for Azure Cosmos DB" and the pages "Troubleshoot … exceptions" of learn.microsoft.com; the
sub-statuses as azure-cosmos names them (`http_constants.py`).
"""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from emulators.serving import json_answer


class Refusal(Exception):
    """A request that is not granted."""

    def __init__(
        self, status: int, code: str, message: str, *, substatus: int = 0, retry_after_ms: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.substatus = substatus
        self.retry_after_ms = retry_after_ms

    def response(self) -> web.Response:
        """Answer it as the service does."""
        answer = json_answer({"code": self.code, "message": str(self)}, self.status)
        answer.headers["x-ms-substatus"] = str(self.substatus)
        answer.headers["x-ms-request-charge"] = "0"
        if self.retry_after_ms is not None:
            answer.headers["x-ms-retry-after-ms"] = str(self.retry_after_ms)
        return answer


def bad_request(message: str, substatus: int = 0) -> Refusal:
    """Refuse what breaks a rule."""
    return Refusal(400, "BadRequest", message, substatus=substatus)


def not_here(what: str) -> Refusal:
    """Refuse by name what the service has and this emulator has not."""
    return Refusal(501, "NotImplemented", f"This emulator has no {what}.")


def unauthorized(reason: str) -> Refusal:
    """Refuse a login."""
    return Refusal(401, "Unauthorized", f"The input authorization token can't serve the request. {reason}")


def forbidden(reason: str, substatus: int = 0) -> Refusal:
    """Refuse somebody who is known."""
    return Refusal(403, "Forbidden", reason, substatus=substatus)


def not_found() -> Refusal:
    """Answer that there is no such resource."""
    return Refusal(404, "NotFound", "Resource Not Found. Learn more: https://aka.ms/cosmosdb-tsg-not-found")


def no_owner() -> Refusal:
    """Answer that the container itself is not there."""
    return Refusal(404, "NotFound", "Owner resource does not exist", substatus=1003)


def conflict(what: str) -> Refusal:
    """Answer that the id is taken."""
    return Refusal(409, "Conflict", f"Resource with specified id or name already exists: {what}.")


def too_large(size: int, limit: int) -> Refusal:
    """Refuse what is over the limit."""
    return Refusal(413, "RequestEntityTooLarge", f"Request size is too large: {size} bytes, {limit} at most.")


def throttled(retry_after_ms: int) -> Refusal:
    """Refuse what is over the provisioned throughput."""
    message = "Request rate is large. More Request Units may be needed, so no changes were made."
    return Refusal(429, "TooManyRequests", message, substatus=3200, retry_after_ms=retry_after_ms)


def on_demand(status: int, words: Mapping[str, Any]) -> Refusal:
    """Answer what a fault asks for; `words` are the fields of `Refusal` that go with the status."""
    return Refusal(status, **words)
