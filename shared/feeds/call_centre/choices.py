"""What is drawn for each call of a block, before any of it is written."""

import numpy as np

from shared.feeds.call_centre import tables
from shared.feeds.drawing.blocks import BLOCK
from shared.feeds.drawing.sampling import random_rows

_RANDOM = np.dtype(
    [
        ("client", "<u4"),
        ("agent", "<u4"),
        ("ringing", "<u2"),
        ("menu", "<u2"),
        ("authenticated", "<u2"),
        ("options", "<u2"),
        ("option", "<u2"),
        ("passed_on", "<u2"),
        ("attendances", "<u2"),
        ("next_agent", "<u2"),
        ("answered", "<u2"),
        ("mark", "<u2"),
        ("answering", "<u2"),
        ("unused", "<u2"),
        ("lengths", "<u2", (tables.MOST_ATTENDANCES,)),
        ("unused_too", "<u2"),
    ]
)


def choose(seed: bytes) -> np.ndarray:
    """Draw one block of 4,096 calls: rows of random bits, one column for each thing to decide."""
    return random_rows(seed, _RANDOM, BLOCK)


def below(limit: int, bits: np.ndarray) -> np.ndarray:
    """Turn even numbers of 16 or 32 bits into even int64 numbers below the limit."""
    return bits.astype(np.int64) * limit >> 8 * bits.itemsize


def between(seconds: tuple[int, int], bits: np.ndarray) -> np.ndarray:
    """Turn even numbers of 16 bits into int64 milliseconds from the first to the second number of seconds."""
    first, last = seconds
    return first * 1000 + below((last - first) * 1000 + 1, bits)


def happens(percent: int, bits: np.ndarray) -> np.ndarray:
    """Say True for so many percent of even 16-bit numbers."""
    return bits < percent * (1 << 16) // 100


def agents_of(first: np.ndarray, bits: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Give the agent, 0 to 999, of the n-th attendance of calls; a call never has one of them twice.

    first: the call's first agent. The next ones follow at a distance that is the call's own, and never so far that they
    go once around.
    """
    distance = 1 + below(tables.AGENTS // tables.MOST_ATTENDANCES, bits)
    agents: np.ndarray = (first + number * distance) % tables.AGENTS
    return agents
