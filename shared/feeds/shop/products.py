"""The web shop's products, each drawn from its number alone."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shared.feeds.drawing.hashing import hashed_rows
from shared.feeds.drawing.identifiers import seed_of
from shared.feeds.drawing.pool import Pool
from shared.feeds.shop import tables
from shared.feeds.shop.wording import as_lines, joined, taken

_RANDOM_PRODUCT = np.dtype([("nouns", "<u2", (2,)), ("sentences", "<u2", (3,)), ("pages", "<u2", (3,))])


def product_lines(pool: Pool, numbers: np.ndarray) -> pa.Array:
    """Give the products of these numbers, from 1 on, as lines of the contract `lookups/products`."""
    drawn = hashed_rows(seed_of("shop", "product", pool.fingerprint), _RANDOM_PRODUCT, numbers)
    nouns = [taken(pool, "nouns", drawn["nouns"][:, one]) for one in range(2)]
    sentences = [taken(pool, "sentences", drawn["sentences"][:, one]) for one in range(3)]
    shop = pa.array([tables.SHOP] * len(numbers), pa.string())
    return as_lines(
        {
            "id": pa.array(numbers).cast(pa.string()),
            "name": joined(" ", pc.utf8_capitalize(nouns[0]), nouns[1]),
            "description": joined(" ", *sentences),
            "pages": [joined("", shop, taken(pool, "pages", drawn["pages"][:, one])) for one in range(3)],
        }
    )
