import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.runs.run import RunRow
from shared.domain.windows.ledger_row import SliceRow, WindowRow
from shared.domain.windows.request import OpenRequest
from shared.domain.windows.rows import Rows, UnreadableRow
from shared.domain.windows.window import Slice, Window
from shared.http.views import accepted_run, enrichment_view, opened_windows, window_details, window_list

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ODD = UnreadableRow("windows", "trades", "20261122T100000Z", "state is missing")
WINDOW = Window("trades", NOON, NOON + 60 * MINUTE)
ROW = WindowRow(
    WINDOW,
    "closed",
    "request",
    NOON - MINUTE,
    plan={"sources": ["coinbase:BTC-USD"]},
    opened_at=NOON,
    closed_at=NOON + 61 * MINUTE,
    result={"counts": {"trades": {"read": 7}}},
    announced={"opened": "2026-11-22T12:00:01+00:00"},
)
SUMMARY = {
    "id": "trades-20261122T120000Z",
    "feed": "trades",
    "start": "2026-11-22T12:00:00Z",
    "end": "2026-11-22T13:00:00Z",
    "state": "closed",
    "origin": "request",
    "reason": "",
    "attempt": 1,
    "stop_at": None,
    "counts": {"trades": {"read": 7}},
}
RUN = RunRow(WINDOW, 2, "rerun", "claimed", NOON, NOON + MINUTE, lookups={"assets": "assets/1.parquet"})
RUN_DETAILS = {
    "number": 2,
    "mode": "rerun",
    "state": "claimed",
    "run_id": 0,
    "page_url": "",
    "lookups": {"assets": "assets/1.parquet"},
    "lookup_note": "",
    "message": "",
    "claimed_at": "2026-11-22T12:00:00+00:00",
    "updated_at": "2026-11-22T12:01:00+00:00",
}


def test_windows_are_listed_in_the_order_of_their_rows():
    earlier = WindowRow(Window("trades", NOON - 60 * MINUTE, NOON), "planned", "timer", NOON)

    shown = window_list(Rows([ROW, earlier], [ODD]), "trades-20261122T110000Z")

    listed = shown.pop("windows")
    assert shown == {
        "unreadable": [{"key": "windows/trades/20261122T100000Z", "reason": "state is missing"}],
        "next": "trades-20261122T110000Z",
    }
    assert listed[0] == SUMMARY
    assert [(window["id"], window["counts"]) for window in listed[1:]] == [("trades-20261122T110000Z", {})]


def status_urls(instance):
    return {"statusQueryGetUri": f"http://127.0.0.1/{instance}"}


def hourly(count):
    return [
        WindowRow(Window("trades", NOON + n * HOUR, NOON + (n + 1) * HOUR), "planned", "request", NOON)
        for n in range(count)
    ]


def test_an_opened_window_has_the_status_urls_of_the_orchestration_of_its_attempt():
    shown = opened_windows([replace(ROW, attempt=2)], None, 9, status_urls)

    assert shown == {
        "windows": [SUMMARY | {"attempt": 2, "status": {"statusQueryGetUri": f"http://127.0.0.1/{WINDOW.id}-a2"}}],
        "opened": 1,
        "next": None,
    }


@pytest.mark.parametrize(
    ("limit", "rest", "following"),
    [
        (3, None, None),
        (1, None, {"feed": "trades", "start": "2026-11-22T13:00:00Z", "end": "2026-11-22T15:00:00Z"}),
        (
            3,
            OpenRequest("trades", NOON + 3 * HOUR, NOON + 9 * HOUR),
            {"feed": "trades", "start": "2026-11-22T15:00:00Z", "end": "2026-11-22T21:00:00Z"},
        ),
        (
            2,
            OpenRequest("trades", NOON + 3 * HOUR, NOON + 9 * HOUR),
            {"feed": "trades", "start": "2026-11-22T14:00:00Z", "end": "2026-11-22T21:00:00Z"},
        ),
    ],
)
def test_what_an_answer_does_not_show_is_asked_for_by_the_body_that_it_gives(limit, rest, following):
    shown = opened_windows(hourly(3), rest, limit, status_urls)

    assert (len(shown["windows"]), shown["opened"], shown["next"]) == (limit, 3, following)


def test_a_window_is_shown_with_its_plan_its_result_and_every_try():
    part = Slice(WINDOW.id, 0, NOON, NOON + 5 * MINUTE)
    attempt = SliceRow(part, 1, "done", NOON, NOON + MINUTE, {"trades": {"read": 7}}, {"markets": []})

    failed = replace(ROW, state="failed", reason="The hub was away.", result={})

    shown = window_details(replace(ROW, attempt=2), Rows([failed]), Rows([attempt], [ODD]))

    times = {
        "claimed_at": "2026-11-22T11:59:00Z",
        "opened_at": "2026-11-22T12:00:00Z",
        "closed_at": "2026-11-22T13:01:00Z",
        "stop_at": None,
    }
    common = times | {"origin": "request", "restarts": 0}
    assert shown == SUMMARY | {
        "attempt": 2,
        "attempts": [
            common | {"attempt": 1, "state": "failed", "reason": "The hub was away.", "counts": {}},
            common | {"attempt": 2, "state": "closed", "reason": "", "counts": {"trades": {"read": 7}}},
        ],
        "unreadable": [{"key": "windows/trades/20261122T100000Z", "reason": "state is missing"}],
        "claimed_at": "2026-11-22T11:59:00Z",
        "opened_at": "2026-11-22T12:00:00Z",
        "closed_at": "2026-11-22T13:01:00Z",
        "announced": {"opened": "2026-11-22T12:00:01+00:00"},
        "plan": {"sources": ["coinbase:BTC-USD"]},
        "result": {"counts": {"trades": {"read": 7}}},
        "slices": [
            {
                "slice": 0,
                "attempt": 1,
                "window_attempt": 1,
                "start": "2026-11-22T12:00:00Z",
                "end": "2026-11-22T12:05:00Z",
                "state": "done",
                "reason": "",
                "started_at": "2026-11-22T12:00:00Z",
                "updated_at": "2026-11-22T12:01:00Z",
                "counts": {"trades": {"read": 7}},
                "sinks": {},
                "report": {"markets": []},
            }
        ],
    }
    assert json.loads(json.dumps(shown)) == shown


def test_a_run_that_was_accepted_is_shown_with_its_window():
    assert accepted_run(RUN) == {"window": WINDOW.id, "run": RUN_DETAILS}


def test_counts_are_shown_by_stage_and_where_a_stage_has_several_by_name():
    counts = {
        "trades": {
            "gold/trades_enriched": 2,
            "gold/trades_unmatched/BTC": 1,
            "hole/partition 0: 5-9": 5,
            "unmatched/BTC": 1,
            "unmatched/": 1,
            "bronze_events/": 3,
            "sql/Trades": 2,
        }
    }

    shown = enrichment_view([RUN], counts, "")

    assert shown["runs"] == [RUN_DETAILS]
    assert shown["counts"] == {
        "trades": {
            "bronze_events": 3,
            "gold": {"trades_enriched": 2, "trades_unmatched/BTC": 1},
            "hole": {"partition 0: 5-9": 5},
            "sql": {"Trades": 2},
            "unmatched": 1,
            "unmatched_by_name": {"BTC": 1},
        }
    }


def test_without_counts_the_reason_is_shown():
    shown = enrichment_view([], {}, "SQL__url is not set.")

    assert shown == {"runs": [], "counts": {}, "counts_note": "SQL__url is not set.", "reconciliation": None}
