"""Rows of a drawn feed's reference data as bytes: many in a row for one file, or each by itself."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from shared.feeds.drawing.pool import Pool
from shared.feeds.feed import DrawnReference


def edition_of(reference: DrawnReference, pool: Pool, options: Mapping[str, Any]) -> str:
    """Name what the rows are made from: the pool, and the settings that they depend on."""
    values = {name: options[name] for name in reference.options}
    made_from = {"pool": pool.fingerprint, "options": values}
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()[:32]


def block_of(reference: DrawnReference, pool: Pool, options: Mapping[str, Any], numbers: range) -> bytes:
    """Draw the rows of these numbers and give their lines in a row, without making a text of each."""
    lines = reference.lines(pool, np.arange(numbers.start, numbers.stop), options)
    _, offsets, data = lines.buffers()
    ends = np.frombuffer(offsets, np.int32)
    first, last = int(ends[lines.offset]), int(ends[lines.offset + len(lines)])
    content: bytes = data.slice(first, last - first).to_pybytes()
    return content


def lines_of_each(
    reference: DrawnReference, pool: Pool, options: Mapping[str, Any], numbers: Sequence[int]
) -> list[bytes]:
    """Draw the rows of these numbers and give the line of each."""
    return [line.encode() for line in reference.lines(pool, np.array(numbers, np.int64), options).to_pylist()]
