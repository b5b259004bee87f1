"""Reference data of a drawn feed: written once, gone on with where it was broken off, never seen by halves."""

import json
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from shared.clients.storage.fake import FakeDrawnFiles
from shared.errors import Unavailable
from shared.feeds.drawing.pool import Pool
from shared.feeds.feed import Drawing, Drawn, DrawnReference, Feed, Stream
from shared.flows.reference_data import ROWS, TIME, ReferenceTools, draw_reference_data

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
POOL = Pool(1, {"word": pa.array(["a"])})


def lines(pool, numbers, options):
    return pa.array([f'{{"id":{number},"word":"{pool.columns["word"][0]}"}}\n' for number in numbers])


PEOPLE = DrawnReference("people", "people/people.json", ("PEOPLE",), lambda options: options["PEOPLE"], lines)
THINGS = DrawnReference("things", "things/thing_{number}.json", (), lambda options: options["THINGS"], lines)
FEED = Feed("zoo", (Stream("trades/1"),), Drawn(1, lambda *_: POOL, lambda _: None), references=(PEOPLE, THINGS))


class World:
    """A lake, and a clock that goes on by `step` each time it is looked at."""

    def __init__(self, people=3 * ROWS + 5, things=20, pool=POOL):
        self.files, self.now, self.step = FakeDrawnFiles(), NOON, timedelta()
        self.options, self.pool = {"PEOPLE": people, "THINGS": things}, pool

    def clock(self):
        self.now += self.step
        return self.now

    def draw(self, *references):
        drawing, feed = Drawing(self.pool, lambda _: {}), replace(FEED, references=references or FEED.references)
        tools = ReferenceTools(self.files, lambda *_: drawing, self.clock, {"zoo": feed}, {"zoo": self.options})
        draw_reference_data(tools)

    def ids(self, path="people/people.json"):
        return [json.loads(line)["id"] for line in self.files.files[path][1].splitlines()]


def test_a_file_has_a_line_for_each_number_and_small_files_one_each():
    world = World()

    world.draw()

    assert world.ids() == list(range(1, 3 * ROWS + 6))
    assert {path for path in world.files.files if path.startswith("things/")} == {
        f"things/thing_{number}.json" for number in range(1, 21)
    }
    assert world.ids("things/thing_7.json") == [7]


def test_what_is_there_is_not_written_again():
    world = World()
    world.draw()
    world.files.fail_after = 0

    world.draw()

    assert world.files.fail_after == 0
    assert len(world.ids()) == 3 * ROWS + 5


@pytest.mark.parametrize("writes", range(9))
def test_who_is_broken_off_anywhere_is_gone_on_with(writes):
    world = World(things=4)
    world.files.fail_after = writes
    world.draw()
    kept = {path: dict(blocks) for path, blocks in world.files.aside.items()}

    world.files.fail_after = None
    world.draw()

    assert world.ids() == list(range(1, 3 * ROWS + 6))
    assert len(world.files.files) == 1 + 4
    assert len(kept.get("people/people.json", {})) == (writes if writes <= 4 else 0)


def test_nobody_sees_a_half_of_a_file():
    world = World()
    world.files.fail_after = 3

    world.draw()

    assert "people/people.json" not in world.files.files


def test_what_is_kept_aside_is_not_drawn_again():
    world = World(things=0)
    world.files.fail_after = 3
    world.draw()
    world.files.fail_after = 2  # the last block, and the file

    world.draw()

    assert len(world.ids()) == 3 * ROWS + 5


def test_one_tick_works_no_longer_than_its_time_and_the_next_one_goes_on():
    world = World(people=10 * ROWS, things=3 * ROWS)
    world.step = TIME / 4

    ticks = 0
    while "people/people.json" not in world.files.files or len(world.files.files) < 1 + 3 * ROWS:
        world.draw()
        ticks += 1

    assert world.ids() == list(range(1, 10 * ROWS + 1))
    assert 4 <= ticks <= 12


def test_another_pool_or_size_takes_the_place_of_what_was_there():
    world = World()
    world.draw()

    world.pool = Pool(1, {"word": pa.array(["b"])})
    world.options = world.options | {"PEOPLE": 7}
    world.draw()

    assert world.ids() == list(range(1, 8))
    assert all(b'"b"' in content for _, content in world.files.files.values())


def test_more_small_files_are_added_to_those_that_are_there():
    world = World(things=3)
    world.draw()
    world.options = world.options | {"THINGS": 5}
    world.files.fail_after = 2

    world.draw()

    assert len(world.files.files) == 1 + 5


def test_none_at_all_is_an_empty_file():
    world = World(people=0, things=0)

    world.draw()

    assert world.files.files.keys() == {"people/people.json"}
    assert world.ids() == []


class Refusing(FakeDrawnFiles):
    """Storage that is away for one path."""

    def stage(self, path, edition, number, block):
        if path == "broken.json":
            raise Unavailable("It is away.")
        super().stage(path, edition, number, block)


class Forgetting(FakeDrawnFiles):
    """Storage that keeps nothing in the memory of this process."""

    def stage(self, path, edition, number, block):
        pass

    def commit(self, path, edition, blocks):
        pass


def test_a_reference_that_can_not_be_written_costs_no_other(caplog):
    world = World(people=ROWS)
    world.files = Refusing()

    world.draw(replace(PEOPLE, name="broken", path="broken.json"), PEOPLE)

    assert "reference.not_written" in caplog.text
    assert world.files.files.keys() == {"people/people.json"}


def test_memory_does_not_grow_with_the_size_of_a_file():
    world = World(people=30 * ROWS)
    world.files = Forgetting()
    tracemalloc.start()

    world.draw(replace(PEOPLE, lines=lambda _, numbers, __: pa.array(["x" * 500] * len(numbers))))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 4 * ROWS * 500
