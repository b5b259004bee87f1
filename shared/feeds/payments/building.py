"""Builds the pool of payments: Faker's text, assigned in the shares of `tables` and rendered into fragments."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product
from math import exp
from statistics import NormalDist
from typing import Any

import numpy as np
import pyarrow as pa

from shared.feeds.drawing import quasi_random
from shared.feeds.drawing.pool import Pool
from shared.feeds.drawing.sampling import repeated
from shared.feeds.payments import fragments, tables
from shared.feeds.payments.entities import Address, Entities, Grouped, Place
from shared.feeds.payments.fragments import Kind
from shared.feeds.payments.pool import ACCOUNT, PaymentColumns
from shared.feeds.payments.steps import Step

_BLANK: Place = ("", "", "")
_UNPLACED_KEY = "unk"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many entities of each kind a pool holds; text repeats beyond that."""

    accounts: int = 49_152
    places: int = 8_192
    addresses: int = 8_192
    amounts: int = 1_024  # in each currency
    tenures: int = 2_048


DEFAULT_SIZES = Sizes()


def build(seed: int, progress: Callable[[str], None] = lambda _: None, *, sizes: Sizes = DEFAULT_SIZES) -> Pool:
    """Build a pool; the same seed, sizes and release of Faker give the same pool.

    progress: called with what is drawn next; all of it takes a few seconds.
    """
    progress("locales")
    entities = Entities(seed)
    progress("places")
    places = entities.places(sizes.places)
    progress("addresses")
    addresses = entities.addresses(sizes.addresses)
    progress("accounts")
    accounts = entities.accounts(sizes.accounts)
    return _assemble(sizes, accounts, places, addresses)


def _assemble(sizes: Sizes, accounts: list[str], places: Grouped[Place], addresses: Grouped[Address]) -> Pool:
    amounts = _amounts(sizes.amounts)
    runs = {
        Kind.HEAD: [fragments.head()],
        Kind.ACCOUNT: accounts,
        Kind.DOLLARS: [fragments.dollars(f"{amount:.2f}") for amount in amounts],
        Kind.UNITS: [_in_units(amount, currency) for currency, amount in product(tables.CURRENCIES, amounts)],
        Kind.HOUR: _hours(),
        Kind.ADDRESS: [fragments.address(one.ip, one.place, proxy=one.proxy) for one in addresses.items],
        Kind.WALLET: _wallets(),
        Kind.BILLING: _billings_and_homes(places.items),
        Kind.CART: _carts(),
        Kind.TENURE: _tenures(sizes.tenures),
    }
    columns = PaymentColumns(
        **_fragment_columns(runs),
        accounts=_accounts(sizes, places),
        **_address_columns(addresses),
        **_share_columns(),
    )
    return columns.as_pool()


def _fragment_columns(runs: dict[Kind, list[str]]) -> dict[str, Any]:
    counts = [len(runs.get(kind, ())) for kind in Kind]
    bases = np.cumsum([0, *counts[:-1]], dtype=np.int32)
    bases[Kind.HOME] = bases[Kind.BILLING] + 1
    texts = [text for kind in Kind for text in runs.get(kind, ())]
    return {"fragments": pa.array(texts, pa.binary()), "bases": bases}


def _accounts(sizes: Sizes, places: Grouped[Place]) -> np.ndarray:
    count = sizes.accounts
    country = np.array(quasi_random.assign(_country_slots(), count, Step.COUNTRY))
    payment = np.array(quasi_random.assign(repeated(_numbered(tables.WALLETS)), count, Step.WALLET))
    spoken = np.array([len(one.languages) for one in tables.COUNTRIES])[country]
    language = _first_language()[country] + quasi_random.below(spoken, count, Step.LANGUAGE)
    accounts = np.empty(count, ACCOUNT)
    accounts["home"] = places.first[country] + quasi_random.below(places.count[country], count, Step.HOME)
    accounts["wallet"] = language * len(tables.WALLETS) + payment
    accounts["tenure"] = quasi_random.below(sizes.tenures, count, Step.TENURE)
    accounts["country"] = country
    accounts["card"] = np.array([card != "" for _, card, _ in tables.WALLETS])[payment]
    return accounts.view("<u8")


