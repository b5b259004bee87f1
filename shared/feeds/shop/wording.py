"""Puts the pool's words together, and rows of texts as JSON lines."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shared.feeds.drawing.hashing import below
from shared.feeds.drawing.lines import quoted
from shared.feeds.drawing.pool import Pool


def taken(pool: Pool, column: str, bits: np.ndarray) -> pa.Array:
    """Take a word of a column for each even 16-bit number."""
    words = pool.columns[column]
    return words.take(pa.array(below(len(words), bits)))


def joined(between: str, *parts: pa.Array) -> pa.Array:
    """Join texts row by row."""
    return pc.binary_join_element_wise(*parts, between)


def as_lines(columns: Mapping[str, pa.Array | Sequence[pa.Array]]) -> pa.Array:
    """Write rows as JSON objects, each ending in a newline: `id` as it stands, other texts quoted, several as list."""
    properties = (pc.binary_join_element_wise(f'"{name}":', _value(name, each), "") for name, each in columns.items())
    return pc.binary_join_element_wise("{", joined(",", *properties), "}\n", "")


def _value(name: str, values: pa.Array | Sequence[pa.Array]) -> pa.Array:
    if isinstance(values, pa.Array):
        return values if name == "id" else quoted(values)
    return pc.binary_join_element_wise("[", joined(",", *map(quoted, values)), "]", "")
