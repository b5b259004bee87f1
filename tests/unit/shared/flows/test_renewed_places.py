"""The lookups of stores and promotions, read once and again when newer ones are there."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shared.clients.storage.fake import FakeReference
from shared.errors import Unavailable
from shared.feeds.lookup_files import parquet
from shared.flows.renewed import RENEW_EVERY
from shared.flows.renewed_places import renewed_places

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class World:
    """Lookups in memory; `made` are the tables of which places were made."""

    def __init__(self):
        self.now, self.made = NOON, []
        self.reference = FakeReference(lambda: self.now)
        self.places = renewed_places(self.reference, self.make, lambda: self.now)

    def make(self, stores, promotions):
        self.made.append((rows(stores), rows(promotions)))
        return self.made[-1]

    def write(self, day, stores, promotions):
        self.reference.write(f"stores/{day}.parquet", table(stores))
        self.reference.write(f"promotions_of_stores/{day}.parquet", table(promotions))


@pytest.fixture
def world():
    return World()


def rows(content):
    try:
        return pq.read_table(pa.BufferReader(content)).num_rows
    except pa.ArrowException as error:
        raise ValueError("no parquet") from error


def table(count):
    return parquet(pa.table({"n": list(range(count))}))


def test_without_lookups_a_batch_must_come_again(world):
    with pytest.raises(Unavailable, match="stores and promotions_of_stores yet"):
        world.places()


def test_lookups_are_read_once_until_newer_ones_are_there(world):
    world.write("20261121", 2, 3)
    first = [world.places(), world.places()]
    world.now += RENEW_EVERY
    same = world.places()
    world.write("20261122", 4, 5)
    early = world.places()
    world.now += RENEW_EVERY

    newer = world.places()

    assert (first, same, early, newer) == ([(2, 3)] * 2, (2, 3), (2, 3), (4, 5))
    assert world.made == [(2, 3), (4, 5)]


def test_newer_lookups_that_can_not_be_read_leave_those_before_in_use(world):
    world.write("20261121", 2, 3)
    world.places()
    world.now += RENEW_EVERY
    world.reference.write("stores/20261122.parquet", b"no parquet")

    spoilt = world.places()
    world.now += timedelta(hours=1)
    world.reference.failure = Unavailable("away")

    assert (spoilt, world.places()) == ((2, 3), (2, 3))


def test_storage_that_is_away_from_the_beginning_makes_the_batch_come_again(world):
    world.reference.failure = Unavailable("away")

    with pytest.raises(Unavailable, match="away"):
        world.places()
