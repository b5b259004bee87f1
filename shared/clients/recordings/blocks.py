"""Reads a recording block by block, from any line on: plain, gz, or a zip of one member, in bounded memory."""

import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, cast

from shared.clients.recordings.index import LineIndex, TimeIndex
from shared.errors import FeedRefused
from shared.feeds.replaying.blocks import LineBlock, TimeMark

LONGEST_LINE: Final = 1 << 20
_BLOCK: Final = 2 << 20
_KEPT: Final = 1 << 16  # of a line that is too long
_SEVEN_ZIP: Final = b"7z\xbc\xaf\x27\x1c"
_PACKED: Final = {b"\xfd7zXZ": "xz", b"BZh": "bzip2", b"\x28\xb5\x2f\xfd": "zstd"}
_DAMAGED: Final = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, lzma.LZMAError)


@dataclass(frozen=True, slots=True)
class RecordingFile:
    """A recording on this machine. address: what messages call it. index: where its lines begin, as far as is known.

    late: how late the own times of its lines are, by the first line that is replayed.
    """

    path: Path
    address: str
    index: LineIndex
    late: dict[int, TimeIndex] = field(default_factory=dict)

    def first_line(self) -> bytes:
        """Give the first line; raises FeedRefused for an empty file, and for one that can't be read."""
        for block in self.blocks(1):
            return block.content.partition(b"\n")[0]
        raise FeedRefused(f"{self.address} is empty.")

    def blocks(self, line: int) -> Iterator[LineBlock]:
        """Give the lines from that one on; raises FeedRefused for a file that can't be read."""
        try:
            with self._opened() as stream:
                yield from self._blocks(stream, line)
        except _DAMAGED as error:
            raise FeedRefused(f"{self.address} is damaged: {error}.") from error
        except OSError as error:
            raise FeedRefused(f"{self.address} can't be read: {error.strerror or error}.") from error

    def times(self, first: int) -> Sequence[TimeMark]:
        """Give what was noted of the own times of lines from that one on, ascending."""
        return self._times(first).marks

    def note_time(self, first: int, mark: TimeMark) -> None:
        """Keep a mark of the lines from `first` on, where it is far enough behind the last one."""
        self._times(first).note(mark)

    def _times(self, first: int) -> TimeIndex:
        if first not in self.late:
            self.late[first] = TimeIndex.read(self.index.path.with_suffix(f".{first}.times"))
        return self.late[first]

    def _blocks(self, stream: IO[bytes], line: int) -> Iterator[LineBlock]:
        number, at = self.index.before(line)
        stream.seek(at)
        known = len(self.index.marks)
        try:
            for block, after, size in _cut(stream, number):
                at += size
                self.index.note(after, at)
                if after > line:
                    yield _from(block, line)
        finally:  # also where nobody reads on
            if len(self.index.marks) > known:
                self.index.keep()

    def _opened(self) -> IO[bytes]:
        with self.path.open("rb") as file:
            head = file.read(8)
        if head.startswith(_SEVEN_ZIP):
            raise FeedRefused(f"{self.address} is a 7z archive: unpack it, then pack it as gz or zip.")
        for mark, name in _PACKED.items():
            if head.startswith(mark):
                raise FeedRefused(f"{self.address} is packed by {name}: unpack it, then pack it as gz or zip.")
        if head.startswith(b"\x1f\x8b"):
            return cast("IO[bytes]", gzip.open(self.path, "rb"))
        if head.startswith(b"PK\x03\x04"):
            return self._member()
        return self.path.open("rb")

    def _member(self) -> IO[bytes]:
        archive = zipfile.ZipFile(self.path)
        members = [one for one in archive.infolist() if not one.is_dir()]
        if len(members) != 1:
            raise FeedRefused(f"{self.address} has {len(members)} files; a zip must hold one.")
        if members[0].flag_bits & 1:
            raise FeedRefused(f"{self.address} is encrypted; a zip must be open.")
        return archive.open(members[0])


def _from(block: LineBlock, line: int) -> LineBlock:
    """Leave out the lines of a block before that one."""
    if block.first >= line:
        return block
    begin = 0
    for _ in range(line - block.first):
        begin = block.content.index(b"\n", begin) + 1
    return LineBlock(line, block.content[begin:], block.cut)


def _cut(stream: IO[bytes], number: int) -> Iterator[tuple[LineBlock, int, int]]:
    """Cut a stream into blocks of whole lines; the last line may lack its break.

    Gives with each the number of the line behind it, and the bytes that it had.
    """
    rest = b""
    while chunk := stream.read(_BLOCK):
        rest += chunk
        end = rest.rfind(b"\n") + 1
        if end:
            block = LineBlock(number, rest[:end])
            after = block.after
            yield block, after, end
            number, rest = after, rest[end:]
        elif len(rest) > LONGEST_LINE:
            head, known = rest[:_KEPT], len(rest)
            more, rest = _skip_line(stream)
            yield LineBlock(number, head + b"\n", cut=True), number + 1, known + more
            number += 1
    if rest:
        block = LineBlock(number, rest if rest.endswith(b"\n") else rest + b"\n")
        yield block, block.after, len(rest)


def _skip_line(stream: IO[bytes]) -> tuple[int, bytes]:
    """Read on to the end of a line; gives how many bytes that were, and what was read behind it."""
    size = 0
    while chunk := stream.read(_BLOCK):
        end = chunk.find(b"\n") + 1
        if end:
            return size + end, chunk[end:]
        size += len(chunk)
    return size, b""
