import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import numpy as np
import pytest

from shared.clients.storage.fake import FakeReference
from shared.clients.storage.pools import SharedPools
from shared.errors import FeedUnusable, Unavailable
from shared.feeds.drawing.pool import Pool
from shared.feeds.feed import Drawn

NAME = "visits-v2-s7.arrow"


class Builder:
    """Builds a pool of its own release, and counts."""

    def __init__(self, release=1):
        self.release, self.built = release, 0

    def __call__(self, seed, progress):
        progress("pages")
        self.built += 1
        return Pool(2, {"numbers": np.arange(seed * self.release, dtype=np.uint16)})


def drawn(builder):
    return Drawn(2, builder, draw=lambda pool: lambda position: {"visits": pool.columns["numbers"]}, seed=7)


def reference():
    return FakeReference(lambda: datetime(2026, 11, 22, tzinfo=UTC))


def test_the_first_start_builds_and_every_other_instance_reads(tmp_path):
    builder, shared = Builder(), reference()

    first = SharedPools(tmp_path / "one", shared).drawing("visits", drawn(builder))
    second = SharedPools(tmp_path / "two", shared).drawing("visits", drawn(builder))

    assert builder.built == 1
    assert first.fingerprint == second.fingerprint
    assert list(shared.blobs) == [f"pools/{NAME}"]


def test_an_upgrade_of_a_library_changes_nothing_for_a_version_that_has_a_pool(tmp_path):
    shared, upgraded = reference(), Builder(release=2)
    before = SharedPools(tmp_path / "one", shared).drawing("visits", drawn(Builder()))

    after = SharedPools(tmp_path / "two", shared).drawing("visits", drawn(upgraded))

    assert (after.fingerprint, upgraded.built) == (before.fingerprint, 0)


def test_of_two_that_build_at_once_both_take_the_pool_that_was_there_first(tmp_path):
    shared = reference()
    faster = SharedPools(tmp_path / "faster", shared)

    class Slower(Builder):
        def __call__(self, seed, progress):
            self.first = faster.drawing("visits", drawn(Builder()))
            return super().__call__(seed, progress)

    slower = Slower(release=2)
    second = SharedPools(tmp_path / "slower", shared).drawing("visits", drawn(slower))

    assert second.fingerprint == slower.first.fingerprint


def test_one_object_is_given_to_all_threads(tmp_path):
    builder = Builder()
    pools = SharedPools(tmp_path, reference())

    with ThreadPoolExecutor(4) as threads:
        given = set(threads.map(lambda _: id(pools.drawing("visits", drawn(builder))), range(8)))

    assert len(given) == 1
    assert builder.built == 1


def test_another_account_gets_this_machines_copy_instead_of_a_new_one(tmp_path):
    builder, other = Builder(), reference()
    SharedPools(tmp_path, reference()).drawing("visits", drawn(builder))

    SharedPools(tmp_path, other).drawing("visits", drawn(builder))

    assert builder.built == 1
    assert list(other.blobs) == [f"pools/{NAME}"]


def test_the_accounts_pool_goes_over_this_machines_copy(tmp_path):
    shared = reference()
    SharedPools(tmp_path / "elsewhere", shared).drawing("visits", drawn(Builder(release=1)))
    SharedPools(tmp_path / "here", reference()).drawing("visits", drawn(Builder(release=2)))

    here = SharedPools(tmp_path / "here", shared).drawing("visits", drawn(Builder(release=3)))

    assert here.fingerprint == SharedPools(tmp_path / "new", shared).drawing("visits", drawn(Builder())).fingerprint


def test_the_copy_serves_while_the_account_is_away(tmp_path, caplog):
    shared = reference()
    before = SharedPools(tmp_path, shared).drawing("visits", drawn(Builder()))
    shared.failure = Unavailable("The container reference did not answer.")

    during = SharedPools(tmp_path, shared).drawing("visits", drawn(Builder(release=2)))

    assert during.fingerprint == before.fingerprint
    assert any(record.message.startswith("pools.copy_used ") for record in caplog.records)


def test_without_a_copy_an_account_that_is_away_is_an_error_and_no_pool_of_ones_own(tmp_path):
    shared, builder = reference(), Builder()
    shared.failure = Unavailable("The container reference did not answer.")

    with pytest.raises(Unavailable, match="did not answer"):
        SharedPools(tmp_path, shared).drawing("visits", drawn(builder))

    assert builder.built == 0


def test_a_damaged_copy_is_rebuilt_and_that_is_logged(tmp_path, caplog):
    builder = Builder()
    (tmp_path / NAME).write_bytes(b"no Arrow file" * 99)

    SharedPools(tmp_path, reference()).drawing("visits", drawn(builder))

    assert builder.built == 1
    damaged = [record.levelno for record in caplog.records if record.message.startswith("pools.damaged ")]
    assert damaged == [logging.WARNING]


def test_a_damaged_pool_of_the_account_is_named_and_not_replaced(tmp_path):
    shared = reference()
    shared.write(f"pools/{NAME}", b"no Arrow file" * 99)

    with pytest.raises(FeedUnusable, match=f"pools/{NAME} in the container reference is damaged"):
        SharedPools(tmp_path, shared).drawing("visits", drawn(Builder()))


def test_a_pool_that_can_not_be_built_names_its_feed(tmp_path):
    def broken(seed, progress):
        raise KeyError("pages")

    with pytest.raises(
        FeedUnusable, match=r"The pool of feed visits can't be built: KeyError in test_pools.py, line \d+\.$"
    ):
        SharedPools(tmp_path, reference()).drawing("visits", drawn(broken))


def test_a_folder_that_can_not_be_written_is_no_obstacle(tmp_path, caplog):
    (tmp_path / "file").write_text("not a folder")

    drawing = SharedPools(tmp_path / "file" / "below", reference()).drawing("visits", drawn(Builder()))

    assert drawing.fingerprint
    assert any(record.message.startswith("pools.not_kept ") for record in caplog.records)


def test_no_partial_file_is_left(tmp_path):
    SharedPools(tmp_path, reference()).drawing("visits", drawn(Builder()))

    assert [path.name for path in tmp_path.iterdir()] == [NAME]
