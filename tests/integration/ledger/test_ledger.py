"""The contract of the ledger: what holds for Azure Tables (Azurite) must hold for the fake."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from azure.data.tables import TableServiceClient

from emulators.testing import running_service
from shared.clients.storage.tables import Tables
from shared.clients.storage.windows import FakeLedger, TableLedger
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.window import Slice, Window
from shared.errors import Unavailable

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
feeds = (f"feed{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    location = tmp_path_factory.mktemp("azurite")
    ports = ("--blob-port", 0, "--queue-port", 0, "--table-port", 0)
    with running_service("storage", "--location", location, *ports) as addresses:
        service = TableServiceClient.from_connection_string(addresses["connection_string"])
        with service:
            yield TableLedger(Tables(lambda: service))


@pytest.fixture(params=["fake", "tables"])
def ledger(request):
    return FakeLedger() if request.param == "fake" else request.getfixturevalue("tables")


@pytest.fixture
def feed():
    return next(feeds)


def planned(feed, start=NOON, **changes):
    return WindowRow(Window(feed, start, start + HOUR), "planned", "timer", NOON, {"rate": 1.5}, **changes)


def test_only_the_first_claim_of_a_window_wins(ledger, feed):
    first, second = planned(feed), replace(planned(feed), claimed_at=NOON + HOUR)

    claims = [ledger.claim(first), ledger.claim(second)]

    assert claims == [True, False]
    assert ledger.window(first.window.id) == first


def test_of_fifty_starters_at_once_one_wins(ledger, feed):
    with ThreadPoolExecutor(50) as pool:
        claims = list(pool.map(ledger.claim, [planned(feed) for _ in range(50)]))

    assert claims.count(True) == 1


def test_an_unknown_window_is_none(ledger, feed):
    assert ledger.window(planned(feed).window.id) is None


def test_what_is_no_window_id_is_an_error(ledger):
    with pytest.raises(ValueError, match="window id"):
        ledger.window("nonsense")


def test_windows_are_listed_in_order_by_time_and_state(ledger, feed):
    rows = [planned(feed, NOON + hours * HOUR) for hours in (2, 0, 1)]
    for row in rows:
        ledger.claim(row)
    ledger.change(rows[0].window.id, lambda row: replace(row, state="closed"))

    assert [row.window.start for row in ledger.windows(feed)] == [NOON, NOON + HOUR, NOON + 2 * HOUR]
    assert [row.window.start for row in ledger.windows(feed, since=NOON + HOUR)] == [NOON + HOUR, NOON + 2 * HOUR]
    assert [row.window.start for row in ledger.windows(feed, states=("closed", "open"))] == [NOON + 2 * HOUR]
    assert ledger.windows(next(feeds)) == []


def test_changes_at_once_are_all_made(ledger, feed):
    row = planned(feed)
    ledger.claim(row)

    def longer(_):
        return ledger.change(row.window.id, lambda row: replace(row, reason=row.reason + "x"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(longer, range(8)))

    assert ledger.window(row.window.id).reason == "x" * 8


def test_a_change_of_none_keeps_the_row_and_answers_it(ledger, feed):
    row = planned(feed)
    ledger.claim(row)

    assert ledger.change(row.window.id, lambda _: None) == row
    assert ledger.change(planned(next(feeds)).window.id, lambda row: row) is None


def test_each_try_at_a_slice_gets_its_own_number(ledger, feed):
    part = Slice(planned(feed).window.id, 3, NOON, NOON + HOUR)

    with ThreadPoolExecutor(5) as pool:
        rows = list(pool.map(lambda _: ledger.begin_attempt(part, NOON), range(5)))

    assert sorted(row.attempt for row in rows) == [1, 2, 3, 4, 5]


def test_a_written_try_is_read_back_whole(ledger, feed):
    part = Slice(planned(feed).window.id, 0, NOON, NOON + HOUR)
    row = ledger.begin_attempt(part, NOON)
    done = replace(row, state="done", counts={"trades": {"read": 7}}, report={"long": "ü" * 100_000})

    ledger.write_attempt(done)

    assert ledger.attempts(part.window_id) == [done]


def test_a_ledger_that_does_not_answer_is_unavailable():
    service = TableServiceClient("http://127.0.0.1:9/account?sig=none", retry_total=0)
    with service, pytest.raises(Unavailable, match="ledger"):
        TableLedger(Tables(lambda: service)).claim(planned(next(feeds)))
