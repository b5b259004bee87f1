"""The admin interface, plain HTTP: the outbox as a page and as JSON, the runs, and faults on demand."""

from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from typing import Final

import msgspec
from aiohttp import web

from emulators.logic_app.faults import FaultOrder, Faults
from emulators.logic_app.outbox import Mail, Outbox
from emulators.logic_app.triggers import Desk, newest_notes
from emulators.web import explained, json_answer

_PAGE: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Outbox</title><h1>Outbox</h1>'
    "<p>{count} mails, the newest first; none of them left this machine.</p>{mails}</html>"
)
_MAIL: Final = "<hr><h2>{subject}</h2><p>To {to}, {date} ({file})</p><pre>{text}</pre>"


class Admin:
    """The handlers of the admin interface; a refused order gets 400 with `{"error": ...}`."""

    def __init__(self, desks: Sequence[Desk], outbox: Outbox, faults: Faults) -> None:
        """Administer these workflows."""
        self._desks = desks
        self._outbox = outbox
        self._faults = faults

    async def page(self, _: web.Request) -> web.Response:
        """`GET /`: the mails, for a person."""
        mails = [_drawn(mail) for mail in self._outbox.mails()]
        text = _PAGE.format(count=len(mails), mails="".join(reversed(mails)))
        return web.Response(text=text, content_type="text/html")

    async def health(self, _: web.Request) -> web.Response:
        """`GET /health`: the workflows by name, with how many runs each began."""
        return json_answer({"status": "ok", "workflows": {desk.workflow.name: desk.begun for desk in self._desks}})

    async def show_outbox(self, _: web.Request) -> web.Response:
        """`GET /outbox`: `{"mails": [{"file", "date", "to", "subject", "text"}]}`, the oldest first."""
        return json_answer({"mails": [asdict(mail) for mail in self._outbox.mails()]})

    async def show_runs(self, _: web.Request) -> web.Response:
        """`GET /runs`: the runs since the start, with the status of each action that was looked at."""
        return json_answer({"runs": newest_notes(self._desks)})

    async def order_fault(self, request: web.Request) -> web.Response:
        """`POST /faults`: a FaultOrder."""
        self._faults.add(msgspec.json.decode(await request.read(), type=FaultOrder))
        return await self.list_faults(request)

    async def list_faults(self, _: web.Request) -> web.Response:
        """`GET /faults`: what stands."""
        return json_answer({"faults": self._faults.active()})

    async def clear_faults(self, request: web.Request) -> web.Response:
        """`DELETE /faults`: end them all."""
        self._faults.clear()
        return await self.list_faults(request)


def admin_application(desks: Sequence[Desk], outbox: Outbox, faults: Faults) -> web.Application:
    """Route the admin interface."""
    admin = Admin(desks, outbox, faults)
    application = web.Application(middlewares=[explained])
    application.router.add_get("/", admin.page)
    application.router.add_get("/health", admin.health)
    application.router.add_get("/outbox", admin.show_outbox)
    application.router.add_get("/runs", admin.show_runs)
    application.router.add_post("/faults", admin.order_fault)
    application.router.add_get("/faults", admin.list_faults)
    application.router.add_delete("/faults", admin.clear_faults)
    return application


def _drawn(mail: Mail) -> str:
    return _MAIL.format(**{name: escape(value) for name, value in asdict(mail).items()})
