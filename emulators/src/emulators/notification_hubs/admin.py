"""The admin port: the phones' inboxes as a page and as JSON, and faults on demand."""

from collections.abc import Callable, Mapping
from html import escape
from typing import Any, Final

from aiohttp import web

from emulators.admin import FaultRoutes, admin_application
from emulators.notification_hubs.devices import Devices, DisplayedNotification
from emulators.notification_hubs.faults import Fault, Faults
from emulators.serving import json_answer

_PAGE: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Inboxes</title><h1>Inboxes</h1>'
    "<p>{devices} phones, {displayed} notifications; {repeats} came again and were not shown.</p>{inboxes}</html>"
)
_INBOX: Final = "<hr><h2>{device}</h2><ul>{notifications}</ul>"
_NOTIFICATION: Final = "<li>{at} <b>{title}</b> {text} ({id})</li>"


def hub_admin(devices: Devices, faults: Faults, health: Callable[[], Mapping[str, Any]]) -> web.Application:
    """Route the admin port: `GET /` is a page of the inboxes, `GET /inboxes` the same as JSON, the oldest first."""

    async def page(_: web.Request) -> web.Response:
        inboxes = "".join(_rendered(device, inbox) for device, inbox in sorted(devices.inboxes.items()))
        count = sum(map(len, devices.inboxes.values()))
        text = _PAGE.format(devices=len(devices.inboxes), displayed=count, repeats=devices.repeats, inboxes=inboxes)
        return web.Response(text=text, content_type="text/html")

    async def show_inboxes(_: web.Request) -> web.Response:
        inboxes = {device: [_as_json(one) for one in inbox] for device, inbox in devices.inboxes.items()}
        return json_answer({"inboxes": inboxes, "repeats": devices.repeats, "gone": sorted(devices.gone)})

    routes = [web.get("/", page), web.get("/inboxes", show_inboxes)]
    return admin_application(health, FaultRoutes.of(Fault, faults).routes(), routes)


def _as_json(displayed: DisplayedNotification) -> dict[str, Any]:
    return {"id": displayed.id, "at": displayed.at.isoformat(), "data": dict(displayed.data)}


def _rendered(device: str, inbox: list[DisplayedNotification]) -> str:
    lines = "".join(
        _NOTIFICATION.format(
            at=one.at.isoformat(timespec="seconds"),
            title=escape(str(one.data.get("title", ""))),
            text=escape(str(one.data.get("text", ""))),
            id=escape(one.id),
        )
        for one in inbox
    )
    return _INBOX.format(device=escape(device), notifications=lines)
