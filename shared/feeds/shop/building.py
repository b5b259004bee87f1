"""Builds the pool of the web shop: the words that users and products are put together from, and what views show."""

import re
from collections.abc import Callable
from typing import Any
from unicodedata import normalize

import pyarrow as pa

from shared.feeds.drawing.pool import Pool
from shared.feeds.drawing.sampling import different
from shared.feeds.shop import tables

VERSION = 1
"""To be raised by whoever changes what is built here or what is drawn from it, users and products included."""

# Only these: loading all of Faker's takes a good part of a second of a cold start.
_PROVIDERS = [
    f"faker.providers.{name}" for name in ("person", "address", "internet", "user_agent", "date_time", "lorem", "job")
]
_NOT_OF_A_NAME = re.compile(r"[^a-z]")


def build(seed: int, progress: Callable[[str], None] = lambda _: None) -> Pool:
    """Build a pool; the same seed and release of Faker give the same pool.

    progress: called with what is drawn next; all of it takes a few seconds.
    """
    faker = _faker(seed)
    progress("words")
    words = {
        **_names(faker),
        "streets": pa.array(_some(tables.STREETS, faker.street_name)),
        "sentences": pa.array(different(tables.SENTENCES, faker.sentence)),
        "jobs": pa.array(_some(tables.JOBS, faker.job)),
        "nouns": pa.array(_some(tables.NOUNS, faker.word)),
    }
    progress("addresses, agents and pages")
    texts = {
        "addresses": pa.array(different(tables.ADDRESSES, faker.ipv4_public)),
        "agents": pa.array(different(tables.AGENTS, lambda: _short(faker.user_agent, tables.LONGEST_AGENT))),
        "pages": pa.array(different(tables.PAGES, lambda: _short(lambda: _page(faker), tables.LONGEST_PAGE))),
    }
    return Pool(VERSION, words | texts)


def _faker(seed: int) -> Any:  # noqa: ANN401 - Faker finds its methods as it goes
    from faker import Faker  # noqa: PLC0415 (only building needs it, and it is slow to import)

    faker = Faker("cs_CZ", providers=_PROVIDERS)
    faker.seed_instance(seed)
    return faker


def _names(faker: Any) -> dict[str, pa.Array]:  # noqa: ANN401 - see above
    """Give names of men and of women, and of each last name how it is written in a user's name."""
    last = {sex: _some(tables.LAST_NAMES, getattr(faker, f"last_name_{sex}")) for sex in ("male", "female")}
    first = {sex: _some(tables.FIRST_NAMES, getattr(faker, f"first_name_{sex}")) for sex in ("male", "female")}
    texts = {f"first_{sex}": names for sex, names in first.items()} | {f"last_{sex}": last[sex] for sex in last}
    plain = {f"login_{sex}": [_plain(name) for name in names] for sex, names in last.items()}
    return {name: pa.array(values) for name, values in (texts | plain).items()}


def _some(size: int, make: Callable[[], str]) -> list[str]:
    """Give up to `size` different texts, in the order in which they came first; Faker may not know as many."""
    return list(dict.fromkeys(make() for _ in range(size)))


def _plain(name: str) -> str:
    ascii_only = normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return _NOT_OF_A_NAME.sub("", ascii_only)


def _short(make: Callable[[], str], longest: int) -> str:
    """Give the first text that is plain and not too long: all texts of a column take the room of the longest."""
    while len(text := make()) > longest or not text.isascii() or '"' in text or "\\" in text:
        pass
    return text


def _page(faker: Any) -> str:  # noqa: ANN401 - see above
    return f"{faker.uri_path()}/{faker.uri_page()}{faker.uri_extension()}"
