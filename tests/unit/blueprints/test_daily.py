import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace

from blueprints import daily
from shared.flows.daily_gold import TICK
from shared.settings.rules import longest_wait

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
LATE = SimpleNamespace(past_due=True)


def test_each_tick_writes_the_lookups_that_are_due(monkeypatch):
    asked = []
    monkeypatch.setattr(daily, "services", lambda: SimpleNamespace(lookup_tools="tools", clock=lambda: NOON))
    monkeypatch.setattr(daily, "write_due_lookups", lambda *given: asked.append(given))

    daily.write_daily_lookups.build().get_user_function()(LATE)

    assert asked == [("tools", NOON)]


def test_the_timer_ticks_as_often_as_the_flow_believes():
    (trigger,) = [one for one in daily.bring_gold_up_to_date.build().get_bindings() if one.type == "timerTrigger"]

    assert longest_wait(trigger.schedule) == TICK


def test_each_tick_starts_the_runs_that_are_due_of_every_feed(monkeypatch):
    asked = []

    async def start(*given):
        asked.append(given)

    feeds = {"a": SimpleNamespace(daily="schedule of a"), "b": SimpleNamespace(daily="schedule of b")}
    app = SimpleNamespace(settings=SimpleNamespace(feeds=feeds), enrichment_tools="tools")
    monkeypatch.setattr(daily, "services", lambda: app)
    monkeypatch.setattr(daily, "start_daily_runs", start)
    monkeypatch.setattr(daily, "DurableOrchestrations", lambda client: f"orchestrations of {client}")

    timer = daily.bring_gold_up_to_date.build().get_user_function().client_function
    asyncio.run(timer(LATE, "client"))

    assert asked == [("tools", {"a": "schedule of a", "b": "schedule of b"}, "orchestrations of client")]


def test_each_tick_goes_on_with_the_reference_data(monkeypatch):
    asked = []
    monkeypatch.setattr(daily, "services", lambda: SimpleNamespace(reference_tools="tools"))
    monkeypatch.setattr(daily, "draw_reference_data", lambda *given: asked.append(given))

    daily.write_reference_data.build().get_user_function()(LATE)

    assert asked == [("tools",)]


def test_each_tick_exports_the_rows_of_sql_tables_that_are_due(monkeypatch):
    asked = []
    monkeypatch.setattr(daily, "services", lambda: SimpleNamespace(export_tools="tools"))
    monkeypatch.setattr(daily, "export_rows", lambda *given: asked.append(given))

    daily.export_sql_rows.build().get_user_function()(LATE)

    assert asked == [("tools",)]
