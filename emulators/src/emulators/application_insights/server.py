"""Application Insights' ingestion endpoint (Breeze), the tables that it fills, and the admin port with its pages.

Source: ENDPOINT-PROTOCOL.md of microsoft/ApplicationInsights-Home for requests and answers. It does not say how large a
body may be, what is answered to one that is no JSON, nor in which order things are checked.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from aiohttp import web

from emulators.application_insights.admin import telemetry_admin
from emulators.application_insights.authentication import Authenticator, Denied
from emulators.application_insights.bodies import MOST_BYTES, BodyUnreadable, Item, read_items
from emulators.application_insights.faults import BEFORE, Fault, Faults
from emulators.application_insights.judging import Rejection, judge
from emulators.application_insights.rows import row_of
from emulators.application_insights.store import MOST_ROWS, Store
from emulators.clocks import utc_now
from emulators.key_files import read_key, write_key
from emulators.serving import HOST, Site, json_answer, serving

VERSIONS: Final = ("v2", "v2.1")
_CONTENT_TYPES: Final = ("application/json", "application/x-json-stream", "x-json-stream", "application/octet-stream")


@dataclass(frozen=True, slots=True)
class ApplicationInsights:
    """What to serve; ports of 0 are chosen freely.

    state: the folder of the tables and of the instrumentation key, which is drawn once. certificate: without one it is
    plain HTTP. authenticator: without one the instrumentation key is enough.
    """

    state: Path
    port: int = 0
    admin_port: int = 0
    certificate: Path | None = None
    authenticator: Authenticator | None = None
    most_rows: int = MOST_ROWS
    clock: Callable[[], datetime] = utc_now


@asynccontextmanager
async def running(service: ApplicationInsights) -> AsyncIterator[dict[str, str]]:
    """Serve while the context lasts; yields `ingestion`, `admin`, `page`, and the `connection_string` for an app."""
    store = Store(service.state, service.most_rows)
    handler = TrackHandler(kept_key(service.state / "instrumentation.key"), store, service.authenticator, service.clock)
    application = web.Application(client_max_size=MOST_BYTES)
    # A connection string of Azure ends its addresses with a slash, and its clients put another one behind it.
    application.add_routes(web.post("/{slash:/?}" + f"{version}/track", handler.track) for version in VERSIONS)
    sites = serving(
        ingestion=Site(application, service.port, service.certificate),
        admin=Site(telemetry_admin(store, handler.faults, lambda: {"requests": handler.requests}), service.admin_port),
    )
    async with sites as addresses:
        ingestion = addresses["ingestion"]
        # As Azure writes it. Live metrics go to the same address, which has none, so that nothing leaves the machine.
        root = f"{ingestion if service.certificate else ingestion.replace('localhost', HOST)}/"
        parts = (f"InstrumentationKey={handler.key}", f"IngestionEndpoint={root}", f"LiveEndpoint={root}")
        yield {
            "ingestion": ingestion,
            "admin": addresses["admin"],
            "page": f"{addresses['admin']}/",
            "connection_string": ";".join(parts),
        }


def kept_key(path: Path) -> str:
    """Read the instrumentation key, or draw one and keep it."""
    if not path.exists():
        write_key(str(uuid.uuid4()), path)
    return read_key(path)


@dataclass(slots=True)
class TrackHandler:
    """The endpoint. key: the instrumentation key. requests: how many were let in."""

    key: str
    store: Store
    authenticator: Authenticator | None
    clock: Callable[[], datetime]
    faults: Faults = field(default_factory=Faults)
    requests: int = 0

    async def track(self, request: web.Request) -> web.StreamResponse:
        """Answer one request: 200, 206 where some items are refused, or the status of the first where all are."""
        try:
            if self.authenticator is not None:
                await self.authenticator.check(request.headers.get("Authorization", ""))
            items = await _read(request)
        except (Denied, _Refused) as refusal:
            return _answer(0, [Rejection(refusal.status, str(refusal))])
        self.requests += 1
        if slow := self.faults.take("slow"):
            await asyncio.sleep(slow.seconds)
        if fault := self.faults.take(*BEFORE):
            return _failed(fault, len(items))
        return self._keep(request, items)

    def _keep(self, request: web.Request, items: Sequence[Item]) -> web.StreamResponse:
        now, partial = self.clock(), self.faults.take("partial")
        verdicts = [_of_fault(partial, index) or judge(item, self.key, now) for index, item in enumerate(items)]
        accepted = [item for item, rejection in zip(items, verdicts, strict=True) if rejection is None]
        self.store.add([row_of(item, now) for item in accepted])
        if self.faults.take("lost_answer") and request.transport is not None:
            request.transport.abort()
        answer = _answer(len(items), verdicts)
        _add_retry_after(answer, partial)
        return answer


class _Refused(Exception):
    """A request without items that can be judged."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def _read(request: web.Request) -> list[Item]:
    if request.content_type not in _CONTENT_TYPES:
        raise _Refused(400, f"Content-Type {request.content_type!r} is none of {', '.join(_CONTENT_TYPES)}")
    try:
        return read_items(await request.read())
    except web.HTTPRequestEntityTooLarge as error:
        raise _Refused(413, f"The body is larger than {MOST_BYTES} bytes") from error
    except (BodyUnreadable, web.RequestPayloadError) as error:
        raise _Refused(400, str(error)) from error


def _of_fault(fault: Fault | None, index: int) -> Rejection | None:
    return Rejection(fault.answered, fault.words) if fault and index < fault.items else None


def _failed(fault: Fault, items: int) -> web.Response:
    answer = _answer(items, [Rejection(fault.answered, fault.words)] * items)
    if fault.kind == "redirect":
        answer = web.Response(status=fault.answered, headers={"Location": fault.location})
    _add_retry_after(answer, fault)
    return answer


def _add_retry_after(answer: web.Response, fault: Fault | None) -> None:
    if fault and fault.retry_after:
        answer.headers["Retry-After"] = str(fault.retry_after)


def _answer(received: int, verdicts: Sequence[Rejection | None]) -> web.Response:
    """Answer with each refusal. received: 0 where the body was not read, which the one verdict is about."""
    errors = [
        {"index": index, "statusCode": rejection.status, "message": rejection.message}
        for index, rejection in enumerate(verdicts)
        if rejection is not None
    ]
    accepted = received - len(errors) if received else 0
    body = {"itemsReceived": received, "itemsAccepted": accepted, "appId": None, "errors": errors}
    if not errors:
        return json_answer(body)
    first = verdicts[0]
    return json_answer(body, status=206 if accepted or first is None else first.status)
