from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.clients.storage.fake import FakeLedger, FakeReference
from shared.domain.windows.ledger_row import WindowRow
from shared.domain.windows.window import Slice, Window
from shared.errors import CorruptRow, Unavailable
from shared.flows.drain import ASK_AGAIN, PATH, DrainTools

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class App:
    """An app with one open window, whose clock the test sets."""

    def __init__(self):
        self.now, self.ledger = NOON, FakeLedger()
        self.reference = FakeReference(lambda: self.now)
        self.tools = DrainTools(self.reference, self.ledger, lambda: self.now)
        window = Window("payments", NOON, NOON + 10 * MINUTE)
        self.ledger.claim(WindowRow(window, "open", "timer", NOON))
        self.window_id = window.id

    def run_slice(self, number):
        part = Slice(self.window_id, number, NOON, NOON + 5 * MINUTE)
        return self.ledger.begin_attempt(part, self.now)


@pytest.fixture
def app():
    return App()


def test_while_there_is_a_drain_no_slice_begins_and_each_asks_again(app):
    app.tools.begin(10 * MINUTE)

    with pytest.raises(Unavailable, match=r"drained until 2026-11-22T12:10:00Z") as refused:
        app.tools.may_begin()

    assert refused.value.retry_after == ASK_AGAIN


def test_what_runs_is_shown_until_it_has_ended(app):
    row = app.run_slice(0)

    begun = app.tools.begin(10 * MINUTE)
    app.ledger.write_attempt(replace(row, state="done"))
    later = app.tools.look()

    assert [(one.slice.number, one.attempt) for one in begun.running] == [(0, 1)]
    assert later.running == []


def test_a_slice_whose_host_died_is_not_waited_for(app):
    app.run_slice(0)
    app.now = NOON + 2 * MINUTE

    assert app.tools.begin(10 * MINUTE).running == []


def test_a_drain_that_nobody_ends_ends_by_itself(app):
    app.tools.begin(10 * MINUTE)
    app.now = NOON + 10 * MINUTE

    app.tools.may_begin()

    assert app.tools.look().drain is None


def test_a_drain_that_is_ended_lets_slices_begin_at_once(app):
    app.tools.begin(10 * MINUTE)

    assert app.tools.end().drain is None
    app.tools.may_begin()


def test_a_second_request_moves_the_end_and_keeps_the_beginning(app):
    app.tools.begin(10 * MINUTE)
    app.now = NOON + 5 * MINUTE

    drain = app.tools.begin(10 * MINUTE).drain

    assert (drain.since, drain.until) == (NOON, NOON + 15 * MINUTE)


UNREADABLE = [
    b"",
    b"{}",
    b'{"since": 1, "until": 2}',
    b'{"since": "x", "until": "y"}',
    b'{"since": "2026-11-22T12:00:00", "until": "2026-11-22T13:00:00"}',
    b"[]",
]


@pytest.mark.parametrize("content", UNREADABLE)
def test_while_a_file_that_is_no_drain_lies_there_slices_wait_and_it_is_told(app, caplog, content):
    app.reference.write(PATH, content)

    with pytest.raises(
        Unavailable, match=r"drain\.json in the container reference can't be read .* end the drain"
    ) as met:
        app.tools.may_begin()

    assert (met.value.kind.may_pass, met.value.retry_after) == (True, ASK_AGAIN)
    assert [(line.levelname, line.getMessage().split()[0]) for line in caplog.records] == [
        ("ERROR", "drain.unreadable")
    ]


def test_slices_begin_once_a_file_that_is_no_drain_is_gone(app):
    app.reference.write(PATH, b"{}")

    app.tools.end()

    app.tools.may_begin()


def test_a_new_drain_takes_the_place_of_a_file_that_is_none(app):
    app.reference.write(PATH, b"{}")

    begun = app.tools.begin(10 * MINUTE)

    assert (begun.drain.since, begun.drain.until) == (NOON, NOON + 10 * MINUTE)


def test_a_file_that_is_no_drain_is_named_to_whoever_looks(app):
    app.reference.write(PATH, b"{}")

    with pytest.raises(CorruptRow, match="can't be read"):
        app.tools.look()
