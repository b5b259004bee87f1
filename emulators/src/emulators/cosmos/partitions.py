"""Which physical partition holds a partition key: Cosmos DB's own hash of it, over ranges of equal width.

The hash is that of containers of version 2, as Microsoft's clients have it (azure-cosmos, `partition_key.py`):
MurmurHash3 of 128 bits over the encoded key, its two highest bits cleared. Clients ask for ranges of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_MASK: Final = 2**64 - 1
_C1: Final = 0x87C37B91114253D5
_C2: Final = 0x4CF5AD432745937F
_TEXT: Final = b"\x08"
_TEXT_END: Final = b"\xff"
_SPAN: Final = 0x40 << 120
"""The number of hashes that there are."""

_END: Final = "FF"


@dataclass(frozen=True, slots=True)
class Range:
    """One physical partition: its id, and the hashes from `low` on and below `high` in hexadecimal digits."""

    id: str
    low: str
    high: str

    def holds(self, hashed: str) -> bool:
        """Say whether a hash lies in the range."""
        return self.low <= hashed < self.high


def ranges(count: int) -> tuple[Range, ...]:
    """Cut all hashes into as many ranges."""
    cuts = ["", *(f"{_SPAN * part // count:032X}" for part in range(1, count)), _END]
    return tuple(Range(str(part), cuts[part], cuts[part + 1]) for part in range(count))


def range_of(hashed: str, among: Sequence[Range]) -> Range:
    """Give the range that holds a hash."""
    return next(each for each in among if each.holds(hashed))


def share_of(hashed: str) -> float:
    """Give where a hash lies among all, from 0 on and below 1."""
    return int(hashed, 16) / _SPAN


@lru_cache(maxsize=65_536)
def hash_of(key: str) -> str:
    """Hash the text of a partition key into 32 hexadecimal digits."""
    low, high = _murmur(_TEXT + key.encode() + _TEXT_END)
    hashed = (high << 64 | low) & (_SPAN - 1)
    return f"{hashed:032X}"


def _murmur(data: bytes) -> tuple[int, int]:
    low = high = 0
    whole = len(data) & ~15
    for at in range(0, whole, 16):
        low ^= _first(int.from_bytes(data[at : at + 8], "little"))
        low = ((_rotate(low, 27) + high) * 5 + 0x52DCE729) & _MASK
        high ^= _second(int.from_bytes(data[at + 8 : at + 16], "little"))
        high = ((_rotate(high, 31) + low) * 5 + 0x38495AB5) & _MASK
    high ^= _second(int.from_bytes(data[whole + 8 :], "little"))
    low ^= _first(int.from_bytes(data[whole : whole + 8], "little"))
    low, high = low ^ len(data), high ^ len(data)
    low = (low + high) & _MASK
    high = (high + low) & _MASK
    low, high = _mixed(low), _mixed(high)
    low = (low + high) & _MASK
    return low, (high + low) & _MASK


def _first(word: int) -> int:
    return _rotate(word * _C1 & _MASK, 31) * _C2 & _MASK


def _second(word: int) -> int:
    return _rotate(word * _C2 & _MASK, 33) * _C1 & _MASK


def _rotate(word: int, bits: int) -> int:
    return (word << bits | word >> 64 - bits) & _MASK


def _mixed(word: int) -> int:
    word = (word ^ word >> 33) * 0xFF51AFD7ED558CCD & _MASK
    word = (word ^ word >> 33) * 0xC4CEB9FE1A85EC53 & _MASK
    return word ^ word >> 33
