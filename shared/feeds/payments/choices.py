"""Chooses which entities meet in each payment, block by block, from a seed of the block's own."""

from dataclasses import dataclass

import numpy as np

from shared.feeds.payments import tables
from shared.feeds.payments.fragments import HOURS, Kind
from shared.feeds.payments.pool import ACCOUNT, Pool

BLOCK = 4096
_DICE = np.dtype(
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
_SIDES = 1 << 16
_PROXY_BELOW = _SIDES * tables.PROXY_PERCENT // 100
_NO_HOUR_BELOW = _SIDES // 25  # as often as each of the 24 hours


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


def choose(pool: Pool, seed: bytes) -> Choices:
    """Choose one block of 4,096 payments; the same pool and seed give the same choices on every machine."""
    dice = _throw(seed)
    number = _popular(dice["account"], len(pool.accounts))
    account = pool.accounts.take(number).view(ACCOUNT)
    country = account["country"].copy()
    address = _address(pool, dice, country)
    entities = _kept(account) | _priced(pool, country, dice["amount"])
    entities |= {Kind.ACCOUNT: number, Kind.ADDRESS: address, Kind.CART: _cart(pool, dice, account["card"])}
    known = dice["hour"] >= _NO_HOUR_BELOW
    return Choices(_numbered(pool, entities), country, known, pool.address_key.take(address).astype(np.int32))


def _kept(account: np.ndarray) -> dict[Kind, np.ndarray]:
    home = account["home"] * np.int32(2)
    return {Kind.WALLET: account["wallet"], Kind.BILLING: home, Kind.HOME: home, Kind.TENURE: account["tenure"]}


def _priced(pool: Pool, country: np.ndarray, dice: np.ndarray) -> dict[Kind, np.ndarray]:
    amounts = int(pool.bases[Kind.UNITS] - pool.bases[Kind.DOLLARS])  # of each currency
    currency = pool.country_currency.take(country)
    amount = _below(amounts, dice)
    return {Kind.DOLLARS: amount, Kind.UNITS: currency * amounts + amount, Kind.HOUR: currency * HOURS}


def _numbered(pool: Pool, entities: dict[Kind, np.ndarray]) -> np.ndarray:
    rows = np.empty((BLOCK, len(Kind)), np.int32)
    rows[:, Kind.HEAD] = pool.bases[Kind.HEAD]
    for kind, number in entities.items():
        np.add(number, pool.bases[kind], out=rows[:, kind], casting="unsafe")
    return rows


def _throw(seed: bytes) -> np.ndarray:
    bits = np.random.PCG64(np.random.SeedSequence(int.from_bytes(seed, "little")))
    words = bits.random_raw(BLOCK * _DICE.itemsize // 8)
    return words.astype("<u8", copy=False).view(_DICE)


def _popular(dice: np.ndarray, accounts: int) -> np.ndarray:
    """Draw account numbers of which the r-th is as likely as 1 / sqrt(r): the square of an even number of [0, 1)."""
    wide = dice.astype(np.uint64)
    return ((wide * wide >> np.uint64(32)) * np.uint64(accounts) >> np.uint64(32)).astype(np.int64)


def _address(pool: Pool, dice: np.ndarray, country: np.ndarray) -> np.ndarray:
    group = country.astype(np.int64) * 2
    proxy = np.flatnonzero(dice["proxy"] < _PROXY_BELOW)
    group[proxy] = _abroad(pool, dice["far"][proxy], country[proxy]) * 2 + 1
    within = dice["address"] * pool.address_count.take(group).astype(np.uint64) >> np.uint64(32)
    first: np.ndarray = pool.address_first.take(group)
    return first + within.astype(np.int32)


def _abroad(pool: Pool, dice: np.ndarray, country: np.ndarray) -> np.ndarray:
    """Draw a country by share; where it is the account's own, the one after it in the table."""
    drawn = pool.country_slots.take(_below(len(pool.country_slots), dice)).astype(np.int64)
    other: np.ndarray = (drawn + (drawn == country)) % len(pool.country_currency)
    return other


def _cart(pool: Pool, dice: np.ndarray, card: np.ndarray) -> np.ndarray:
    checked = pool.check_slots.take(_below(len(pool.check_slots), dice["check"]))
    cart: np.ndarray = pool.cart_slots.take(_below(len(pool.cart_slots), dice["cart"]))
    return cart + np.where(card, checked, pool.check_slots[-1])


def _below(limit: int, dice: np.ndarray) -> np.ndarray:
    """Turn even 16-bit numbers into even numbers below the limit."""
    return dice.astype(np.int32) * np.int32(limit) >> np.int32(16)
