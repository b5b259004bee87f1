"""How the bodies of packs are opened."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.streams.events import LARGEST
from lakehouse.streams.packs import BadPack, lines_of

lines = st.lists(st.binary(max_size=30).filter(lambda line: b"\n" not in line), min_size=1, max_size=20)


def zstd(body):
    return pa.Codec("zstd").compress(body, asbytes=True)


@given(records=lines, compressed=st.booleans())
def test_a_pack_gives_the_records_that_were_put_in(records, compressed):
    body = b"".join(record + b"\n" for record in records)

    opened = lines_of(zstd(body) if compressed else body, "zstd" if compressed else "identity", len(records))

    assert list(opened) == records


@pytest.mark.parametrize(
    ("body", "encoding", "rows", "message"),
    [
        (b"{}\n", "identity", 2, "the pack says 2 and holds 1"),
        (b"{}\n{}\n", "identity", 1, "the pack says 1 and holds 2"),
        (b"", "identity", 1, "the pack says 1 and holds 0"),
        (b"{}\n", "x" * 1000, 1, r"^encoding: 'x{100}' is neither"),
        (b"{}\n", "gzip", 1, "'gzip' is neither identity nor zstd"),
        (b"{}\n", "zstd", 1, "can't be decompressed"),
        (zstd(b"{}\n" * 1000)[:-4], "zstd", 1000, "Truncated"),
    ],
)
def test_a_pack_that_is_not_what_it_says_is_refused(body, encoding, rows, message):
    with pytest.raises(BadPack, match=message):
        lines_of(body, encoding, rows)


def test_a_pack_that_opens_to_more_than_memory_may_hold_is_refused():
    with pytest.raises(BadPack, match=f"more than {LARGEST} bytes"):
        lines_of(zstd(b"0" * (LARGEST + 1)), "zstd", 1)
