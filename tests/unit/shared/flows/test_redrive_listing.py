"""Listing a stream is dear when much is spilled: most messages must do without it, and be right after kills."""

from dataclasses import replace

import pytest

from tests.unit.shared.flows.spill_fakes import MINUTE, NEXT_WINDOW, SECOND, WINDOW, SpillWorld, events


class CountingWorld(SpillWorld):
    """The spill; listed: which prefixes were listed."""

    def __init__(self, after_dead="pass"):
        super().__init__(after_dead)
        self.listed, batches = [], self.spill.batches

        def counting(prefix="", states=()):
            self.listed.append(prefix)
            return batches(prefix, states)

        self.spill.batches = counting


@pytest.fixture
def world():
    return CountingWorld()


async def test_while_the_hub_is_away_the_messages_of_all_other_batches_list_nothing(world):
    world.hubs.fail_next("unavailable")
    for number in range(50):
        world.keep(number, events(f"{number:02d}"))

    await world.deliver()

    assert world.listed == ["trades/"]
    world.now += MINUTE
    await world.deliver()
    assert world.sent() == [f"{number:02d}" for number in range(50)]


async def test_the_messages_of_batches_that_another_message_redrove_list_nothing(world):
    for number in range(50):
        world.keep(number, events(f"{number:02d}"))
    world.keep(0, events("next"), window=NEXT_WINDOW)

    await world.deliver()

    assert world.listed == ["trades/", f"trades/{WINDOW}/", f"trades/{NEXT_WINDOW}/"]
    assert world.told == [WINDOW, NEXT_WINDOW]


async def test_what_is_kept_after_all_was_redriven_is_found(world):
    world.keep(0, events("a"))
    await world.deliver()

    world.keep(1, events("b"))
    await world.deliver()

    assert world.sent() == ["a", "b"]


async def test_what_is_kept_while_the_hub_is_away_is_sent_by_the_first_ones_reminder(world):
    world.hubs.fail_next("unavailable")
    world.keep(0, events("a"))
    await world.deliver()
    world.keep(1, events("b"))
    await world.deliver()
    assert world.sent() == []

    world.now += 30 * SECOND
    await world.deliver()

    assert world.sent() == ["a", "b"]


@pytest.mark.parametrize("state", ["dead", "discarded", "redriven"])
async def test_where_the_first_batch_does_not_wait_any_more_the_next_message_finds_the_second(world, state):
    world.hubs.fail_next("unavailable")
    first = world.keep(0, events("a"))
    await world.deliver()
    world.keep(1, events("b"))
    world.spill.mark(replace(first, state=state))

    await world.deliver()

    assert world.sent() == ["b"]


async def test_killed_after_its_first_batch_it_goes_on_by_its_own_message_which_names_that(world):
    for number in range(3):
        world.keep(number, events(f"{number}"))
    world.spill.queue.messages = world.spill.queue.messages[:1]
    read = world.spill.read

    def deadly(path):
        if "000001" in path:
            raise SystemError("killed")
        return read(path)

    world.spill.read = deadly
    await world.deliver(1)
    world.spill.read = read
    await world.drain()

    assert world.sent() == ["0", "1", "2"]


@pytest.mark.parametrize("verb", ["note_first", "mark", "remind"])
async def test_killed_while_it_leaves_a_batch_to_its_hub_it_comes_again(world, verb):
    world.hubs.fail_next("unavailable")
    world.keep(0, events("a"))
    world.keep(1, events("b"))
    world.spill.queue.messages = world.spill.queue.messages[:1]
    verbs, calls = getattr(world.spill, verb), iter(range(9))

    def killed(*arguments):
        if next(calls) == (1 if verb == "note_first" else 0):
            raise SystemError("killed")
        return verbs(*arguments)

    setattr(world.spill, verb, killed)
    await world.drain()

    assert (world.sent(), world.poison) == (["a", "b"], [])
