"""The contract of the ledger of runs: what holds for Azure Tables (Azurite) must hold for the fake."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.clients.storage.runs import TableRunLedger
from shared.domain.runs.run import RunRow, row_key
from shared.domain.windows.window import Window

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
feeds = (f"feed{number}" for number in itertools.count())


@pytest.fixture
def runs(store):
    return TableRunLedger(store)


def claimed(feed, start=NOON, number=1, **changes):
    return RunRow(Window(feed, start, start + HOUR), number, "follow", "claimed", NOON, NOON, **changes)


def test_of_many_claims_of_one_number_one_wins(runs):
    feed = next(feeds)

    with ThreadPoolExecutor(10) as pool:
        claims = list(pool.map(runs.claim, [claimed(feed) for _ in range(10)]))

    assert claims.count(True) == 1


def test_a_windows_runs_are_listed_by_number(runs):
    feed = next(feeds)
    rows = [claimed(feed, number=number) for number in (10, 2, 1)]
    for row in [*rows, claimed(feed, NOON + HOUR)]:
        runs.claim(row)

    assert [row.number for row in runs.of_window(rows[0].window)] == [1, 2, 10]


def test_a_feeds_active_runs_are_listed_oldest_first(runs):
    feed = next(feeds)
    for row in (claimed(feed, NOON + HOUR), claimed(feed), claimed(feed, NOON - HOUR)):
        runs.claim(row)
    runs.change(Window(feed, NOON, NOON + HOUR), 1, lambda row: replace(row, state="succeeded"))

    assert [row.window.start for row in runs.of_feed(feed)] == [NOON - HOUR, NOON + HOUR]


def test_a_changed_run_is_read_back_whole(runs):
    row = claimed(next(feeds))
    runs.claim(row)
    changed = replace(
        row,
        state="active",
        run_id=2**53,
        superseding=True,
        message="RUNNING",
        lookups={"assets": "a", "stores": "c"},
        lookup_note="b",
    )

    runs.change(row.window, 1, lambda _: changed)

    assert runs.of_window(row.window) == [changed]


@pytest.mark.parametrize(("path", "lookups"), [("assets/1.parquet", {"assets": "assets/1.parquet"}), ("", {})])
def test_a_run_that_an_earlier_version_wrote_is_read_and_rewritten(tables_of_account, path, lookups):
    runs, row = TableRunLedger(tables_of_account), claimed(next(feeds), message="RUNNING", lookups=lookups)
    runs.claim(row)
    key = row_key(row.window, 1)
    tables_of_account.change("runs", key, lambda entity: as_written_before(entity, path))

    assert runs.of_window(row.window) == [row]
    runs.change(row.window, 1, lambda row: replace(row, state="active"))
    assert tables_of_account.read("runs", key).keys() & {"words", "message", "lookup", "lookups"} == {
        "message",
        "lookups",
    }


def as_written_before(entity, lookup):
    older = {("words" if name == "message" else name): value for name, value in entity.items()}
    return {name: value for name, value in older.items() if name != "lookups"} | {"lookup": lookup}


def test_a_run_that_is_not_there_is_none(runs):
    assert runs.change(claimed(next(feeds)).window, 1, lambda row: row) is None


@pytest.mark.parametrize(
    "changes",
    [{"number": "one"}, {"mode": "again"}, {"run_id": "x"}, {"lookups": "[1"}, {"lookups": '{"a": 1}'}, {"version": 2}],
)
def test_a_run_that_cannot_be_read_is_named_and_hides_no_other(runs, store, changes):
    feed = next(feeds)
    rows = [claimed(feed, number=number) for number in (1, 2, 3)]
    for row in rows:
        runs.claim(row)
    store.upsert("runs", {**store.read("runs", row_key(rows[1].window, 2)), **changes})

    of_window, of_feed = runs.of_window(rows[0].window), runs.of_feed(feed)

    assert of_window == of_feed == [rows[0], rows[2]]
    assert [one.key for one in of_window.unreadable] == [f"runs/{feed}/20261122T120000Z-r2"]
    assert of_feed.unreadable == of_window.unreadable


def test_old_ended_runs_are_deleted(runs):
    feed = next(feeds)
    for hours in range(4):
        row = claimed(feed, NOON + hours * HOUR)
        runs.claim(row if hours == 1 else replace(row, state="failed"))

    deleted = [runs.purge(feed, NOON + 3 * HOUR, 1) for _ in range(3)]

    assert deleted == [1, 1, 0]
    left = [bool(runs.of_window(claimed(feed, NOON + hours * HOUR).window)) for hours in range(4)]
    assert left == [False, True, False, True]


def test_a_run_keeps_the_attempt_of_the_window_that_asked_for_it(runs):
    row = claimed(next(feeds), attempt=2)
    runs.claim(row)

    assert runs.of_window(row.window) == [row]
