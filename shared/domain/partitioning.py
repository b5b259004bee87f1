"""Which partition of a hub a key belongs to, as Event Hubs and Microsoft's clients have it.

The hash is Bob Jenkins' lookup3 (in the public domain), of which 16 bits with their sign are divided by the count of
partitions, towards 0. Microsoft's client for Python divides downwards, and so differs from those for .NET, Java and
JavaScript for every second key; it is not followed.
"""

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

type _State = tuple[int, int, int]


def partition_of(key: str, partitions: Sequence[str]) -> str:
    """Give the partition of a key, of those that a hub has, in the hub's order."""
    return partitions[abs(_hash(key)) % len(partitions)]


@lru_cache(1 << 16)
def _hash(key: str) -> int:
    data = key.encode()
    seed = (_SEED + len(data)) & _MASK
    words = struct.unpack(f"<{-(-len(data) // _BLOCK) * 3}I", data + bytes(-len(data) % _BLOCK))
    _, b, c = _mixed((seed, seed, seed), words)
    hashed = (b ^ c) & 0xFFFF
    return hashed - (hashed >> 15 << 16)


def _mixed(state: _State, words: Sequence[int]) -> _State:
    for at in range(0, len(words), 3):
        a, b, c = ((one + word) & _MASK for one, word in zip(state, words[at : at + 3], strict=True))
        state = _final(a, b, c) if at + 3 == len(words) else _mix(a, b, c)
    return state


def _mix(a: int, b: int, c: int) -> _State:
    for by_c, by_a, by_b in ((4, 6, 8), (16, 19, 4)):
        a, c = ((a - c) ^ _turned(c, by_c)) & _MASK, (c + b) & _MASK
        b, a = ((b - a) ^ _turned(a, by_a)) & _MASK, (a + c) & _MASK
        c, b = ((c - b) ^ _turned(b, by_b)) & _MASK, (b + a) & _MASK
    return a, b, c


def _final(a: int, b: int, c: int) -> _State:
    for by_b, by_c, by_a in ((14, 11, 25), (16, 4, 14)):
        c = ((c ^ b) - _turned(b, by_b)) & _MASK
        a = ((a ^ c) - _turned(c, by_c)) & _MASK
        b = ((b ^ a) - _turned(a, by_a)) & _MASK
    return a, b, ((c ^ b) - _turned(b, 24)) & _MASK


def _turned(word: int, bits: int) -> int:
    return (word << bits | word >> (32 - bits)) & _MASK


_SEED: Final = 0xDEADBEEF
_MASK: Final = 0xFFFFFFFF
_BLOCK: Final = 12
