import dataclasses
import subprocess
import sys

import pytest

from shared.feeds.payments import tables
from shared.feeds.payments.building import Sizes, build
from shared.feeds.payments.fragments import Kind
from shared.feeds.payments.pool import PaymentColumns

TINY = Sizes(accounts=32, places=32, addresses=32, amounts=8, tenures=8)


def test_the_same_seed_builds_the_same_pool():
    first, second, other = build(1, sizes=TINY), build(1, sizes=TINY), build(2, sizes=TINY)

    assert first.fingerprint == second.fingerprint != other.fingerprint


def test_a_pool_that_lacks_a_column_is_refused(pool):
    columns = {name: column for name, column in pool.columns.items() if name != "bases"}

    with pytest.raises(ValueError, match="no column 'bases'"):
        PaymentColumns.of(dataclasses.replace(pool, columns=columns))


def test_shares_of_each_table_make_a_whole():
    assert sum(country.share for country in tables.COUNTRIES) == 100
    assert sum(share for *_, share in tables.WALLETS) == 100
    assert sum(share for _, share in tables.SECURITY_CHECKS) == 80
    assert sum(share for _, share in tables.CARTS) == 100
    assert sum(share for _, share in tables.REJECTS) == 100


def test_amounts_of_every_currency_are_positive(pool):
    columns = PaymentColumns.of(pool)
    first, last = int(columns.bases[Kind.UNITS]), int(columns.bases[Kind.HOUR])

    assert all(float(text) > 0 for text in columns.fragments[first:last].to_pylist())


def test_drawing_needs_no_faker():
    code = (
        "import sys; import shared.feeds.payments.feed, shared.clients.storage.pools; sys.exit('faker' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
