import dataclasses
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from shared.feeds.payments import tables
from shared.feeds.payments.building import Sizes, build
from shared.feeds.payments.dealing import Step, deal_percent, deal_unit
from shared.feeds.payments.fragments import Kind
from shared.feeds.payments.pool import Pool

TINY = Sizes(accounts=32, places=32, addresses=32, amounts=8, tenures=8)


def test_the_same_seed_builds_the_same_pool():
    first, second, other = build(1, TINY), build(1, TINY), build(2, TINY)

    assert first.fingerprint == second.fingerprint != other.fingerprint


def test_a_pool_survives_the_journey_through_a_record_batch(pool):
    sink = pa.BufferOutputStream()
    batch = pool.to_batch()
    with pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)

    read = Pool.from_batch(pa.ipc.open_file(sink.getvalue()).get_batch(0))

    assert read.fingerprint == pool.fingerprint
    assert read.fragments.equals(pool.fragments)


@pytest.mark.parametrize("column", [field.name for field in dataclasses.fields(Pool)])
def test_a_changed_column_changes_the_fingerprint(pool, column):
    values = getattr(pool, column)

    changed = dataclasses.replace(pool, **{column: values[::-1] if isinstance(values, np.ndarray) else values[1:]})

    assert changed.fingerprint != pool.fingerprint


def test_a_batch_that_is_not_what_was_written_is_refused(pool):
    batch = pool.to_batch().replace_schema_metadata({"fingerprint": "another"})

    with pytest.raises(ValueError, match="written as 'another'"):
        Pool.from_batch(batch)


def test_a_batch_that_lacks_a_column_is_refused(pool):
    with pytest.raises(ValueError, match="no column 'bases'"):
        Pool.from_batch(pool.to_batch().drop_columns(["bases"]))


def test_shares_of_each_table_make_a_whole():
    assert sum(country.share for country in tables.COUNTRIES) == 100
    assert sum(share for *_, share in tables.WALLETS) == 100
    assert sum(share for _, share in tables.SECURITY_CHECKS) == 80
    assert sum(share for _, share in tables.CARTS) == 100
    assert sum(share for _, share in tables.REJECTS) == 100


def test_amounts_of_every_currency_are_positive(pool):
    first, last = int(pool.bases[Kind.UNITS]), int(pool.bases[Kind.HOUR])

    assert all(float(text) > 0 for text in pool.fragments[first:last].to_pylist())


def test_dealt_values_are_even_from_the_start():
    for stretch in (100, 1000, 10_000):
        assert abs(deal_unit(stretch, Step.COUNTRY).mean() - 0.5) < 1 / stretch**0.5 / 4
        assert abs(sum(deal_percent(3, stretch, Step.BLANK_STATE)) - stretch * 0.03) <= 3


def test_drawing_needs_no_faker():
    code = (
        "import sys; import shared.feeds.payments.feed, shared.clients.storage.pools; sys.exit('faker' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
