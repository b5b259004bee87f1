import base64
import json

from shared.clients.storage.quarantine import MOST_LINES, BlobQuarantine
from shared.feeds.replaying.reader import RefusedLine


class AppendedTo:
    """A file that holds what was appended."""

    def __init__(self):
        self.content = b""

    def append(self, blocks):
        self.content += b"".join(blocks)


def kept(*lines):
    file = AppendedTo()
    quarantine = BlobQuarantine("path", file)
    for line in lines:
        quarantine.keep([line])
    return [json.loads(row) for row in file.content.splitlines()]


def test_a_line_is_kept_with_its_number_and_reason():
    assert kept(RefusedLine(7, "it has 2 fields, not 28", "é,b".encode())) == [
        {"line": 7, "reason": "it has 2 fields, not 28", "bytes": 4, "text": "é,b"}
    ]


def test_a_line_that_is_no_text_is_kept_as_base64():
    (row,) = kept(RefusedLine(7, "it is not UTF-8", b"\xe9"))

    assert base64.b64decode(row["base64"]) == b"\xe9"


def test_of_a_long_line_the_beginning_is_kept_and_its_length():
    (row,) = kept(RefusedLine(7, "it is too long", b"x" * 10_000))

    assert (row["bytes"], row["text"]) == (10_000, "x" * 4096)


def test_no_more_lines_are_kept_than_so_many():
    assert len(kept(*[RefusedLine(number, "bad", b"x") for number in range(MOST_LINES + 5)])) == MOST_LINES
