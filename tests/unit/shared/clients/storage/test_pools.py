import logging
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest

from shared.clients.storage.pools import FilePools, FixedPools, read_pool, write_pool
from shared.feeds.payments.feed import Payments
from shared.feeds.payments.pool import Pool


class CountingBuilder:
    """Makes a tiny pool, and counts."""

    def __init__(self):
        self.seeds = []

    def __call__(self, seed, *, progress):
        progress("accounts")
        self.seeds.append(seed)
        return _pool(seed)


@pytest.fixture
def builder():
    return CountingBuilder()


def test_the_first_start_builds_and_the_second_reads(tmp_path, builder):
    first = FilePools(tmp_path / "new", 5, builder).payments()
    second = FilePools(tmp_path / "new", 5, builder).payments()

    assert builder.seeds == [5]
    assert first.fingerprint == second.fingerprint


def test_one_object_is_given_to_all_threads(tmp_path, builder):
    pools = FilePools(tmp_path, 5, builder)

    with ThreadPoolExecutor(4) as threads:
        given = set(threads.map(lambda _: pools.payments(), range(8)))

    assert len(given) == 1
    assert builder.seeds == [5]


def test_another_seed_has_a_file_of_its_own(tmp_path, builder):
    first = FilePools(tmp_path, 1, builder).payments()
    second = FilePools(tmp_path, 2, builder).payments()

    assert first.fingerprint != second.fingerprint
    assert sorted(path.name for path in tmp_path.iterdir()) == ["payments-v1-s1.arrow", "payments-v1-s2.arrow"]


@pytest.mark.parametrize(
    "damage",
    [lambda data: b"", lambda data: data[:-500], lambda data: b"no Arrow file" * 99],
    ids=["empty", "cut", "foreign"],
)
def test_a_damaged_file_is_rebuilt_and_that_is_logged(tmp_path, builder, caplog, damage):
    path = FilePools(tmp_path, 5, builder).path
    write_pool(_pool(5), path)
    path.write_bytes(damage(path.read_bytes()))

    FilePools(tmp_path, 5, builder).payments()

    assert builder.seeds == [5]
    assert read_pool(path).fingerprint == _pool(5).fingerprint
    damaged = [record.levelno for record in caplog.records if record.message.startswith("pools.damaged ")]
    assert damaged == [logging.WARNING]


def test_a_flipped_bit_is_found(tmp_path, builder):
    path = tmp_path / "pool.arrow"
    write_pool(_pool(5), path)
    path.write_bytes(path.read_bytes().replace(b"fragment-5", b"fragment-4"))

    with pytest.raises(ValueError, match="fingerprint"):
        read_pool(path)


def test_a_folder_that_can_t_be_written_is_no_obstacle(tmp_path, builder, caplog):
    (tmp_path / "file").write_text("not a folder")

    payments = FilePools(tmp_path / "file" / "below", 5, builder).payments()

    assert payments.fingerprint == _pool(5).fingerprint
    assert any(record.message.startswith("pools.not_kept ") for record in caplog.records)


def test_no_partial_file_is_left(tmp_path):
    write_pool(_pool(5), tmp_path / "pool.arrow")

    assert [path.name for path in tmp_path.iterdir()] == ["pool.arrow"]


def test_fixed_pools_give_what_they_were_given():
    payments = Payments(_pool(1))

    assert FixedPools(payments).payments() is payments


def _pool(seed):
    numbers = np.arange(4, dtype=np.int32)
    codes = numbers.astype(np.uint8)
    return Pool(
        fragments=pa.array([b"fragment-%d" % seed, b"another"], pa.binary()),
        bases=numbers,
        accounts=numbers.astype(np.uint64),
        country_currency=numbers,
        country_slots=codes,
        address_first=numbers,
        address_count=numbers,
        address_key=codes,
        check_slots=codes,
        cart_slots=codes,
        keys=pa.array(["unk"]),
        zones=pa.array(["UTC"]),
    )
