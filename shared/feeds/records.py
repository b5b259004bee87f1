"""Records of one stream as columns: the form in which every feed hands them on."""

from dataclasses import dataclass

import pyarrow as pa

from shared.domain.delivery import Refusal


@dataclass(frozen=True, slots=True)
class Records:
    """`n` records of one stream.

    lines: `pa.BinaryArray` (or LargeBinary) of n JSON objects, each ending in a newline, in the order of their stream.
    keys: `pa.DictionaryArray` (int32 codes, string values) of n partition keys. refusals: what the source read beside
    them that is no record, and why; it is counted with them.
    """

    lines: pa.Array
    keys: pa.DictionaryArray
    refusals: tuple[Refusal, ...] = ()

    def __len__(self) -> int:
        """Count the records."""
        return len(self.lines)

    def slice(self, start: int, stop: int) -> "Records":
        """Give the records `[start, stop)` without copying them."""
        return Records(self.lines.slice(start, stop - start), self.keys.slice(start, stop - start))

    def part(self, start: int, stop: int) -> "Records":
        """Give the records `[start, stop)` with no more keys than they need: a small part of many reads few keys."""
        part = self.slice(start, stop)
        if len(part.keys.dictionary) <= len(part):
            return part
        return Records(part.lines, part.keys.dictionary_decode().dictionary_encode())
