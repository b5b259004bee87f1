"""Identifiers of drawn records: 128 bits hashed from where a record stands, written as a UUID."""

import hashlib

import numpy as np

from shared.feeds.drawing.hashing import hashed_rows

_HEX_OF_BYTE = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), "<u2").astype("<u4")
_HEX_OF_TWO = (_HEX_OF_BYTE + (_HEX_OF_BYTE[:, np.newaxis] << 16)).reshape(-1)  # the low byte stands first
_UUID = np.dtype(
    {
        "names": ["a", "b", "c", "d", "e", "f"],
        "formats": ["<u8", "<u4", "<u4", "<u4", "<u4", "<u8"],
        "offsets": [0, 9, 14, 19, 24, 28],
        "itemsize": 36,
    }
)  # the groups of digits between the dashes, the last of them in two
_HALVES = np.dtype([("first", "<u8"), ("second", "<u8")])
_VERSION = np.uint64(0xF << 52), np.uint64(0x8 << 52)  # RFC 9562 section 5.8: version 8, of the maker's own design
_VARIANT = np.uint64(0xC0), np.uint64(0x80)  # section 4.1


def seed_of(*place: str | int) -> bytes:
    """Hash the names of a place into 16 bytes that are the same on every machine."""
    return hashlib.blake2b("/".join(map(str, place)).encode(), digest_size=16).digest()


def identifiers(seed: bytes, positions: np.ndarray) -> np.ndarray:
    """Give the UUIDs of uint64 positions as uint8[n, 36] of ASCII.

    Each half is splitmix64's output at that position, started at its half of the seed: a bijection of the position but
    for the 6 bits that say "UUID". So 122 bits tell records apart.
    """
    raw = hashed_rows(seed, _HALVES, positions).view("<u8").reshape(-1, 2)
    for half, (room, mark) in enumerate((_VERSION, _VARIANT)):
        raw[:, half] = raw[:, half] & ~room | mark
    return _as_text(raw)


def _as_text(raw: np.ndarray) -> np.ndarray:
    """Write the digits in pieces of 8 and 4, which numpy moves as numbers: half the time of moving rows of bytes."""
    digits = _HEX_OF_TWO.take(raw.view("<u2").reshape(-1))
    eights, fours = digits.view("<u8").reshape(-1, 4), digits.view("<u4").reshape(-1, 8)
    text = np.full((len(raw), 36), ord("-"), np.uint8)
    uuid = text.view(_UUID).reshape(-1)
    uuid["a"], uuid["f"] = eights[:, 0], eights[:, 3]
    for group, column in (("b", 2), ("c", 3), ("d", 4), ("e", 5)):
        uuid[group] = fours[:, column]
    return text
