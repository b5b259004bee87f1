"""A notification hub over TLS, as far as direct sends go, and the admin port with the phones' inboxes.

Source: learn.microsoft.com/rest/api/notificationhubs/direct-send: the address, the headers and the answers 201, 400,
401, 403, 404 and 413. A phone's own push service is not there: what is sent is shown at once.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from aiohttp import web

from emulators.clocks import utc_now
from emulators.notification_hubs.admin import hub_admin
from emulators.notification_hubs.devices import Devices
from emulators.notification_hubs.faults import Fault, Faults
from emulators.notification_hubs.signatures import Policy
from emulators.serving import Site, serving

MOST_BYTES: Final = 64 * 1024
FORMATS: Final = frozenset({"fcmv1"})
API_VERSIONS: Final = frozenset({"2015-04", "2015-08", "2016-07", "2020-06"})
_MOST_READ: Final = 2**20


@dataclass(frozen=True, slots=True)
class NotificationHubs:
    """What to serve; ports of 0 are chosen freely. key: that of the policy."""

    certificate: Path
    hub: str
    policy: str
    key: str = field(repr=False)
    port: int = 0
    admin_port: int = 0
    clock: Callable[[], datetime] = utc_now


@asynccontextmanager
async def running(service: NotificationHubs) -> AsyncIterator[dict[str, str]]:
    """Serve while the context lasts; yields `admin`, `inboxes`, its page, and `hub`, which an app is given."""
    handler = HubHandler(service.hub, Policy(service.policy, service.hub, service.key), service.clock)
    application = web.Application(client_max_size=_MOST_READ)
    application.router.add_post("/{hub}/messages/", handler.send)
    admin = hub_admin(handler.devices, handler.faults, lambda: {"sends": handler.sends})
    async with serving(
        admin=Site(admin, service.admin_port), root=Site(application, service.port, service.certificate)
    ) as addresses:
        admin_address = addresses["admin"]
        yield {"admin": admin_address, "inboxes": f"{admin_address}/", "hub": f"{addresses['root']}/{service.hub}"}


class Refusal(Exception):
    """A send that is answered with a status and a detail."""

    def __init__(self, status: int, detail: str) -> None:
        """Keep both."""
        super().__init__(detail)
        self.status = status


@dataclass(slots=True)
class HubHandler:
    """One hub. sends: how many requests had a good signature."""

    hub: str
    policy: Policy
    clock: Callable[[], datetime]
    devices: Devices = field(default_factory=Devices)
    faults: Faults = field(default_factory=Faults)
    sends: int = 0
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def send(self, request: web.Request) -> web.StreamResponse:
        """Answer a direct send."""
        try:
            self._check_address(request)
            self.sends += 1
            device, data = _device(request), _data(request, await request.read())
        except Refusal as refusal:
            return _refused(refusal.status, str(refusal))
        return await self._deliver(request, device, data)

    async def _deliver(self, request: web.Request, device: str, data: dict[str, Any]) -> web.StreamResponse:
        if slow := self.faults.take(device, "slow"):
            await asyncio.sleep(slow.seconds)
        if fault := self.faults.take(device, "unavailable", "too_many_requests", "quota", "gone"):
            return self._failed(fault, device)
        if device in self.devices.gone:
            return _refused(410, "The device is not registered any more.")
        self.devices.deliver(device, data, self.clock())
        if self.faults.take(device, "lost_answer") and request.transport is not None:
            request.transport.abort()
        where = f"/{self.hub}/messages/{next(self._numbers)}?api-version={request.query['api-version']}"
        return web.Response(status=201, headers={"Location": f"https://{request.host}{where}"})

    def _failed(self, fault: Fault, device: str) -> web.Response:
        if fault.kind == "gone":
            self.devices.gone.add(device)
            return _refused(410, "The device is not registered any more.")
        if fault.kind == "quota":
            return _refused(403, "The quota of the namespace is exceeded.")
        status = 429 if fault.kind == "too_many_requests" else fault.status
        answer = _refused(status, "Failed on demand.")
        if fault.retry_after:
            answer.headers["Retry-After"] = str(fault.retry_after)
        return answer

    def _check_address(self, request: web.Request) -> None:
        complaint = self.policy.complaint(request.headers.get("Authorization", ""), time.time())
        if complaint:
            raise Refusal(401, complaint)
        if request.match_info["hub"].lower() != self.hub.lower():
            raise Refusal(404, "There is no message branch at the URI.")
        if "direct" not in request.query or request.query.get("api-version") not in API_VERSIONS:
            raise Refusal(400, f"Send directly, with an api-version of {', '.join(sorted(API_VERSIONS))}.")


def _device(request: web.Request) -> str:
    form = request.headers.get("ServiceBusNotification-Format", "")
    if form.lower() not in FORMATS:
        raise Refusal(400, f"ServiceBusNotification-Format {form!r} is none of {', '.join(FORMATS)}.")
    device = request.headers.get("ServiceBusNotification-DeviceHandle", "")
    if not device:
        raise Refusal(400, "ServiceBusNotification-DeviceHandle is missing.")
    return device


def _data(request: web.Request, body: bytes) -> dict[str, Any]:
    """Read `message.android.data`, whose values must be texts."""
    if len(body) > MOST_BYTES:
        raise Refusal(413, f"The message size cannot be over {MOST_BYTES} bytes.")
    if request.content_type != "application/json":
        raise Refusal(400, "Content-Type must be application/json;charset=utf-8.")
    try:
        data = msgspec.json.decode(body)["message"]["android"]["data"]
        return msgspec.convert(data, dict[str, str])
    except (msgspec.MsgspecError, KeyError, TypeError):
        raise Refusal(400, "The body must be a message of FCM v1 with texts in message.android.data.") from None


def _refused(status: int, detail: str) -> web.Response:
    """Answer as Service Bus does, in XML."""
    body = f"<Error><Code>{status}</Code><Detail>{detail.replace('&', '&amp;').replace('<', '&lt;')}</Detail></Error>"
    return web.Response(status=status, text=body, content_type="application/xml")