def _address_columns(addresses: Grouped[Address]) -> dict[str, Any]:
    keys = [*(country.code for country in tables.COUNTRIES), _UNPLACED_KEY]
    codes = [keys.index(address.place[2] or _UNPLACED_KEY) for address in addresses.items]
    return {
        "address_first": addresses.first,
        "address_count": addresses.count,
        "address_key": np.array(codes, np.uint8),
        "keys": pa.array(keys, pa.string()),
    }


def _share_columns() -> dict[str, Any]:
    currencies = [currency.code for currency in tables.CURRENCIES]
    checks = np.array(repeated(_numbered(tables.SECURITY_CHECKS)))
    return {
        "country_currency": np.array([currencies.index(country.currency) for country in tables.COUNTRIES], np.int32),
        "country_slots": np.array(_country_slots(), np.uint8),
        "check_slots": (checks * len(tables.CARTS)).astype(np.uint8),
        "cart_slots": np.array(repeated(_numbered(tables.CARTS)), np.uint8),
        "zones": pa.array([country.zone for country in tables.COUNTRIES], pa.string()),
    }


def _amounts(count: int) -> list[float]:
    normal = NormalDist(tables.LOG_MEAN, tables.LOG_SIGMA)
    quantiles = [exp(normal.inv_cdf((number + 0.5) / count)) for number in range(count)]
    return [round(max(tables.LEAST_AMOUNT, quantile), 2) for quantile in quantiles]


def _in_units(dollars: float, currency: tables.Currency) -> str:
    return fragments.units(f"{dollars * currency.per_dollar:.{currency.scale}f}")


def _hours() -> list[str]:
    hours = range(tables.UNKNOWN_HOUR, 24)
    return [fragments.hour(currency.code, hour) for currency, hour in product(tables.CURRENCIES, hours)]


def _wallets() -> list[str]:
    languages = [language for country in tables.COUNTRIES for language in country.languages]
    return [fragments.wallet(language, *payment[:2]) for language, payment in product(languages, tables.WALLETS)]


def _first_language() -> np.ndarray:
    return np.cumsum([0, *(len(country.languages) for country in tables.COUNTRIES[:-1])])


def _billings_and_homes(places: list[Place]) -> list[str]:
    """Put what an account needs of its place side by side in memory."""
    blanks = quasi_random.percent(tables.BLANK_PERCENT, len(places), Step.BLANK_BILLING)
    return [text for place, blank in zip(places, blanks, strict=True) for text in _billing_and_home(place, blank)]


def _billing_and_home(place: Place, blank: bool) -> tuple[str, str]:
    return fragments.billing(*(_BLANK if blank else place)), fragments.home(*place)


def _carts() -> list[str]:
    checks = [check for check, _ in tables.SECURITY_CHECKS]
    return [fragments.cart(check, *items) for check, (items, _) in product(checks, tables.CARTS)]


def _tenures(count: int) -> list[str]:
    days = quasi_random.below(tables.MOST_ACCOUNT_DAYS + 1, count, Step.AGE)
    instrument_days = days * quasi_random.unit(count, Step.INSTRUMENT_AGE)
    registered = [
        number * 100 < tables.REGISTERED_PERCENT * count for number in range(count)
    ]  # tenures are assigned evenly
    rejects = quasi_random.assign(repeated(tables.REJECTS), count, Step.REJECTS)
    columns = zip(days.tolist(), instrument_days.tolist(), rejects, registered, strict=True)
    return [fragments.tenure(day, round(of_it, 1), reject, registered=known) for day, of_it, reject, known in columns]


def _country_slots() -> tuple[int, ...]:
    return repeated((number, country.share) for number, country in enumerate(tables.COUNTRIES))


def _numbered(rows: Iterable[tuple[Any, ...]]) -> list[tuple[int, int]]:
    return [(number, row[-1]) for number, row in enumerate(rows)]
