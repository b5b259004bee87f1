"""Whoever waits for a window's spill is told when that is drained, however the redriver ends and whoever fails."""

import pytest

from shared.domain.failures import FailureKind
from shared.domain.redriving import LONGEST_DELAY
from shared.errors import SendFailed, Unavailable
from shared.flows.redrive import redrive
from tests.unit.shared.flows.spill_fakes import MINUTE, NEXT_WINDOW, NOON, WINDOW, SpillWorld, events

THIRD_WINDOW = "trades-20261122T130000Z"
AWAY = SendFailed("hub trades is away", kind=FailureKind.UNAVAILABLE)


@pytest.fixture
def world():
    return SpillWorld()


def failing_at(world, path):
    """Let reading one batch fail; gives what mends it."""
    read = world.spill.read

    def broken(asked):
        if asked == path:
            raise Unavailable("Storage is away.")
        return read(asked)

    world.spill.read = broken
    return lambda: setattr(world.spill, "read", read)


async def test_windows_that_were_drained_before_a_later_batch_failed_are_told_of(world):
    world.keep(0, events("a"))
    world.keep(0, events("b"), window=NEXT_WINDOW)
    last = world.keep(0, events("c"), window=THIRD_WINDOW)
    mend = failing_at(world, last.path)

    with pytest.raises(Unavailable):
        await redrive(world.tools, world.spill.queue.messages[0].text.encode())
    assert world.told == [WINDOW, NEXT_WINDOW]

    mend()
    await world.drain()
    assert world.told == [WINDOW, NEXT_WINDOW, THIRD_WINDOW]


async def test_windows_that_were_drained_before_the_lock_was_lost_are_told_of(world):
    world.keep(0, events("a"))
    last = world.keep(0, events("b"), window=NEXT_WINDOW)
    read = world.spill.read

    def losing(path):
        if path != last.path:
            world.now += 2 * MINUTE
            world.spill.blobs.lease("trades/.lock", "another")
            world.now -= MINUTE
        return read(path)

    world.spill.read = losing
    with pytest.raises(Unavailable):
        await redrive(world.tools, world.spill.queue.messages[0].text.encode())

    assert (world.sent(), world.told) == (["a"], [WINDOW])


async def test_a_message_without_its_blob_tells_of_its_window(world):
    batch = world.keep(0, events("a"))
    del world.spill.blobs.blobs[batch.path]

    await world.drain()

    assert world.told == [WINDOW]


async def test_a_message_without_its_blob_tells_nothing_while_more_of_the_window_waits(world):
    gone, _ = world.keep(0, events("a")), world.keep(1, events("b"))
    del world.spill.blobs.blobs[gone.path]

    await world.deliver(1)

    assert (world.told, world.states()) == ([], {"000001": ("waiting", 2)})


async def test_a_fault_in_telling_is_logged_as_an_error_and_makes_no_message_poison(world, caplog):
    world.keep(0, events("a"))
    world.keep(0, events("b"), window=NEXT_WINDOW)
    world.untold = [KeyError("streams")]

    await world.drain()

    (line,) = [record for record in caplog.records if "spill.not_told" in record.message]
    assert (line.levelname, world.poison, world.told) == ("ERROR", [], [NEXT_WINDOW])


async def test_telling_stops_at_the_first_failure_that_may_pass_and_goes_on_by_a_message_for_each_window_left(world):
    for window in (WINDOW, NEXT_WINDOW, THIRD_WINDOW):
        world.keep(0, events("a"), window=window)
    world.spill.queue.messages = world.spill.queue.messages[:1]
    world.untold = [AWAY]

    await world.deliver()

    assert world.told == []
    messages = world.spill.queue.documents()
    assert [(one["path"].split("/")[1], one["tellings"]) for one in messages] == [
        (WINDOW, 1),
        (NEXT_WINDOW, 1),
        (THIRD_WINDOW, 1),
    ]
    await world.drain()
    assert world.told == [WINDOW, NEXT_WINDOW, THIRD_WINDOW]


async def test_a_window_that_can_not_be_told_of_for_long_is_tried_less_and_less_often(world):
    world.keep(0, events("a"))
    world.untold = [AWAY] * 7
    delays = []

    for _ in range(7):
        await world.deliver()
        (message,) = world.spill.queue.messages
        delays.append(message.visible_at - world.now)
        world.now = message.visible_at
    await world.deliver()

    assert delays == [MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE, *[LONGEST_DELAY] * 3]
    assert (world.told, world.spill.queue.messages) == ([WINDOW], [])


async def test_windows_are_told_of_when_the_lock_is_free_again(world):
    world.keep(0, events("a"))
    free = []

    async def tell(_):
        with world.spill.lock("trades") as lock:
            free.append(lock is not None)

    world._tell = tell
    await world.deliver()

    assert free == [True]


async def test_where_no_message_can_be_written_either_telling_is_left_to_housekeeping(world, caplog):
    world.keep(0, events("a"))
    text = world.spill.queue.messages.pop().text
    world.untold = [AWAY]
    world.spill.queue.most = 0

    await redrive(world.tools, text.encode())

    assert world.states() == {"000000": ("redriven", 2)}
    assert "QueueFull" in caplog.text


async def test_the_next_batch_is_reminded_of_when_the_lock_is_free_again(world):
    for number in range(3):
        world.keep(number, events(f"{number}"))
    world.spill.queue.messages = world.spill.queue.messages[:1]
    read, remind, free = world.spill.read, world.spill.remind, []

    def slow(path):
        world.now += 2 * MINUTE
        return read(path)

    def reminding(*arguments):
        free.append(world.spill.blobs.blobs["trades/.lock"].leased_until is None)
        remind(*arguments)

    world.spill.read, world.spill.remind = slow, reminding
    await world.drain()

    assert (world.sent(), free) == (["0", "1", "2"], [True, True])
    assert world.now < NOON + 7 * MINUTE
