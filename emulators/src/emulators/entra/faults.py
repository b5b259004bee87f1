"""What goes wrong on demand: the answers by which Entra puts a client off."""

from http import HTTPStatus
from typing import Annotated, Literal

import msgspec
from aiohttp import web

from emulators.entra.refusals import Refusal
from emulators.faults import FaultQueue, Limits

Kind = Literal["transient", "throttled", "loop", "gateway"]
Endpoint = Literal["token", "metadata"]

_STATUS: dict[Kind, HTTPStatus] = {
    "transient": HTTPStatus.SERVICE_UNAVAILABLE,
    "throttled": HTTPStatus.TOO_MANY_REQUESTS,
    "loop": HTTPStatus.BAD_REQUEST,
    "gateway": HTTPStatus.BAD_GATEWAY,
}
_WORDS: dict[Kind, tuple[str, int, str]] = {
    "transient": ("temporarily_unavailable", 90033, "A transient error has occurred. Please try again."),
    "throttled": ("temporarily_unavailable", 90055, "There are too many incoming requests."),
    "loop": (
        "invalid_grant",
        50196,
        "The server terminated an operation because it encountered a loop while processing a request.",
    ),
}
_PAGE = "<html><body><h2>Our services aren't available right now</h2></body></html>"


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `POST /admin/faults`: the next `count` requests to the endpoint `at` are answered so.

    `transient`: Entra's own words for "try again". `throttled`: 429. `loop`: the words for too many requests of one
    client. `gateway`: a page of what stands before Entra. `status` replaces the usual one of the kind. `retry_after` is
    sent as it is, in seconds or as a date.
    """

    kind: Kind
    count: Annotated[int, msgspec.Meta(ge=1)] = 1
    at: Endpoint = "token"
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = None
    retry_after: str | None = None

    @property
    def limits(self) -> Limits:
        """Hold for so many requests."""
        return Limits(count=self.count)

    @property
    def headers(self) -> dict[str, str]:
        """Give the headers beside those of every answer."""
        return {} if self.retry_after is None else {"Retry-After": self.retry_after}


class Faults(FaultQueue[Fault]):
    """The faults of one tenant."""

    def meet(self, at: Endpoint) -> None:
        """Answer one more request to an endpoint as the next fault says, where there is one."""
        fault = self.consume(lambda fault: fault.at == at)
        if fault is None:
            return
        status = fault.status or _STATUS[fault.kind]
        if fault.kind == "gateway":
            raise GatewayPage(status, fault.headers)
        raise Refusal(*_WORDS[fault.kind], HTTPStatus(status), fault.headers)


class GatewayPage(Exception):
    """The answer of what stands before Entra, which knows nothing of its JSON."""

    def __init__(self, status: int, headers: dict[str, str]) -> None:
        """Keep both."""
        super().__init__(status)
        self.status, self.headers = status, headers

    def response(self) -> web.Response:
        """Write the page."""
        return web.Response(text=_PAGE, status=self.status, headers=self.headers, content_type="text/html")
