"""The web shop's users, each drawn from their number alone: no user needs the one before."""

from math import gcd

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shared.feeds.drawing.hashing import below, hashed_rows
from shared.feeds.drawing.identifiers import seed_of
from shared.feeds.drawing.pool import Pool
from shared.feeds.shop import tables
from shared.feeds.shop.wording import as_lines, joined, taken

_RANDOM_USER = np.dtype(
    [
        ("female", "<u2"),
        ("first", "<u2"),
        ("last", "<u2"),
        ("street", "<u2"),
        ("house", "<u2"),
        ("place", "<u2"),
        ("phone", "<u4"),
    ]
)
_RANDOM_BIRTH = np.dtype([("day", "<u4"), ("serial", "<u4")])
_RANDOM_TEXTS = np.dtype([("sentences", "<u2", (5,)), ("jobs", "<u2", (3,))])
_PLACES = [
    (region, (cities[0], *cities)[number % (len(cities) + 1)])  # the first city has twice the users of each other one
    for region, share, cities in tables.PLACES
    for number in range(share)
]
_ELEVEN = 11


def user_lines(pool: Pool, numbers: np.ndarray) -> pa.Array:
    """Give the users of these numbers, from 1 on, as lines of the contract `lookups/users`."""
    drawn = hashed_rows(seed_of("shop", "user", pool.fingerprint), _RANDOM_USER, numbers)
    texts = hashed_rows(seed_of("shop", "texts", pool.fingerprint), _RANDOM_TEXTS, numbers)
    birth = hashed_rows(seed_of("shop", "birth", pool.fingerprint), _RANDOM_BIRTH, numbers)
    female, ids = drawn["female"] % 2 == 1, pa.array(numbers).cast(pa.string())
    regions, cities = (pa.array(names) for names in zip(*_PLACES, strict=True))
    place = pa.array(below(len(_PLACES), drawn["place"]))
    names = [_by_sex(pool, part, female, drawn[part]) for part in ("first", "last")]
    houses = _texts(1 + below(999, drawn["house"]))
    return as_lines(
        {
            "id": ids,
            "name": joined(" ", *names),
            "city": cities.take(place),
            "street_address": joined(" ", taken(pool, "streets", drawn["street"]), houses),
            "phone_number": _phones(drawn["phone"]),
            "birth_number": birth_numbers(birth, female),
            "user_name": joined("", _by_sex(pool, "login", female, drawn["last"]), ids),
            "administrative_unit": regions.take(place),
            "description": joined(" ", *(taken(pool, "sentences", texts["sentences"][:, one]) for one in range(5))),
            "jobs": [taken(pool, "jobs", texts["jobs"][:, one]) for one in range(3)],
        }
    )


def vip_lines(numbers: np.ndarray, users: int) -> pa.Array:
    """Give the VIPs of these numbers, from 1 on, out of so many users, as lines of the contract `lookups/vip_users`."""
    return as_lines({"id": _texts(vips(numbers, users))})


def vips(numbers: np.ndarray, users: int) -> np.ndarray:
    """Give the user who is the n-th VIP; the numbers up to that of all users give each user once.

    The step, a golden section of the users, has no divisor in common with their number, and spreads VIPs over them.
    """
    step = next(one for one in range(max(1, int(users * 0.618)), users + 2) if gcd(one, users) == 1)
    chosen: np.ndarray = 1 + numbers * step % users
    return chosen


def birth_numbers(drawn: np.ndarray, female: np.ndarray) -> pa.Array:
    """Give valid birth numbers (Act 133/2000 Coll., section 13): of women 50 is added to the month.

    Nine digits and a tenth that makes all ten a multiple of 11; a serial number for which it would have to be 10 is not
    given to anybody: the next one is.
    """
    first, end = (np.datetime64(day, "D").astype(np.int64) for day in tables.BORN)
    days = (first + below(int(end - first), drawn["day"])).astype("M8[D]")
    months = days.astype("M8[M]")
    years = months.astype("M8[Y]")
    month = (months - years).astype(np.int64) + 1 + 50 * female
    date = (years.astype(np.int64) + 70) % 100 * 10_000 + month * 100 + (days - months).astype(np.int64) + 1
    nine = date * 1000 + below(999, drawn["serial"])
    nine += nine % _ELEVEN == _ELEVEN - 1
    digits = pc.utf8_lpad(_texts(nine * 10 + nine % _ELEVEN), 10, padding="0")
    return joined("/", pc.utf8_slice_codeunits(digits, 0, 6), pc.utf8_slice_codeunits(digits, 6, 10))


def _by_sex(pool: Pool, part: str, female: np.ndarray, bits: np.ndarray) -> pa.Array:
    return pc.if_else(pa.array(female), taken(pool, f"{part}_female", bits), taken(pool, f"{part}_male", bits))


def _phones(bits: np.ndarray) -> pa.Array:
    """Give mobile numbers, which begin with 6 or 7 and have nine digits."""
    digits = _texts(600_000_000 + below(200_000_000, bits))
    parts = (pc.utf8_slice_codeunits(digits, first, first + 3) for first in (0, 3, 6))
    return joined(" ", pa.array(["+420"] * len(digits), pa.string()), *parts)


def _texts(numbers: np.ndarray) -> pa.Array:
    return pa.array(numbers).cast(pa.string())
