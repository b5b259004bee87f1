"""Asks Faker for the text of payments: places, IP addresses and account numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.feeds.drawing import quasi_random
from shared.feeds.drawing.sampling import different
from shared.feeds.payments import tables
from shared.feeds.payments.steps import Step

type Place = tuple[str, str, str]  # postcode, state, country

# Only these: loading all of Faker's for every locale takes a second of a cold start.
_PROVIDERS = ["faker.providers.address", "faker.providers.internet"]
_PROXY_SHARE = 8  # one address in so many stands behind a proxy


@dataclass(frozen=True, slots=True)
class Grouped[T]:
    """Entities in groups; those of group g are `items[first[g] : first[g] + count[g]]`."""

    items: list[T]
    first: np.ndarray
    count: np.ndarray

    @classmethod
    def draw(cls, counts: Sequence[int], make: Callable[[int], T]) -> "Grouped[T]":
        """Fill each group with as many entities as its count says; `make` is given the number of the group."""
        items = [make(group) for group, count in enumerate(counts) for _ in range(count)]
        return cls(items, np.cumsum([0, *counts[:-1]], dtype=np.int32), np.array(counts, np.int32))


@dataclass(frozen=True, slots=True)
class Address:
    """A public IPv4 address and the place it belongs to."""

    ip: str
    place: Place
    proxy: bool


class Entities:
    """Draws entities from one seeded Faker per country."""

    def __init__(self, seed: int) -> None:
        """Make the Fakers; a tenth of a second each for some of them."""
        from faker import Faker  # noqa: PLC0415 (only building needs it, and it is slow to import)

        self._fakers: list[Any] = [Faker(country.locale, providers=_PROVIDERS) for country in tables.COUNTRIES]
        for number, faker in enumerate(self._fakers):
            faker.seed_instance(seed * len(self._fakers) + number)

    def places(self, size: int) -> Grouped[Place]:
        """Draw about `size` places, grouped by country."""
        return Grouped.draw(_per_country(size), self._place)

    def addresses(self, size: int) -> Grouped[Address]:
        """Draw about `size` addresses, no IP twice; group 2c is country c, group 2c + 1 its proxies."""
        counts = [n for all_of in _per_country(size) for n in _split_proxies(all_of)]
        ips = iter(self._ips(sum(counts)))
        places = Grouped.draw(counts, lambda group: self._place(group // 2))
        partly = iter(_partly_blank(places.items))
        return Grouped.draw(counts, lambda group: Address(next(ips), next(partly), group % 2 == 1))

    def accounts(self, size: int) -> list[str]:
        """Draw `size` different account numbers of 17 characters."""
        return different(size, lambda: self._fakers[0].numerify("A################"))

    def _ips(self, size: int) -> list[str]:
        return different(size, self._fakers[0].ipv4_public)

    def _place(self, number: int) -> Place:
        country, faker = tables.COUNTRIES[number], self._fakers[number]
        postcode = faker.numerify(country.postcode) if country.postcode else faker.postcode()
        return postcode, getattr(faker, country.state)() if country.state else "", country.code


def _per_country(size: int) -> list[int]:
    return [max(2, size * country.share // 100) for country in tables.COUNTRIES]


def _split_proxies(count: int) -> tuple[int, int]:
    proxies = max(1, count // _PROXY_SHARE)
    return count - proxies, proxies


def _partly_blank(places: list[Place]) -> list[Place]:
    flags = zip(
        quasi_random.percent(tables.BLANK_PERCENT, len(places), Step.BLANK_POSTCODE),
        quasi_random.percent(tables.BLANK_PERCENT, len(places), Step.BLANK_STATE),
        quasi_random.percent(tables.UNPLACED_PERCENT, len(places), Step.UNPLACED),
        strict=True,
    )
    return [_blanked(place, *of_place) for place, of_place in zip(places, flags, strict=True)]


def _blanked(place: Place, no_postcode: bool, no_state: bool, unplaced: bool) -> Place:
    postcode, state, country = place
    if unplaced:
        return "", "", ""
    return "" if no_postcode else postcode, "" if no_state else state, country
