"""A queue's message wakes the redriver: what it does when all is well, and in each way in which it is not."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.clients.storage.fake_spill import FakeSpill
from shared.domain.redriving import LONGEST_DELAY
from shared.errors import LoginRefused, SendFailed, ServiceRefused, Unavailable
from shared.flows.redrive import redrive
from shared.flows.redriver import REDRIVE_FOR
from tests.unit.shared.flows.spill_fakes import MINUTE, NEXT_WINDOW, NOON, SECOND, WINDOW, SpillWorld, events


@pytest.fixture
def world():
    return SpillWorld()


def messages(queue):
    return [(message.document()["path"], message.document()["tries"]) for message in queue.messages]


async def test_what_waits_is_sent_in_the_order_of_its_paths_whichever_message_comes_first(world):
    late = world.keep(0, events("c"), window=NEXT_WINDOW)
    for number, body in enumerate("ab"):
        world.keep(number, events(body))

    await redrive(world.tools, json.dumps({"version": 1, "path": late.path}).encode())

    assert world.sent() == ["a", "b", "c"]
    assert {batch.state for batch in world.spill.batches()} == {"redriven"}
    assert sorted(set(world.told)) == [WINDOW, NEXT_WINDOW]


async def test_the_messages_of_batches_that_another_message_redrove_send_nothing_again(world):
    for number, body in enumerate("abc"):
        world.keep(number, events(body))

    await world.deliver()

    assert world.sent() == ["a", "b", "c"]
    assert world.spill.queue.messages == []


async def test_events_arrive_as_they_were_with_key_or_partition_and_properties(world):
    spilled = [*events("a"), *events("b", key=None, partition="3"), *events("c", key=None)]
    world.keep(0, spilled)

    await world.deliver()

    assert world.hubs.received["trades"] == spilled


async def test_another_stream_is_left_alone(world):
    world.keep(0, events("a"))
    other = world.keep(0, events("b"), stream="surveys")
    world.spill.queue.messages.pop()

    await world.deliver()

    assert world.spill.batch(other.path).state == "waiting"


@pytest.mark.parametrize("failure", ["unavailable", "throttled", "unknown"])
async def test_while_the_hub_is_away_a_batch_waits_with_tries_and_reason_and_is_reminded_of_later(world, failure):
    world.hubs.fail_next(failure)
    batch = world.keep(0, events("a"))

    await world.deliver()

    waiting = world.spill.batch(batch.path)
    (reminder,) = world.spill.queue.messages
    assert (waiting.state, waiting.tries) == ("waiting", 1)
    assert "hub trades" in waiting.reason
    assert reminder.visible_at == NOON + 30 * SECOND
    assert world.told == []

    await world.drain()

    done = world.spill.batch(batch.path)
    assert (done.state, done.reason, done.tries) == ("redriven", "", 1)


async def test_reminders_grow_with_full_jitter_from_thirty_seconds_to_ten_minutes_and_no_message_is_ever_poison(world):
    world.hubs.fail_next("unavailable", 12)
    world.keep(0, events("a"))
    delays = []

    for _ in range(12):
        await world.deliver()
        delays.append((world.spill.queue.messages[-1].visible_at - world.now).total_seconds())
        world.now = world.spill.queue.messages[-1].visible_at

    assert delays[:6] == [30, 30, 60, 120, 240, 300]
    assert set(delays[6:]) == {300}
    assert world.poison == []


async def test_a_hub_that_asks_to_be_left_alone_is_not_asked_sooner_but_within_ten_minutes(world):
    world.hubs.retry_after = 77.0
    world.hubs.fail_next("throttled")
    world.keep(0, events("a"))

    await world.deliver()
    assert world.spill.queue.messages[0].visible_at == NOON + 77 * SECOND

    world.now, world.hubs.retry_after = NOON + 77 * SECOND, 7200.0
    world.hubs.fail_next("throttled")
    await world.deliver()
    assert world.spill.queue.messages[0].visible_at == world.now + LONGEST_DELAY


async def test_while_the_hub_is_away_the_messages_of_all_other_batches_do_not_ask_it_again(world):
    world.hubs.fail_next("unavailable")
    for number in range(50):
        world.keep(number, events(f"{number:02d}"))

    delivered = await world.deliver()

    assert delivered == 50
    assert world.sent() == []
    assert messages(world.spill.queue) == [(world.spill.batches()[0].path, 1)]

    world.now += MINUTE
    await world.deliver()
    assert world.sent() == [f"{number:02d}" for number in range(50)]


async def test_two_reminders_of_one_batch_ask_a_hub_that_is_away_once(world):
    world.hubs.fail_next("unavailable", 2)
    batch = world.keep(0, events("a"))
    world.spill.remind(batch)

    await world.deliver()

    assert messages(world.spill.queue) == [(batch.path, 1)]
    assert len(world.hubs._failures) == 1


async def test_a_batch_that_comes_before_those_that_wait_for_the_hub_is_tried_at_once(world):
    world.hubs.fail_next("unavailable")
    world.keep(5, events("b"))
    await world.deliver()

    world.keep(0, events("a"))
    await world.deliver()

    assert world.sent() == ["a", "b"]


async def test_what_waits_for_one_hub_of_a_stream_holds_up_no_batch_of_another(world):
    world.hubs.hubs, world.hubs.away = {"trades": 4, "second": 4}, {"trades"}
    world.keep(0, events("a"))
    world.keep(1, events("b"), hub="second")
    world.keep(2, events("c"))
    world.keep(3, events("d"), hub="second")

    await world.deliver()

    assert (world.sent(), world.sent("second")) == ([], ["b", "d"])
    assert [batch.hub for batch in world.spill.batches(states=["waiting"])] == ["trades", "trades"]
    assert WINDOW not in world.told
    world.hubs.away.clear()
    await world.drain()
    assert (world.sent(), world.sent("second")) == (["a", "c"], ["b", "d"])
    assert WINDOW in world.told


async def test_a_dead_batch_of_one_hub_holds_no_events_for_another():
    world = SpillWorld(after_dead="wait")
    world.hubs.hubs = {"trades": 4, "second": 4}
    world.blob(world.keep(0, events("a"))).content += b"\0"
    world.keep(1, events("b"), hub="second")
    world.keep(2, events("c"))

    await world.deliver()

    assert (world.sent(), world.sent("second")) == ([], ["b"])


async def test_a_login_that_is_refused_waits_long_and_is_logged_as_an_error(world, caplog):
    world.hubs.fail_next("unauthorized")
    batch = world.keep(0, events("a"))

    await world.deliver()

    waiting = world.spill.batch(batch.path)
    assert (waiting.state, waiting.tries) == ("waiting", 1)
    assert "fake-client" in waiting.reason
    assert world.spill.queue.messages[0].visible_at == NOON + LONGEST_DELAY
    (line,) = [record for record in caplog.records if "spill.login_refused" in record.message]
    assert line.levelname == "ERROR"


async def test_a_hub_that_was_deleted_makes_its_batches_dead_with_the_reason_and_those_of_another_hub_pass(world):
    gone = world.keep(0, events("a"), hub="old-trades")
    world.keep(1, events("b"))

    await world.deliver()

    dead = world.spill.batch(gone.path)
    assert (dead.state, dead.reason) == ("dead", "hub old-trades is not known")
    assert [document["path"] for document in world.spill.dead.documents()] == [gone.path]
    assert world.spill.dead.documents()[0]["reason"] == dead.reason
    assert world.sent() == ["b"]
    assert WINDOW in world.told


async def test_a_batch_that_was_changed_by_hand_is_dead_and_not_sent(world):
    changed = world.keep(0, events("a"))
    world.blob(changed).content += b"\0"
    world.keep(1, events("b"))

    await world.deliver()

    assert world.sent() == ["b"]
    assert world.spill.batch(changed.path).state == "dead"
    assert "SHA-256" in world.spill.batch(changed.path).reason


async def test_a_batch_of_a_newer_version_is_dead_and_named_so(world):
    newer = world.keep(0, events("a"), version=2)

    await world.deliver()

    assert world.sent() == []
    assert "version 2" in world.spill.batch(newer.path).reason
    assert world.spill.batch(newer.path).state == "dead"


async def test_a_message_of_a_newer_version_wakes_as_any_other(world):
    batch = world.keep(0, events("a"))
    world.spill.queue.messages.clear()

    await redrive(world.tools, json.dumps({"version": 9, "path": batch.path, "colour": "red"}).encode())

    assert world.sent() == ["a"]


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"[1]", b'{"version": 1}', b'{"version": 1, "path": "x"}', b"[" * 99999]
)
async def test_a_message_that_names_no_batch_is_dropped_and_logged_as_an_error(world, caplog, body):
    await redrive(world.tools, body)

    (line,) = caplog.records
    assert (line.levelname, "spill.message_unreadable" in line.message) == ("ERROR", True)


async def test_a_message_without_its_blob_is_told_with_its_records_and_is_done(world, caplog):
    batch = world.keep(0, events("a"))
    del world.spill.blobs.blobs[batch.path]

    await world.deliver()

    (dead,) = world.spill.dead.documents()
    assert (dead["path"], dead["feed"], dead["rows"]) == (batch.path, "trades", 2)
    assert "blob is gone" in dead["reason"]
    assert world.spill.queue.messages == []
    assert f"path={batch.path} rows=2" in caplog.text


async def test_a_blob_that_is_deleted_while_its_stream_is_redriven_is_told_and_costs_no_other(world):
    gone = world.keep(0, events("a"))
    world.keep(1, events("b"))
    read = world.spill.read
    world.spill.read = lambda path: None if path == gone.path else read(path)

    await world.deliver()

    assert world.sent() == ["b"]
    assert world.spill.dead.documents()[0]["path"] == gone.path


async def test_what_the_hub_refuses_is_split_off_as_dead_with_the_hubs_words_and_the_rest_is_sent(world):
    world.hubs.limit = 10
    world.keep(3, events("a", "x" * 11, "b"), events("c", key="ETH"))

    await world.deliver()

    assert world.sent() == ["a", "b", "c"]
    assert world.states() == {"000003": ("redriven", 6), "000003-refused": ("dead", 2)}
    (dead,) = world.spill.dead.documents()
    assert "over 10" in dead["reason"]


async def test_a_batch_that_is_refused_whole_is_dead_itself(world):
    world.hubs.fail_next("refused")
    world.keep(0, events("a", "b"))

    await world.deliver()

    assert world.states() == {"000000": ("dead", 4)}


async def test_a_refused_part_that_is_redriven_later_is_sent_once(world):
    world.hubs.limit = 10
    world.keep(0, events("a", "x" * 11))
    await world.deliver()

    world.hubs.limit = 1_000
    (part,) = world.spill.batches(states=("dead",))
    world.spill.mark(replace(part, state="waiting"))
    world.spill.remind(part)
    await world.deliver()

    assert world.sent() == ["a", "x" * 11]
    assert world.states() == {"000000": ("redriven", 2), "000000-refused": ("redriven", 2)}


async def test_after_a_dead_batch_later_events_of_its_keys_pass_where_the_setting_says_pass(world):
    world.hubs.limit = 10
    world.keep(0, events("x" * 11), events("a", key="ETH"))
    world.keep(1, events("b"), events("c", key="ETH"))

    await world.deliver()

    assert world.sent() == ["a", "b", "c"]


async def test_after_a_dead_batch_later_events_of_its_keys_wait_where_the_setting_says_wait_and_others_pass():
    world = SpillWorld("wait")
    world.hubs.limit = 10
    world.keep(0, events("x" * 11), events("a", key="ETH"))
    world.keep(1, events("b"), events("c", key="ETH"))
    world.keep(2, events("d"))

    await world.deliver()

    assert world.sent() == ["a", "c"]
    dead, held, whole = (
        world.spill.batch(path)
        for path in sorted(batch.path for batch in world.spill.batches() if batch.state != "redriven")
    )
    assert (dead.state, held.waits_for, whole.waits_for) == ("dead", dead.path, dead.path)
    assert dead.path in held.reason
    assert world.told == []
    assert world.spill.queue.messages == []


@pytest.mark.parametrize("end", ["discarded", "waiting"])
async def test_what_waits_for_a_dead_batch_goes_on_in_order_when_that_is_discarded_or_redriven(end):
    world = SpillWorld("wait")
    world.hubs.limit = 10
    world.keep(0, events("x" * 11), events("a", key="ETH"))
    world.keep(1, events("b"), events("c", key="ETH"))
    world.keep(2, events("d"))
    await world.deliver()

    world.hubs.limit = 1_000
    (dead,) = world.spill.batches(states=("dead",))
    world.spill.mark(replace(dead, state=end))
    world.spill.remind(dead)
    await world.deliver()

    assert world.sent() == ["a", "c", *(["x" * 11] if end == "waiting" else []), "b", "d"]
    assert {batch.state for batch in world.spill.batches()} <= {"redriven", "discarded"}
    assert {batch.waits_for for batch in world.spill.batches()} == {""}
    assert set(world.told) == {WINDOW}


async def test_a_dead_batch_that_nobody_can_read_may_have_any_key_so_all_later_ones_wait_for_it():
    world = SpillWorld("wait")
    world.keep(1, events("a"))
    world.blob(world.spill.batches()[0]).content = b"changed"
    world.keep(2, events("b", key="ETH"))
    world.keep(0, events("c"))

    await world.deliver()

    assert world.sent() == ["c"]
    assert world.states() == {"000000": ("redriven", 2), "000001": ("dead", 2), "000002": ("waiting", 2)}


async def test_what_is_in_no_order_waits_for_nothing():
    world = SpillWorld("wait")
    world.hubs.limit = 10
    world.keep(0, events("x" * 11, key=None))
    world.keep(1, events("a", key=None))

    await world.deliver()

    assert world.sent() == ["a"]


async def test_when_time_is_up_the_next_batch_is_reminded_of_at_once(world):
    for number in range(5):
        world.keep(number, events(f"{number}"))
    world.spill.queue.messages = world.spill.queue.messages[:1]
    read = world.spill.read

    def slow(path):
        world.now += REDRIVE_FOR / 2
        return read(path)

    world.spill.read = slow
    await world.deliver(1)

    assert world.sent() == ["0", "1"]
    (reminder,) = world.spill.queue.messages
    assert reminder.document()["path"] == world.spill.batches(states=("waiting",))[0].path
    assert reminder.visible_at == world.now

    await world.drain()
    assert world.sent() == ["0", "1", "2", "3", "4"]


async def test_of_two_redrivers_one_works_and_the_message_of_the_other_is_put_off(world):
    batch = world.keep(0, events("a"))

    with world.spill.lock("trades") as lock:
        assert lock is not None
        await world.deliver()
        assert world.sent() == []
        (put_off,) = world.spill.queue.messages
        assert (put_off.document()["path"], put_off.visible_at) == (batch.path, NOON + 90 * SECOND)

    await world.drain()
    assert world.sent() == ["a"]


async def test_two_redrivers_side_by_side_send_each_batch_once(world):
    for number in range(20):
        world.keep(number, events(f"{number:02d}"))
    texts = [message.text.encode() for message in world.spill.queue.messages[:2]]

    await asyncio.gather(*(redrive(world.tools, text) for text in texts))

    assert world.sent() == [f"{number:02d}" for number in range(20)]


async def test_a_reminder_out_of_date_that_is_put_off_stays_out_of_date(world):
    world.hubs.fail_next("unavailable")
    batch = world.keep(0, events("a"))
    await world.deliver()
    world.spill.queue.messages.clear()

    with world.spill.lock("trades"):
        await redrive(world.tools, json.dumps({"version": 1, "path": batch.path, "tries": 0}).encode())

    assert messages(world.spill.queue) == [(batch.path, 0)]


async def test_a_redriver_whose_lock_was_lost_sends_no_further_batch(world):
    for number, body in enumerate("ab"):
        world.keep(number, events(body))
    read = world.spill.read

    def slow(path):
        world.now += 2 * MINUTE - SECOND
        world.spill.blobs.lease("trades/.lock", "another")
        return read(path)

    world.spill.read = slow
    with pytest.raises(Unavailable):
        await redrive(world.tools, world.spill.queue.messages[0].text.encode())

    assert world.sent() == ["a"]


async def test_killed_between_the_send_and_the_mark_it_sends_again(world):
    world.keep(0, events("a"))
    mark = world.spill.mark
    world.spill.mark = dying(1, mark)

    await world.deliver()
    assert (world.sent(), world.states()) == (["a"], {"000000": ("waiting", 2)})

    world.now += MINUTE
    await world.deliver()
    assert (world.sent(), world.states()) == (["a", "a"], {"000000": ("redriven", 2)})


@pytest.mark.parametrize("verb", ["keep", "bury", "mark"])
@pytest.mark.parametrize("call", [1, 2, 3])
async def test_killed_anywhere_while_a_batch_is_split_it_loses_nothing_and_counts_nothing_twice(verb, call):
    world = SpillWorld("wait")
    world.hubs.limit = 10
    world.keep(0, events("x" * 11, "y" * 11), events("a", key="ETH"))
    world.keep(1, events("b"), events("c", "z" * 12, key="ETH"))
    setattr(world.spill, verb, dying(call, getattr(world.spill, verb)))

    await world.drain()

    assert set(world.sent()) == {"a", "c"}
    assert world.states() == {
        "000000": ("redriven", 2),
        "000000-refused": ("dead", 4),
        "000001": ("redriven", 2),
        "000001-held": ("waiting", 2),
        "000001-refused": ("dead", 2),
    }


def dying(call, verb):
    """Make a verb of the spill die at its nth call, before it does anything."""
    calls = iter(range(1, 1_000))

    def dies(*arguments):
        if next(calls) == call:
            raise RuntimeError("killed")
        return verb(*arguments)

    return dies


async def test_where_the_reminder_can_not_be_written_the_message_itself_comes_again(world):
    world.hubs.fail_next("unavailable")
    batch = world.keep(0, events("a"))
    world.spill.queue.most = 1

    await world.deliver()
    assert world.spill.batch(batch.path).tries == 0
    assert len(world.spill.queue.messages) == 1

    world.now += MINUTE
    await world.deliver()
    assert world.sent() == ["a"]


@pytest.mark.parametrize("failure", [Unavailable("Storage is away."), LoginRefused("No role.")])
async def test_where_storage_is_away_the_message_comes_again(world, failure):
    world.keep(0, events("a"))
    text = world.spill.queue.messages[0].text.encode()
    world.spill.failure = failure

    with pytest.raises(type(failure)):
        await redrive(world.tools, text)


async def test_where_a_drained_window_can_not_be_told_of_it_is_again(world):
    world.keep(0, events("a"))
    world.untold = [SendFailed("hub trades is away")]

    await world.deliver()
    assert world.told == []

    world.now += MINUTE
    await world.deliver()
    assert (world.told, world.sent(), world.spill.queue.messages) == ([WINDOW], ["a"], [])


async def test_a_window_that_can_never_be_told_of_is_not_tried_for_ever(world, caplog):
    world.keep(0, events("a"))
    world.untold = [ServiceRefused("no such hub")]

    await world.deliver()

    assert world.spill.queue.messages == []
    assert "spill.not_told" in caplog.text


async def test_a_window_is_told_of_when_the_last_of_its_batches_is_settled(world):
    world.keep(0, events("a"))
    last = world.keep(1, events("b"))
    world.spill.queue.messages.pop()
    read = world.spill.read
    world.spill.read = lambda path: read(path) if path != last.path else fail(Unavailable("away"))

    with pytest.raises(Unavailable):
        await redrive(world.tools, world.spill.queue.messages[0].text.encode())
    assert world.told == []

    world.spill.read = read
    await world.deliver()
    assert world.told == [WINDOW]


def fail(error):
    raise error


async def test_what_was_discarded_while_it_was_sent_counts_as_redriven(world):
    batch = world.keep(0, events("a"))
    world.spill.queue.messages[0].visible_at = NOON
    read = world.spill.read

    def discarding(path):
        FakeSpill.mark(world.spill, replace(batch, state="discarded", reason="not needed"))
        return read(path)

    world.spill.read = discarding
    await world.deliver()

    assert (world.sent(), world.states()) == (["a"], {"000000": ("redriven", 2)})


def test_a_call_is_over_well_before_the_host_would_end_it():
    assert REDRIVE_FOR + timedelta(minutes=3) <= timedelta(minutes=10)
