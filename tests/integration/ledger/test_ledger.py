"""The contract of the ledger: what holds for Azure Tables (Azurite) must hold for the fake."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from azure.data.tables import TableServiceClient

from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.clients.storage.fake import FakeLedger, FakeTables
from shared.clients.storage.tables import Tables
from shared.clients.storage.window_entities import slice_entity, window_entity
from shared.clients.storage.windows import TableLedger
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.window import Slice, Window
from shared.errors import CorruptRow, Unavailable
from tests.azurite import running_azurite
from tests.integration.jobs_client.peer import Answer, running_peer

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
HASTY = RetryPolicy(Timeouts(total=0.5, attempt=0.4, ordinary=Backoff(0.02, 0.1), throttled=Backoff(0.02, 0.1)))
feeds = (f"feed{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def tables_connection(tmp_path_factory):
    with running_azurite(tmp_path_factory.mktemp("azurite")) as connection:
        yield connection


@pytest.fixture(scope="module")
def tables(tables_connection):
    with TableServiceClient.from_connection_string(tables_connection, retry_total=0) as service:
        yield Tables(lambda: service)


@pytest.fixture(params=["fake", "tables"])
def store(request):
    return FakeTables() if request.param == "fake" else request.getfixturevalue("tables")


@pytest.fixture
def ledger(store):
    return TableLedger(store)


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


ODD_COLUMNS = {
    "a column is missing": {"state": None},
    "a state of another version": {"state": "draining"},
    "an origin of another version": {"origin": "queue"},
    "a time that is none": {"end": "soon"},
    "a time without a zone": {"end": "2026-11-22T13:00:00"},
    "an end before the start": {"end": "2026-11-22T11:00:00+00:00"},
    "a number for a text": {"reason": 7},
    "a text for a number": {"attempt": "two"},
    "a document that is none": {"plan_0": "[1]"},
    "half a document": {"plan_0": '{"rate":'},
    "a row of a newer version": {"version": 2},
}


@pytest.mark.parametrize("changes", ODD_COLUMNS.values(), ids=ODD_COLUMNS)
def test_a_window_that_cannot_be_read_is_named_and_hides_no_other(ledger, store, feed, changes):
    rows = [planned(feed, NOON + hours * HOUR) for hours in range(3)]
    for row in rows:
        ledger.claim(row)
    odd = {name: value for name, value in (window_entity(rows[1]) | changes).items() if value is not None}
    store.upsert("windows", odd)

    listed, newest = ledger.windows(feed), ledger.newest(feed, 9, now=NOON)

    assert listed == [rows[0], rows[2]]
    assert newest == [rows[2], rows[0]]
    assert [one.key for one in listed.unreadable] == [f"windows/{feed}/20261122T130000Z"]
    assert newest.unreadable == listed.unreadable
    with pytest.raises(CorruptRow, match=f"{feed}/20261122T130000Z"):
        ledger.window(rows[1].window.id)


def test_a_row_whose_key_is_no_time_is_named_wherever_it_stands_in_the_list(ledger, store, feed):
    row = planned(feed)
    ledger.claim(row)
    for key in ("10101T000000Z", "9990-11-22", "20261122T12"):
        store.upsert("windows", window_entity(row) | {"RowKey": key})

    newest = ledger.newest(feed, 9, now=NOON)

    assert newest == [row]
    assert [one.row for one in newest.unreadable] == ["9990-11-22", "20261122T12", "10101T000000Z"]


def test_a_try_that_cannot_be_read_is_named_and_its_number_is_not_given_again(ledger, store, feed):
    part = Slice(planned(feed).window.id, 3, NOON, NOON + HOUR)
    ledger.begin_attempt(part, NOON)
    odd = ledger.begin_attempt(part, NOON)
    store.upsert("slices", slice_entity(odd) | {"state": "waiting"})

    third = ledger.begin_attempt(part, NOON)

    tries = ledger.attempts(part.window_id)
    assert [row.attempt for row in tries] == [1, 3]
    assert third.attempt == 3
    assert [one.key for one in tries.unreadable] == [f"slices/{part.window_id}/0003-002"]


def test_windows_of_any_feed_that_are_planned_or_open_are_active(ledger, feed):
    other = next(feeds)
    for row in (planned(feed), planned(other, NOON + HOUR)):
        ledger.claim(row)
        ledger.claim(replace(planned(row.window.feed, NOON + 5 * HOUR), state="closed"))

    active = [row.window for row in ledger.active() if row.window.feed in (feed, other)]

    assert active == sorted([planned(feed).window, planned(other, NOON + HOUR).window])


def test_the_newest_windows_are_found_however_old_they_are_by_state_and_origin(ledger, feed):
    starts = [datetime(2001, 1, 1, tzinfo=UTC), NOON - 400 * HOUR, NOON - HOUR, NOON + 900 * HOUR]
    for start, state in zip(starts, ("open", "closed", "closed", "closed"), strict=True):
        ledger.claim(replace(planned(feed, start), state=state, origin="request" if state == "closed" else "timer"))

    def found(most, **which):
        return [row.window.start for row in ledger.newest(feed, most, now=NOON, **which)]

    assert found(9) == starts[::-1]
    assert found(2) == starts[:1:-1]
    assert found(2, before=NOON - HOUR) == starts[1::-1]
    assert found(1, before=datetime(2002, 1, 1, tzinfo=UTC)) == starts[:1]
    assert found(1, states=("open",)) == found(1, origin="timer") == starts[:1]


def test_more_windows_than_a_page_has_are_listed_newest_first(ledger, store, feed):
    minute, row = timedelta(minutes=1), planned(feed)
    entities = [window_entity(planned(feed, NOON - number * minute)) for number in range(1300)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda entity: store.upsert("windows", entity), entities))

    newest = ledger.newest(feed, 1200, now=NOON)

    assert [row.window.start for row in newest] == [NOON - number * minute for number in range(1200)]
    assert len(ledger.windows(feed)) == 1300
    assert row.window.start == newest[0].window.start


def test_an_ended_window_is_opened_again_once_and_what_ended_is_kept(ledger, feed):
    failed = replace(planned(feed), state="failed", reason="away", closed_at=NOON, result={"counts": {}})
    ledger.claim(failed)
    again = planned(feed, attempt=2)

    opened = [ledger.reopen(again), ledger.reopen(replace(again, claimed_at=NOON + HOUR))]

    assert opened == [True, False]
    assert ledger.window(again.window.id) == again
    assert ledger.ended_attempts(again.window.id) == [failed]


def test_of_callers_who_open_a_window_again_at_once_one_wins(ledger, feed):
    ledger.claim(replace(planned(feed), state="missed"))
    rows = [planned(feed, attempt=2, reason=f"by {number}") for number in range(8)]

    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(ledger.reopen, rows))

    assert opened.count(True) == 1
    assert ledger.window(rows[0].window.id) == rows[opened.index(True)]


@pytest.mark.parametrize("state", ["planned", "open", "closed"])
def test_a_window_that_goes_on_or_is_well_is_not_opened_again(ledger, feed, state):
    row = replace(planned(feed), state=state)
    ledger.claim(row)

    assert not ledger.reopen(planned(feed, attempt=2))
    assert ledger.window(row.window.id) == row
    assert ledger.ended_attempts(row.window.id) == []


def test_tries_are_numbered_on_over_the_attempts_of_a_window_and_listed_by_attempt(ledger, feed):
    part = Slice(planned(feed).window.id, 0, NOON, NOON + HOUR)

    tries = [ledger.begin_attempt(part, NOON, attempt) for attempt in (1, 1, 2)]

    assert [row.attempt for row in tries] == [1, 2, 3]
    assert ledger.attempts(part.window_id) == tries
    assert ledger.attempts(part.window_id, 2) == tries[2:]


def test_tries_at_one_slice_are_listed_alone(ledger, feed):
    window_id = planned(feed).window.id
    parts = [Slice(window_id, number, NOON, NOON + HOUR) for number in (1, 10, 11)]
    for part in parts:
        ledger.begin_attempt(part, NOON)

    found = ledger.attempts(window_id, number=1)

    assert [row.slice for row in found] == parts[:1]


def test_old_ended_windows_are_deleted_with_all_that_belongs_to_them_the_oldest_first(ledger, store, feed):
    for hours in range(5):
        row = planned(feed, NOON + hours * HOUR)
        ledger.claim(replace(row, state="planned" if hours == 1 else "failed"))
        for number in range(3):
            ledger.begin_attempt(Slice(row.window.id, number, NOON, NOON + HOUR), NOON)
    ledger.reopen(planned(feed, NOON, attempt=2))
    ledger.change(planned(feed).window.id, lambda row: replace(row, state="closed"))

    deleted = [ledger.purge(feed, NOON + 4 * HOUR, 2) for _ in range(3)]

    assert deleted == [2, 1, 0]
    assert [row.window.start for row in ledger.windows(feed)] == [NOON + HOUR, NOON + 4 * HOUR]
    assert (ledger.attempts(planned(feed).window.id), ledger.ended_attempts(planned(feed).window.id)) == ([], [])
    assert len(ledger.attempts(planned(feed, NOON + 4 * HOUR).window.id)) == 3


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
    done = replace(row, state="done", counts={"trades": {"read": 7}}, report={"long": "ü" * 70_000})

    ledger.write_attempt(done)

    assert ledger.attempts(part.window_id) == [done]


@pytest.fixture(params=["fake", "tables"])
def silent_ledger(request):
    """A ledger that does not answer."""
    if request.param == "fake":
        fake = FakeLedger()
        fake.failure = Unavailable("The ledger can't be reached.")
        yield fake
        return
    with TableServiceClient("http://127.0.0.1:9/account?sig=none", retry_total=0) as service:
        yield TableLedger(Tables(lambda: service, retry=HASTY))


@pytest.mark.parametrize(
    "verb",
    [
        lambda ledger, row: ledger.claim(row),
        lambda ledger, row: ledger.window(row.window.id),
        lambda ledger, row: ledger.windows(row.window.feed),
        lambda ledger, row: ledger.change(row.window.id, lambda row: row),
        lambda ledger, row: ledger.begin_attempt(Slice(row.window.id, 0, NOON, NOON + HOUR), NOON),
        lambda ledger, row: ledger.attempts(row.window.id),
        lambda ledger, row: ledger.reopen(row),
        lambda ledger, row: ledger.active(),
        lambda ledger, row: ledger.newest(row.window.feed, 1, now=NOON),
        lambda ledger, row: ledger.ended_attempts(row.window.id),
        lambda ledger, row: ledger.purge(row.window.feed, NOON, 1),
    ],
    ids=[
        *("claim", "window", "windows", "change", "begin_attempt", "attempts"),
        *("reopen", "active", "newest", "ended_attempts", "purge"),
    ],
)
def test_a_ledger_that_does_not_answer_is_unavailable(silent_ledger, verb):
    with pytest.raises(Unavailable, match="The ledger can't be reached"):
        verb(silent_ledger, planned(next(feeds)))


@pytest.fixture
def tables_of_peer(tables_connection):
    """Make the tables of an account at a peer."""

    def made(peer):
        parts = dict(part.split("=", 1) for part in tables_connection.rstrip(";").split(";"))
        there = ";".join(f"{name}={value}" for name, value in (parts | {"TableEndpoint": f"{peer.url}/a"}).items())
        return Tables(lambda: TableServiceClient.from_connection_string(there, retry_total=0), retry=HASTY)

    return made


def test_a_throttled_ledger_is_asked_again(tables_of_peer):
    throttled = Answer(503, b"", {"Retry-After": "0.05"})
    missing = Answer(404, b"{}", {"x-ms-error-code": "ResourceNotFound"})
    answers = (throttled, Answer(204, b""), throttled, Answer(500, b""), missing)
    with running_peer(*answers) as peer:
        assert TableLedger(tables_of_peer(peer)).window("trades-20261122T120000Z") is None

    assert len(peer.asked) == 5


@pytest.mark.parametrize("status", [401, 403])
def test_a_ledger_that_denies_access_is_unavailable_by_name(tables_of_peer, status):
    with running_peer(Answer(status, b"")) as peer, pytest.raises(Unavailable, match=rf"{status} .*connection string"):
        TableLedger(tables_of_peer(peer)).window("trades-20261122T120000Z")

    assert len(peer.asked) == 1


def test_a_claim_whose_answer_is_lost_is_not_made_again(tables_of_peer):
    with (
        running_peer(Answer(204, b""), Answer(hang_up=True)) as peer,
        pytest.raises(Unavailable, match="did not say whether it took a row"),
    ):
        TableLedger(tables_of_peer(peer)).claim(planned(next(feeds)))

    assert len(peer.asked) == 2
