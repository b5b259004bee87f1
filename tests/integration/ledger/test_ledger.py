"""The contract of the ledger: what holds for Azure Tables (Azurite) must hold for the fake."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from azure.data.tables import TableServiceClient

from emulators.testing import running_service
from shared.clients.retrying import Backoff, RetryPolicy, Timeouts
from shared.clients.storage.fake import FakeLedger
from shared.clients.storage.tables import Tables
from shared.clients.storage.windows import TableLedger
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.window import Slice, Window
from shared.errors import Unavailable
from tests.integration.jobs_client.peer import Answer, running_peer

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
HASTY = RetryPolicy(Timeouts(total=0.5, attempt=0.4, ordinary=Backoff(0.02, 0.1), throttled=Backoff(0.02, 0.1)))
feeds = (f"feed{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def tables_connection(tmp_path_factory):
    ports = ("--blob-port", 0, "--queue-port", 0, "--table-port", 0)
    with running_service("storage", "--location", tmp_path_factory.mktemp("azurite"), *ports) as addresses:
        yield addresses["connection_string"]


@pytest.fixture(scope="module")
def tables(tables_connection):
    with TableServiceClient.from_connection_string(tables_connection, retry_total=0) as service:
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
    ],
    ids=["claim", "window", "windows", "change", "begin_attempt", "attempts"],
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
