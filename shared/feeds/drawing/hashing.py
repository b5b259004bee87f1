"""Random bits of a number: the same seed and number always give the same ones, whatever is drawn beside them.

A feed whose records depend on others far away from them, such as on the first one of their session, draws by number and
not by block: then any batch can be drawn without what lies before it.
"""

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def hashed_rows(seed: bytes, layout: np.dtype, numbers: np.ndarray) -> np.ndarray:
    """Give a row of random bits for each number, structured as `layout`, of 8 or 16 bytes; seed: 16 bytes.

    Each 8 bytes are splitmix64's output at that number, started at their part of the seed: a bijection of the number
    (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
    """
    starts = np.frombuffer(seed, "<u8")[: layout.itemsize // 8]
    states = np.empty((len(numbers), len(starts)), "<u8")
    steps = numbers.astype(np.uint64) * _GOLDEN
    for place, start in enumerate(starts):
        np.add(steps, start, out=states[:, place])
    return _mixed(states.reshape(-1)).view(layout)


def below(limit: int, bits: np.ndarray) -> np.ndarray:
    """Turn even numbers of 16 or 32 bits into even int64 numbers below the limit, which has no more bits than 32."""
    result = bits.astype(np.uint64)
    result *= np.uint64(limit)
    result >>= np.uint64(8 * bits.itemsize)
    return result.view(np.int64)


def _mixed(states: np.ndarray) -> np.ndarray:
    """Do splitmix64's output step, in the memory of two columns: more would leave the processor's cache."""
    result = states >> np.uint64(30)
    result ^= states
    result *= _MIX_1
    shifted = result >> np.uint64(27)
    result ^= shifted
    result *= _MIX_2
    np.right_shift(result, np.uint64(31), out=shifted)
    result ^= shifted
    return result
