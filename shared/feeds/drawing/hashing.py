"""Random bits of a number: the same seed and number always give the same ones, whatever is drawn beside them.

A feed whose records depend on others far away from them, such as on the first one of their session, draws by number and
not by block: then any batch can be drawn without what lies before it.
"""

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def hashed(start: np.uint64, numbers: np.ndarray) -> np.ndarray:
    """Give uint64[n] of random bits for uint64 numbers: splitmix64's output at that number, from its start on.

    A bijection of the number (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
    """
    return mixed(numbers * _GOLDEN + start)


def mixed(state: np.ndarray) -> np.ndarray:
    """Do splitmix64's output step."""
    state = (state ^ (state >> np.uint64(30))) * _MIX_1
    state = (state ^ (state >> np.uint64(27))) * _MIX_2
    state ^= state >> np.uint64(31)
    return state


def hashed_rows(seed: bytes, layout: np.dtype, numbers: np.ndarray) -> np.ndarray:
    """Give a row of random bits for each number, structured as `layout`, of 8 or 16 bytes; seed: 16 bytes."""
    starts = np.frombuffer(seed, "<u8")[: layout.itemsize // 8]
    words = np.empty((len(numbers), len(starts)), "<u8")
    steps = numbers.astype(np.uint64) * _GOLDEN
    for place, start in enumerate(starts):
        words[:, place] = mixed(steps + start)
    return words.view(layout).reshape(-1)


def below(limit: int, bits: np.ndarray) -> np.ndarray:
    """Turn even numbers of 16 or 32 bits into even int64 numbers below the limit, which has no more bits than 32."""
    return (bits.astype(np.uint64) * np.uint64(limit) >> np.uint64(8 * bits.itemsize)).astype(np.int64)
