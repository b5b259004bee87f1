"""Chooses which entities meet in each payment, block by block, from a seed of the block's own."""

from dataclasses import dataclass

import numpy as np

from shared.feeds.drawing.blocks import BLOCK
from shared.feeds.drawing.sampling import below, random_rows
from shared.feeds.payments import tables
from shared.feeds.payments.fragments import HOURS, Kind
from shared.feeds.payments.pool import ACCOUNT, PaymentColumns

_RANDOM = np.dtype(
    [
        ("account", "<u4"),
        ("address", "<u4"),
        ("amount", "<u2"),
        ("check", "<u2"),
        ("cart", "<u2"),
        ("proxy", "<u2"),
        ("far", "<u2"),
        ("hour", "<u2"),
        ("unused", "<u4"),
    ]
)
_VALUES = 1 << 16
_PROXY_BELOW = _VALUES * tables.PROXY_PERCENT // 100
_NO_HOUR_BELOW = _VALUES // 25  # as often as each of the 24 hours


@dataclass(frozen=True, slots=True)
class Choices:
    """The entities of n payments.

    fragments: int32[n, kinds], numbers into the pool's fragments; that of the hour stands for an unknown one. country:
    uint8[n], the account's. hour_known: bool[n]. keys: int32[n], codes into the pool's keys.
    """

    fragments: np.ndarray
    country: np.ndarray
    hour_known: np.ndarray
    keys: np.ndarray

    def slice(self, start: int, stop: int) -> "Choices":
        """Give the payments `[start, stop)` without copying them."""
        return Choices(*(column[start:stop] for column in self.columns()))

    @classmethod
    def join(cls, parts: "list[Choices]") -> "Choices":
        """Put parts in a row."""
        return cls(*map(np.concatenate, zip(*(part.columns() for part in parts), strict=True)))

    def columns(self) -> tuple[np.ndarray, ...]:
        """Give the four columns in their order."""
        return self.fragments, self.country, self.hour_known, self.keys


def choose(pool: PaymentColumns, seed: bytes) -> Choices:
    """Choose one block of 4,096 payments; the same pool and seed give the same choices on every machine."""
    drawn = random_rows(seed, _RANDOM, BLOCK)
    number = _popular(drawn["account"], len(pool.accounts))
    account = pool.accounts.take(number).view(ACCOUNT)
    country = account["country"].copy()
    address = _address(pool, drawn, country)
    entities = _kept(account) | _priced(pool, country, drawn["amount"])
    entities |= {Kind.ACCOUNT: number, Kind.ADDRESS: address, Kind.CART: _cart(pool, drawn, account["card"])}
    known = drawn["hour"] >= _NO_HOUR_BELOW
    return Choices(_numbered(pool, entities), country, known, pool.address_key.take(address).astype(np.int32))


def _kept(account: np.ndarray) -> dict[Kind, np.ndarray]:
    home = account["home"] * np.int32(2)
    return {Kind.WALLET: account["wallet"], Kind.BILLING: home, Kind.HOME: home, Kind.TENURE: account["tenure"]}


def _priced(pool: PaymentColumns, country: np.ndarray, drawn: np.ndarray) -> dict[Kind, np.ndarray]:
    amounts = int(pool.bases[Kind.UNITS] - pool.bases[Kind.DOLLARS])  # of each currency
    currency = pool.country_currency.take(country)
    amount = below(amounts, drawn)
    return {Kind.DOLLARS: amount, Kind.UNITS: currency * amounts + amount, Kind.HOUR: currency * HOURS}


def _numbered(pool: PaymentColumns, entities: dict[Kind, np.ndarray]) -> np.ndarray:
    rows = np.empty((BLOCK, len(Kind)), np.int32)
    rows[:, Kind.HEAD] = pool.bases[Kind.HEAD]
    for kind, number in entities.items():
        np.add(number, pool.bases[kind], out=rows[:, kind], casting="unsafe")
    return rows


def _popular(drawn: np.ndarray, accounts: int) -> np.ndarray:
    """Draw account numbers of which the r-th is as likely as 1 / sqrt(r): the square of an even number of [0, 1)."""
    wide = drawn.astype(np.uint64)
    return ((wide * wide >> np.uint64(32)) * np.uint64(accounts) >> np.uint64(32)).astype(np.int64)


def _address(pool: PaymentColumns, drawn: np.ndarray, country: np.ndarray) -> np.ndarray:
    group = country.astype(np.int64) * 2
    proxy = np.flatnonzero(drawn["proxy"] < _PROXY_BELOW)
    group[proxy] = _abroad(pool, drawn["far"][proxy], country[proxy]) * 2 + 1
    within = drawn["address"] * pool.address_count.take(group).astype(np.uint64) >> np.uint64(32)
    first: np.ndarray = pool.address_first.take(group)
    return first + within.astype(np.int32)


def _abroad(pool: PaymentColumns, drawn: np.ndarray, country: np.ndarray) -> np.ndarray:
    """Draw a country by share; where it is the account's own, the one after it in the table."""
    by_share = pool.country_slots.take(below(len(pool.country_slots), drawn)).astype(np.int64)
    other: np.ndarray = (by_share + (by_share == country)) % len(pool.country_currency)
    return other


def _cart(pool: PaymentColumns, drawn: np.ndarray, card: np.ndarray) -> np.ndarray:
    checked = pool.check_slots.take(below(len(pool.check_slots), drawn["check"]))
    cart: np.ndarray = pool.cart_slots.take(below(len(pool.cart_slots), drawn["cart"]))
    return cart + np.where(card, checked, pool.check_slots[-1])
