"""Which batches are due, which messages count, and which events wait."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.delivery import Event
from shared.domain.redriving import (
    DIED,
    LONGEST_DELAY,
    MESSAGE_TRUSTED,
    DeadKeys,
    after_death,
    drained_windows,
    due_batches,
    first_due,
    is_due,
    keys_of,
    of_hub,
    overdue,
    split,
)
from shared.domain.spill import SpilledBatch, SpillMessage, batch_path, part_path

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
WINDOW = "trades-20261122T110000Z"


def batch(number=0, stream="trades", hub="trades", **values):
    return SpilledBatch(batch_path(stream, f"{WINDOW}/7.1", number), "trades", hub, 5, 2, "ab", NOON, **values)


def event(key=None, partition=None):
    return Event(b"{}", 1, {}, key, partition)


def test_what_waits_is_due_in_the_order_of_paths():
    batches = [batch(2), batch(0), batch(1, state="dead"), batch(3, state="redriven"), batch(4, state="discarded")]

    assert [one.path for one in due_batches(batches, "pass")] == [batch(0).path, batch(2).path]


@pytest.mark.parametrize(
    ("after_dead", "state", "is_among_them"),
    [("wait", "dead", False), ("wait", "discarded", True), ("wait", "waiting", True), ("pass", "dead", True)],
)
def test_what_waits_for_a_dead_batch_is_due_when_that_is_dead_no_more(after_dead, state, is_among_them):
    first = batch(0, state=state)
    held = batch(1, waits_for=first.path)

    assert (held in due_batches([first, held], after_dead)) is is_among_them


def test_each_hub_of_a_stream_has_a_batch_that_is_due_first():
    batches = [batch(0, hub="a", state="redriven"), batch(1, hub="a"), batch(2, hub="b"), batch(3, hub="a")]
    other = batch(0, stream="ura", hub="ura")

    assert first_due([*batches, other], "pass") == [batches[1], batches[2], other]


def test_a_dead_batch_of_one_hub_holds_up_none_of_another_but_one_whose_hub_nobody_can_read_may():
    of_a, of_b, unread = batch(0, hub="a", state="dead"), batch(1, hub="b"), batch(2, hub="", state="dead")

    assert of_hub([of_a, of_b, unread], "b") == [of_b, unread]


def test_any_message_counts_while_the_first_batch_was_never_met_by_a_hub_that_is_away():
    assert is_due(SpillMessage(batch(5).path, tries=3), batch(0))


@pytest.mark.parametrize(
    ("message", "counts"),
    [
        (SpillMessage(batch(0).path, tries=2), True),
        (SpillMessage(batch(0).path, tries=1), False),
        (SpillMessage(batch(0).path, tries=3), False),
        (SpillMessage(batch(1).path, tries=2), False),
    ],
)
def test_while_the_hub_is_away_only_the_last_reminder_of_the_first_batch_counts(message, counts):
    assert is_due(message, batch(0, tries=2)) is counts


def test_the_first_dead_batch_that_shares_a_key_is_the_one_that_is_waited_for():
    dead = [
        DeadKeys(batch(2).path, frozenset({(None, "ETH")})),
        DeadKeys(batch(1).path, frozenset({(None, "BTC")})),
        DeadKeys(batch(0).path, frozenset({("3", None)})),
    ]
    events = [event("BTC"), event("SOL"), event("ETH"), event(partition="4")]

    parts = split(batch(5).path, events, dead)

    assert parts.sendable == (events[1], events[3])
    assert parts.held == (events[0], events[2])
    assert parts.waits_for == batch(1).path


def test_a_later_dead_batch_and_a_part_of_the_same_batch_hold_nothing_back():
    keys = frozenset({(None, "BTC")})
    dead = [DeadKeys(batch(6).path, keys), DeadKeys(part_path(batch(5).path, "refused"), keys)]

    assert split(batch(5).path, [event("BTC")], dead).held == ()


def test_a_dead_batch_that_nobody_can_read_holds_everything_back():
    parts = split(batch(5).path, [event("BTC"), event()], [DeadKeys(batch(1).path, None)])

    assert (parts.sendable, parts.waits_for) == ((), batch(1).path)


@given(st.lists(st.sampled_from(["BTC", "ETH", None])), st.lists(st.sets(st.sampled_from(["BTC", "ETH"]))))
def test_a_split_keeps_each_event_once_and_in_order(keys, dead_keys):
    events = [event(key) for key in keys]
    dead = [DeadKeys(batch(n).path, frozenset((None, key) for key in own)) for n, own in enumerate(dead_keys)]

    parts = split(batch(99).path, events, dead)

    blocked = set().union(*dead_keys)
    assert list(parts.sendable) == [one for one in events if one.partition_key not in blocked]
    assert list(parts.held) == [one for one in events if one.partition_key in blocked]
    assert bool(parts.waits_for) is bool(parts.held)


def test_an_event_in_no_order_has_no_key():
    assert keys_of([event(), event("BTC"), event(partition="3")]) == {(None, "BTC"), ("3", None)}


def test_each_streams_first_batch_is_reminded_of_at_once_where_there_is_no_message():
    batches = [batch(1), batch(0), batch(0, stream="gps"), batch(1, stream="gps", state="dead")]

    assert overdue(batches, NOON + MESSAGE_TRUSTED, 0, "pass") == [
        (batch(0, stream="gps"), timedelta()),
        (batch(0), timedelta()),
    ]


def test_where_there_are_messages_the_reminder_is_as_late_as_any_other():
    assert overdue([batch()], NOON + MESSAGE_TRUSTED, 1, "pass") == [(batch(), LONGEST_DELAY)]


def test_a_young_batch_and_one_that_waits_for_a_dead_one_are_not_reminded_of():
    young, dead = batch(0, stream="gps"), batch(0, state="dead")
    held = batch(1, waits_for=dead.path)
    later = NOON + MESSAGE_TRUSTED - timedelta(seconds=1)

    assert overdue([young], later, 0, "wait") == []
    assert overdue([dead, held], NOON + MESSAGE_TRUSTED, 0, "wait") == []


def test_what_the_function_died_of_is_tried_once_more_and_then_dead():
    first = after_death(replace(batch(), reason="hub away", tries=3))
    second = after_death(first)

    assert (first.state, first.reason, first.tries) == ("waiting", DIED, 3)
    assert (second.state, second.reason) == ("dead", DIED)


@pytest.mark.parametrize(
    ("waits", "found"),
    [((), [WINDOW]), (("trades",), [WINDOW]), (("trades.cosmos",), [WINDOW]), (("trades", "trades.cosmos"), [])],
)
def test_a_window_is_drained_where_nothing_waits_for_its_hubs_or_nothing_for_cosmos(waits, found):
    streams = ("trades", "trades.cosmos")
    kept = [SpilledBatch(batch_path(one, f"{WINDOW}/0.1", 0), "trades", "h", 1, 1, "ab", NOON) for one in streams]

    batches = [one if one.stream in waits else replace(one, state="redriven") for one in kept]

    assert drained_windows(batches) == found
