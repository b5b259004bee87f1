import asyncio
import json
from types import SimpleNamespace

import azure.functions as func
import pytest

from blueprints import spill
from shared.clients.storage.fake import FakeLedger
from shared.services import Services
from tests.unit.shared.flows.spill_fakes import WINDOW, SpillWorld, events


class App(SpillWorld):
    """The blueprint with fakes behind it, asked as the host asks it."""

    def services(self):
        settings = SimpleNamespace(feeds={"trades": None}, after_dead="pass")
        return Services().replace(
            settings=settings, spill=self.spill, ledger=FakeLedger(), redrive_tools=self.tools, clock=lambda: self.now
        )

    def ask(self, function, method="GET", params=None, **document):
        body = json.dumps(document).encode() if method == "POST" else b""
        request = func.HttpRequest(method, "/api/spill", params=params or {}, body=body)
        answer = asyncio.run(function.build().get_user_function()(request))
        return answer.status_code, json.loads(answer.get_body())

    def wake(self):
        """Hand each message to the trigger as the worker does: in a thread without a loop."""
        for message in self.spill.queue.receive(32):
            delivered = func.QueueMessage(body=message.text.encode())
            spill.redrive_spill.build().get_user_function()(delivered)


@pytest.fixture
def app(monkeypatch):
    app = App()
    services = app.services()
    monkeypatch.setattr(spill, "services", lambda: services)
    return app


def test_a_message_wakes_the_redriver(app):
    app.keep(0, events("a"))

    app.wake()

    assert app.sent() == ["a"]


def test_the_list_shows_windows_streams_states_and_the_queues(app):
    app.keep(0, events("a"), tries=2, reason="hub away")

    status, body = app.ask(spill.get_spill)

    assert status == 200
    assert body == {
        "spill": [
            {
                "window": WINDOW,
                "feed": "trades",
                "stream": "trades",
                "state": "waiting",
                "batches": 1,
                "rows": 2,
                "oldest": "2026-11-22T12:00:00Z",
                "tries": 2,
                "reasons": [{"reason": "hub away", "batches": 1}],
            }
        ],
        "next": None,
        "messages": {"waiting": 1, "dead": 0},
    }


def test_the_list_is_paged(app):
    for day in (10, 11):
        app.keep(0, events("a"), window=f"trades-202611{day}T110000Z")

    _, first = app.ask(spill.get_spill, params={"limit": "1"})
    _, second = app.ask(spill.get_spill, params={"limit": "1", "after": first["next"]})

    assert [page["spill"][0]["window"] for page in (first, second)] == [
        "trades-20261110T110000Z",
        "trades-20261111T110000Z",
    ]
    assert second["next"] is None


def test_a_redrive_answers_with_what_it_reached(app):
    app.keep(0, events("a", "b"))
    app.keep(1, events("c"), state="dead")

    assert app.ask(spill.redrive_now, "POST", all=True, dead=True) == (
        200,
        {"batches": 2, "rows": 6, "streams": ["trades"], "left": 0},
    )


def test_a_discard_answers_with_what_it_reached(app):
    app.keep(0, events("a"), state="dead")

    asked = {"feed": "trades", "reason": "not needed"}
    assert app.ask(spill.discard_spill, "POST", **asked)[1]["batches"] == 1
    assert app.ask(spill.discard_spill, "POST", **asked)[1]["batches"] == 0


@pytest.mark.parametrize(
    ("document", "status", "code"),
    [
        ({"feed": "shop"}, 404, "unknown_feed"),
        ({"window": "trades-20200101T000000Z"}, 404, "unknown_window"),
        ({}, 400, "invalid_field"),
    ],
)
def test_what_is_unknown_or_unreadable_is_answered_as_everywhere(app, document, status, code):
    answered, body = app.ask(spill.redrive_now, "POST", **document)

    assert (answered, body["error"]["code"]) == (status, code)
