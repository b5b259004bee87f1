import hashlib
import threading

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.feeds.drawing.blocks import BLOCK
from shared.feeds.feed import Position
from shared.feeds.payments.feed import FEED, Payments

WINDOW = "payments-20261122T100000Z"
START = 1_795_341_600_000_000
RATE = 1000.0


@settings(max_examples=40, deadline=None)
@given(first=st.integers(0, 3 * BLOCK), count=st.integers(0, 2 * BLOCK))
def test_a_position_has_the_same_record_in_whatever_piece_it_is_drawn(payments, whole, first, count):
    piece = payments.records(Position(WINDOW, 3, first, count, START, RATE))

    expected = whole.slice(first, first + count)
    assert piece.lines.equals(expected.lines)
    assert piece.keys.equals(expected.keys)


@pytest.fixture(scope="module")
def whole(payments):
    return payments.records(Position(WINDOW, 3, 0, 5 * BLOCK, START, RATE))


def test_small_consecutive_draws_are_the_stream(payments, whole):
    pieces = [payments.records(Position(WINDOW, 3, first, 100, START, RATE)).lines for first in range(0, 10_000, 100)]

    assert pa.concat_arrays(pieces).equals(whole.lines.slice(0, 10_000))


def test_another_feed_of_the_same_pool_draws_the_same_records(pool, whole):
    again = Payments(pool).records(Position(WINDOW, 3, 0, 5 * BLOCK, START, RATE))

    assert again.lines.equals(whole.lines)


def test_records_are_frozen_for_this_version_of_the_feed(drawn):
    """A retry after a deployment must draw the same records; a change raises the pool's VERSION."""
    first = drawn.lines[0].as_py().decode()

    assert first.startswith('{"transactionID":"67acb963-c548-8813-9f9b-0b5635bd8928","accountID":"A')
    assert first.endswith('"transactionDateTime":"2026-11-22T10:00:00.000000Z"}\n')


def test_the_lines_of_a_window_are_those_of_every_version_before(pool, payments):
    """The digest was taken before the drawing engine was made generic; a change of it loses retries their records."""
    digest = hashlib.sha256()
    for number, first, count in ((0, 0, 5000), (3, 4090, 300), (11, 100_000, 1)):
        records = payments.records(Position(WINDOW, number, first, count, START + number * 300_000_000, 100.0))
        digest.update(b"".join(records.lines.to_pylist()))
        digest.update("|".join(records.keys.to_pylist()).encode())

    assert pool.fingerprint == "0cb035d7f06b9ff58f4f20e8f59a3fd9"
    assert digest.hexdigest() == "1e295a9882cb4b7404bf6893ed32b7887707754a290ced2ec73ebb7ff8102860"


def test_the_feeds_one_stream_is_transactions(payments):
    (stream,) = FEED.streams

    assert list(payments.draw(Position(WINDOW, 0, 0, 1, START, RATE))) == [stream.name] == ["transactions"]


def test_ids_do_not_depend_on_pace_or_pool(payments, drawn):
    other = payments.records(Position(WINDOW, 0, 0, 100, START + 1, 7.0))

    assert _ids(other.lines).equals(_ids(drawn.lines.slice(0, 100)))


def test_ids_of_slices_and_windows_are_distinct(payments):
    """A million are counted in the benchmark of realism."""
    places = [(WINDOW, 0), (WINDOW, 1), (WINDOW, 10), ("payments-20261122T110000Z", 0)]

    lines = [payments.records(Position(window, number, 0, 8_000, START, RATE)).lines for window, number in places]

    assert pc.count_distinct(pa.concat_arrays([_ids(part) for part in lines])).as_py() == 32_000


def test_time_is_the_grid_of_the_slice(payments):
    third_of_a_second = payments.records(Position(WINDOW, 0, 2, 3, START, 3.0))

    assert [line[-30:-3] for line in third_of_a_second.lines.to_pylist()] == [
        b"2026-11-22T10:00:00.666666Z",
        b"2026-11-22T10:00:01.000000Z",
        b"2026-11-22T10:00:01.333333Z",
    ]


def test_each_line_ends_in_a_newline_and_holds_no_other(drawn):
    assert pc.all(pc.ends_with(drawn.lines, "\n")).as_py()
    assert pc.sum(pc.count_substring(drawn.lines, "\n")).as_py() == len(drawn)


def test_slices_of_a_window_differ(payments):
    first, second = (payments.records(Position(WINDOW, number, 0, 10, START, RATE)).lines for number in (0, 1))

    assert not first.equals(second)


def test_nothing_is_drawn_when_nothing_is_asked(payments):
    assert len(payments.records(Position(WINDOW, 0, 5, 0, START, RATE))) == 0


@pytest.mark.parametrize(("first", "count", "rate"), [(-1, 1, 1.0), (0, -1, 1.0), (0, 2**20 + 1, 1.0), (0, 1, 0.0)])
def test_impossible_draws_are_refused(payments, first, count, rate):
    with pytest.raises(ValueError, match=r"can't draw|a rate is"):
        payments.records(Position(WINDOW, 0, first, count, START, rate))


def test_threads_draw_what_one_would(payments, whole):
    found: dict[int, bool] = {}

    def draw(number: int) -> None:
        piece = payments.records(Position(WINDOW, 3, number * 1500, 1500, START, RATE))
        found[number] = piece.lines.equals(whole.lines.slice(number * 1500, 1500))

    threads = [threading.Thread(target=draw, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == dict.fromkeys(range(10), True)


def _ids(lines: pa.Array) -> pa.Array:
    return pc.binary_slice(lines, 17, 53)
