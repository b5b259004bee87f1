import asyncio
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import azure.functions as func
import pytest

from blueprints import windows
from shared.clients.recordings.store import KeptRecordings
from shared.clients.storage.fake import FakeLedger, FakeRunLedger
from shared.domain.costs import Prices
from shared.domain.recording import recording_location
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.plan import PlanTemplate, StreamPlan
from shared.domain.windows.schedule import Schedule
from shared.domain.windows.window import Window
from shared.errors import SettingsError, Unavailable
from shared.flows.open_windows import PlanFactory
from shared.services import Services

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SCHEDULE = Schedule("trades", every=HOUR, offset=timedelta(), length=HOUR, lead=timedelta(), catch_up=HOUR)
STREAM = StreamPlan("trades", ("trades",), "trades/1", "row", "identity", 0)
TEMPLATE = PlanTemplate(HOUR / 12, timedelta(), timedelta(), 0.0, 1.0, ("coinbase:BTC-USD",), (STREAM,))
BODY = {"feed": "trades", "start": "2026-11-22T13:00:00Z", "length": "01:00:00"}


class FakeDurableClient:
    """A durable client that remembers."""

    def __init__(self):
        self.started, self.raised = {}, []

    async def start_new(self, name, instance_id, client_input):
        self.started[instance_id] = client_input

    async def get_status(self, instance_id):
        alive = SimpleNamespace(value="Running")
        return SimpleNamespace(runtime_status=alive if instance_id in self.started else None)

    async def raise_event(self, instance_id, name, data):
        if instance_id not in self.started:
            raise Exception(f"No instance with ID {instance_id} found.")
        self.raised.append((instance_id, name))

    def create_http_management_payload(self, instance_id):
        return {"statusQueryGetUri": f"http://127.0.0.1/instances/{instance_id}"}


@dataclass
class App:
    """The blueprint with fakes behind it, asked as the host asks it."""

    ledger: FakeLedger
    client: FakeDurableClient
    services: Services

    def ask(self, function, method="GET", body=b"", params=None, **route):
        request = func.HttpRequest(method, "/api/windows", params=params or {}, route_params=route, body=body)
        user_function = function.build().get_user_function()
        bound = getattr(user_function, "client_function", None)
        answer = asyncio.run(bound(request, self.client) if bound else user_function(request))
        return answer.status_code, json.loads(answer.get_body())


@pytest.fixture
def app(monkeypatch):
    settings = SimpleNamespace(
        feeds={"trades": SimpleNamespace(schedule=SCHEDULE)}, prices=Prices(0.008, 0.03, 0.028, 4_000)
    )
    plans = PlanFactory({"trades": TEMPLATE}, lambda feed: "", lambda template: {})
    app = App(FakeLedger(), FakeDurableClient(), Services())
    app.services.replace(
        settings=settings,
        ledger=app.ledger,
        runs=FakeRunLedger(),
        counts=None,
        plans=plans,
        clock=lambda: NOON,
    )
    monkeypatch.setattr(windows, "services", lambda: app.services)
    return app


def test_a_window_is_opened_with_its_id_and_status_url(app):
    status, body = app.ask(windows.open_windows, "POST", json.dumps(BODY).encode())

    (window,) = body["windows"]
    assert (status, window["id"], window["state"]) == (202, "trades-20261122T130000Z", "planned")
    assert window["status"]["statusQueryGetUri"].endswith("trades-20261122T130000Z")
    assert list(app.client.started) == ["trades-20261122T130000Z"]


def test_a_window_whose_recording_is_not_there_is_refused_by_its_name_and_not_planned(app):
    recordings = KeptRecordings(Path("/nowhere"), {})
    location = recording_location("file:///nowhere/payments.csv")
    replaying = replace(app.services.plans, replay=lambda feed, how: recordings.identify(location))
    app.services.replace(plans=replaying)

    status, body = app.ask(windows.open_windows, "POST", json.dumps(BODY).encode())

    assert (status, body["error"]["code"]) == (409, "feed_refused")
    assert "file:///nowhere/payments.csv can't be read: No such file" in body["error"]["message"]
    assert (app.client.started, app.ledger.windows("trades")) == ({}, [])


def test_a_wrong_body_is_answered_with_field_and_rule(app):
    status, body = app.ask(windows.open_windows, "POST", json.dumps(BODY | {"feed": "weather"}).encode())

    assert status == 400
    assert body == {
        "error": {"code": "invalid_field", "message": "feed must be one of trades; it is 'weather'.", "field": "feed"}
    }


def test_an_unknown_window_is_not_found(app):
    status, body = app.ask(windows.get_window, id="trades-20261122T130000Z")

    assert (status, body["error"]["code"]) == (404, "unknown_window")


def test_windows_are_listed(app):
    app.ledger.claim(WindowRow(Window("trades", NOON, NOON + HOUR), "open", "timer", NOON))

    status, body = app.ask(windows.get_windows, params={"state": "open"})

    assert (status, [window["id"] for window in body["windows"]]) == (200, ["trades-20261122T120000Z"])


def test_stopping_marks_the_window_and_raises_stop_to_the_slices_that_wait(app):
    app.ask(windows.open_windows, "POST", json.dumps(BODY).encode())
    app.ledger.change("trades-20261122T130000Z", lambda row: replace(row, state="open"))
    waiting = [f"trades-20261122T130000Z-leg0-slice{number}" for number in (3, 7)]
    app.client.started.update(dict.fromkeys(waiting))

    status, body = app.ask(windows.stop_window, "DELETE", id="trades-20261122T130000Z")

    assert (status, body["stop_at"]) == (202, "2026-11-22T12:00:02Z")
    assert app.client.raised == [(instance, "stop") for instance in waiting]


def test_the_same_body_again_is_answered_with_the_same_window(app):
    answers = [app.ask(windows.open_windows, "POST", json.dumps(BODY).encode()) for _ in range(2)]

    assert answers[0] == answers[1]
    assert answers[0][0] == 202


def test_a_long_back_fill_is_opened_whole_and_shown_in_pages_each_of_which_asks_for_the_next(app):
    body, shown = {"feed": "trades", "start": "2026-11-22T00:00:00Z", "end": "2026-11-22T12:00:00Z"}, []

    while body:
        status, answer = app.ask(windows.open_windows, "POST", json.dumps(body).encode(), {"limit": "5"})
        shown += [window["id"] for window in answer["windows"]]
        body = answer["next"]

    assert status == 202
    assert shown == [f"trades-20261122T{hour:02}0000Z" for hour in range(12)]


def test_a_row_that_cannot_be_read_is_listed_by_its_key_beside_the_others(app):
    app.ledger.claim(WindowRow(Window("trades", NOON, NOON + HOUR), "open", "timer", NOON))
    app.ledger.tables.upsert("windows", {"PartitionKey": "trades", "RowKey": "20261122T110000Z", "state": "ajar"})

    status, body = app.ask(windows.get_windows)

    assert (status, [window["id"] for window in body["windows"]]) == (200, ["trades-20261122T120000Z"])
    assert [odd["key"] for odd in body["unreadable"]] == ["windows/trades/20261122T110000Z"]


@pytest.mark.parametrize(("error", "status"), [(Unavailable("away"), 503), (SettingsError("wrong"), 500)])
def test_what_goes_wrong_inside_is_still_a_json_object(app, monkeypatch, error, status):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(app.ledger, "window", fail)

    answered, body = app.ask(windows.get_window, id="trades-20261122T130000Z")

    assert (answered, body["error"]["message"]) == (status, str(error))
