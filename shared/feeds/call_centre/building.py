"""Builds the pool of the call centre: its clients and its agents as they are on the pool's first day."""

from collections.abc import Callable
from datetime import date
from typing import Any
from unicodedata import normalize

import numpy as np
import pyarrow as pa

from shared.feeds.call_centre import tables
from shared.feeds.drawing import quasi_random
from shared.feeds.drawing.identifiers import seed_of
from shared.feeds.drawing.pool import Pool, PoolColumn
from shared.feeds.drawing.sampling import different, random_rows, repeated

VERSION = 1
"""To be raised by whoever changes what is built here, what is drawn from it, or how it changes from day to day."""

# Only these: loading all of Faker's takes a good part of a second of a cold start.
_PROVIDERS = ["faker.providers.person", "faker.providers.ssn"]
_YEAR = 365.2425
_OPENED = date(1995, 1, 2)  # the bank took its first client
_HIRED = date(2005, 1, 3)  # and its call centre its first agent
_EPOCH = date(1970, 1, 1)
_FIRST_DAY = (tables.FIRST_DAY - _EPOCH).days


def build(seed: int, progress: Callable[[str], None] = lambda _: None) -> Pool:
    """Build a pool; the same seed and release of Faker give the same pool.

    Days are int32, counted from 1970-01-01. What changes from day to day is a slot of a table of `dimensions`, which
    says what the slot stands for. progress: called with what is drawn next; all of it takes a few seconds.
    """
    progress("clients")
    clients = _clients(seed)
    progress("agents")
    return Pool(VERSION, clients | _agents(seed))


def _clients(seed: int) -> dict[str, PoolColumn]:
    size, faker = tables.CLIENTS, _faker(seed)
    female = _shuffled(seed, "sex", size) % 2 == 0
    names = [_name(faker, one) for one in female.tolist()]
    born = _born(seed, size)
    return {
        "client_name": pa.array(names),
        "client_cpf": pa.array(different(size, faker.cpf)),
        "client_mailbox": pa.array([_mailbox(name, number) for number, name in enumerate(names, start=1)]),
        "client_female": female.astype(np.uint8),
        "client_born": born,
        "client_since": _between(np.maximum(born + _years(18), _days(_OPENED)), _FIRST_DAY, seed, "since"),
        "client_place": _shuffled(seed, "place", size).astype(np.int32),
        "client_segment": _shuffled(seed, "segment", size).astype(np.int32),
        "client_domain": _shuffled(seed, "domain", size).astype(np.int32),
    }


def _agents(seed: int) -> dict[str, PoolColumn]:
    size = tables.AGENTS
    hired = np.full(size, _days(_HIRED))
    return {
        "agent_code": pa.array([f"CC{number:05d}" for number in range(1, size + 1)]),
        "agent_supervisor": (_shuffled(seed, "supervisor", size) % tables.SUPERVISORS).astype(np.int32),
        "agent_hired": _between(hired, _FIRST_DAY, seed, "hired"),
    }


def _faker(seed: int) -> Any:  # noqa: ANN401 - Faker finds its methods as it goes
    from faker import Faker  # noqa: PLC0415 (only building needs it, and it is slow to import)

    faker = Faker("pt_BR", providers=_PROVIDERS)
    faker.seed_instance(seed)
    return faker


def _name(faker: Any, female: bool) -> str:  # noqa: ANN401 - see above
    first = faker.first_name_female() if female else faker.first_name_male()
    return f"{first} {faker.last_name()} {faker.last_name()}"


def _mailbox(name: str, number: int) -> str:
    """Give the part of an address before the @; the client's number makes it the only one."""
    plain = normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    words = plain.split()
    return f"{words[0]}.{words[-1]}.{number}"


def _born(seed: int, size: int) -> np.ndarray:
    """Give days of birth of clients who are 18 to 80 on the first day, in the shares of the table."""
    bands = repeated(tables.AGES)
    within = quasi_random.unit(size, 2**0.5)
    dealt = [bands[number % len(bands)] for number in range(size)]
    ages = [first + (last + 0.99 - first) * part for (first, last), part in zip(dealt, within, strict=True)]
    born = _FIRST_DAY - np.ceil(np.array(ages) * _YEAR).astype(np.int32)
    mixed: np.ndarray = born[_shuffled(seed, "born", size)]
    return mixed


def _between(first: np.ndarray, last: int, seed: int, column: str) -> np.ndarray:
    """Give each one a day from its own first one up to the last."""
    part = _shuffled(seed, column, len(first)) / len(first)
    days: np.ndarray = (first + part * (last - first)).astype(np.int32)
    return days


def _shuffled(seed: int, column: str, size: int) -> np.ndarray:
    """Give the numbers below `size` in an order of this column's own, so that shares of them are exact."""
    drawn = random_rows(seed_of("call_centre", seed, column), np.dtype("<u8"), size)
    return np.argsort(drawn, kind="stable")


def _years(count: int) -> int:
    return int(np.ceil(count * _YEAR))


def _days(day: date) -> int:
    return (day - _EPOCH).days
