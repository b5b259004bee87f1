"""The entities that payments are drawn from: the columns of their pool, by name and type."""

from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa

from shared.feeds.drawing.pool import Pool

VERSION = 1
"""To be raised by whoever changes what the builder makes or what is drawn from it."""

ACCOUNT = np.dtype([("home", "<u2"), ("wallet", "<u2"), ("tenure", "<u2"), ("country", "u1"), ("card", "u1")])
"""What an account keeps, in one word of memory: codes, and 1 for `card` where it pays by card."""


@dataclass(frozen=True, eq=False)
class PaymentColumns:
    """All that decides which payments are drawn; made by `building.build`.

    fragments: `pa.BinaryArray` of runs of JSON. bases: int32[kinds], the first fragment of each kind; those of a
    place's BILLING and HOME lie side by side, two numbers a place. accounts: uint64[accounts] to be viewed as
    `ACCOUNT`, most active first. country_currency: int32[countries]. country_slots: uint8 country codes repeated by
    share. address_first, address_count: int32[2 x countries], the addresses of country c outside (2c) and behind (2c +
    1) a proxy. address_key: uint8[addresses], code of the partition key in `keys`. check_slots: uint8, the first cart
    of a security check, repeated by share, the blank check last. cart_slots: uint8 codes repeated by share. zones: the
    countries' time zones.
    """

    fragments: pa.BinaryArray
    bases: np.ndarray
    accounts: np.ndarray
    country_currency: np.ndarray
    country_slots: np.ndarray
    address_first: np.ndarray
    address_count: np.ndarray
    address_key: np.ndarray
    check_slots: np.ndarray
    cart_slots: np.ndarray
    keys: pa.StringArray
    zones: pa.StringArray

    def as_pool(self) -> Pool:
        """Give the columns as a pool of this version."""
        return Pool(VERSION, {column.name: getattr(self, column.name) for column in fields(self)})

    @classmethod
    def of(cls, pool: Pool) -> "PaymentColumns":
        """Give the columns of a pool; raises ValueError where one is missing."""
        missing = [column.name for column in fields(cls) if column.name not in pool.columns]
        if missing:
            raise ValueError(f"the pool has no column {missing[0]!r}")
        return cls(**{column.name: pool.columns[column.name] for column in fields(cls)})
