"""The admin port: the outbox as a page and as JSON, the runs, and faults on demand."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from html import escape
from typing import Any, Final

from aiohttp import web

from emulators.admin import FaultRoutes, admin_application
from emulators.logic_app.faults import Fault, Faults
from emulators.logic_app.outbox import Mail, Outbox
from emulators.logic_app.triggers import WorkflowHandler, newest_notes
from emulators.serving import json_answer

_PAGE: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Outbox</title><h1>Outbox</h1>'
    "<p>{count} mails, the newest first; none of them left this machine.</p>{mails}</html>"
)
_MAIL: Final = "<hr><h2>{subject}</h2><p>To {to}, {date} ({file})</p><pre>{text}</pre>"


def workflows_admin(handlers: Sequence[WorkflowHandler], outbox: Outbox, faults: Faults) -> web.Application:
    """Route the admin port: `GET /` is a page of the mails, `GET /outbox` the mails as JSON, the oldest first.

    `GET /health` has the workflows by name with how many runs each began; `GET /runs` the runs since the start, with
    the status of each action that was looked at.
    """

    async def page(_: web.Request) -> web.Response:
        mails = [_rendered(mail) for mail in outbox.mails()]
        text = _PAGE.format(count=len(mails), mails="".join(reversed(mails)))
        return web.Response(text=text, content_type="text/html")

    async def show_outbox(_: web.Request) -> web.Response:
        return json_answer({"mails": [asdict(mail) for mail in outbox.mails()]})

    async def show_runs(_: web.Request) -> web.Response:
        return json_answer({"runs": newest_notes(handlers)})

    def health() -> Mapping[str, Any]:
        return {"workflows": {handler.workflow.name: handler.begun for handler in handlers}}

    routes = [web.get("/", page), web.get("/outbox", show_outbox), web.get("/runs", show_runs)]
    return admin_application(health, FaultRoutes.of(Fault, faults).routes(), routes)


def _rendered(mail: Mail) -> str:
    return _MAIL.format(**{name: escape(value) for name, value in asdict(mail).items()})
