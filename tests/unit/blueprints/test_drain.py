import asyncio
import json
from datetime import UTC, datetime

import azure.functions as func
import pytest

from blueprints import drain
from shared.clients.storage.fake import FakeLedger, FakeReference
from shared.services import Services

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NONE = {"draining": False, "drained": False, "since": None, "until": None, "running": []}


@pytest.fixture
def ask(monkeypatch):
    app = Services().replace(ledger=FakeLedger(), reference=FakeReference(lambda: NOON), clock=lambda: NOON)
    monkeypatch.setattr(drain, "services", lambda: app)

    def asked(function, body=b""):
        answer = asyncio.run(function.build().get_user_function()(func.HttpRequest("POST", "/api/drain", body=body)))
        return answer.status_code, json.loads(answer.get_body())

    return asked


def test_a_drain_is_begun_shown_and_ended(ask):
    begun = ask(drain.begin_drain, b'{"length": "01:00:00"}')
    shown = ask(drain.get_drain)
    ended = ask(drain.end_drain)

    assert begun == shown == (200, NONE | DRAINED | {"until": "2026-11-22T13:00:00Z"})
    assert ended == (200, NONE)


DRAINED = {"draining": True, "drained": True, "since": "2026-11-22T12:00:00Z"}


def test_without_a_body_it_lasts_half_an_hour(ask):
    assert ask(drain.begin_drain)[1]["until"] == "2026-11-22T12:30:00Z"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"length": "00:00:00"}', "invalid_field"),
        (b'{"length": "04:00:01"}', "invalid_field"),
        (b'{"length": "soon"}', "invalid_field"),
        (b'{"length": 5}', "invalid_field"),
        (b'{"minutes": "00:10:00"}', "unknown_field"),
        (b"[]", "not_an_object"),
        (b"{", "not_json"),
    ],
)
def test_a_length_that_can_not_be_is_refused_by_its_rule(ask, body, code):
    status, answer = ask(drain.begin_drain, body)

    assert (status, answer["error"]["code"]) == (400, code)
    assert ask(drain.get_drain) == (200, NONE)
