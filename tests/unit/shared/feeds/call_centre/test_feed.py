import hashlib
import threading
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.windows.window import microseconds
from shared.feeds.call_centre.feed import FEED, CallCentre
from shared.feeds.drawing.blocks import BLOCK
from shared.feeds.feed import Position
from tests.unit.shared.feeds.call_centre.conftest import START, WINDOW, read

STREAMS = ["ura", "calls", "surveys"]
RATE = 100.0


@pytest.fixture(scope="module")
def whole(call_centre):
    return call_centre.draw(Position(WINDOW, 3, 0, 3 * BLOCK, START, RATE))


def of_calls(records, calls):
    """Give the lines of some calls."""
    wanted = pa.compute.is_in(records.keys.cast(pa.string()), value_set=calls)
    return records.lines.filter(wanted)


@settings(max_examples=25, deadline=None)
@given(first=st.integers(0, 2 * BLOCK), count=st.integers(0, BLOCK))
def test_a_call_has_the_same_records_in_whatever_batch_it_is_drawn(call_centre, whole, first, count):
    piece = call_centre.draw(Position(WINDOW, 3, first, count, START, RATE))

    calls = whole["ura"].keys.slice(first, count).cast(pa.string())
    assert piece["ura"].keys.cast(pa.string()).equals(calls)
    for stream in STREAMS:
        assert piece[stream].lines.equals(of_calls(whole[stream], calls))


def test_small_consecutive_draws_are_the_stream(call_centre, whole):
    pieces = [call_centre.draw(Position(WINDOW, 3, first, 3, START, RATE)) for first in range(0, 600, 3)]

    for stream in STREAMS:
        lines = pa.concat_arrays([piece[stream].lines for piece in pieces])
        assert lines.equals(whole[stream].lines.slice(0, len(lines)))
        assert len(lines) > 50


def test_another_feed_of_the_same_pool_draws_the_same_records(pool, whole):
    again = CallCentre(pool).draw(Position(WINDOW, 3, 0, 3 * BLOCK, START, RATE))

    assert all(again[stream].lines.equals(whole[stream].lines) for stream in STREAMS)


def test_slices_and_windows_have_calls_of_their_own(call_centre):
    places = [(WINDOW, 0), (WINDOW, 1), ("call_centre-20261127T131000Z", 0)]

    batches = [call_centre.draw(Position(window, number, 0, 1000, START, RATE)) for window, number in places]

    ids = {key for batch in batches for key in batch["ura"].keys.to_pylist()}
    clients = [tuple(record["id_cliente"] for record in read(batch["ura"])) for batch in batches]
    assert len(ids) == 3000
    assert len(set(clients)) == 3


def test_records_are_frozen_for_this_version_of_the_feed(whole):
    """A retry after a deployment must draw the same records; a change raises VERSION in `building`."""
    digest = hashlib.sha256()
    for stream in STREAMS:
        digest.update(b"".join(whole[stream].lines.to_pylist()))
        digest.update("|".join(whole[stream].keys.to_pylist()).encode())

    assert digest.hexdigest() == "ffb5c624d36df30bd4c613bcf6c90f666593a7af1f819c2a275420a4b4a29662"


@pytest.mark.parametrize(
    ("day", "before", "after"),
    [
        (datetime(2018, 11, 4, 2, 50, tzinfo=UTC), "2018-11-03T23:59:59.999-03:00", "2018-11-04T01:00:00.000-02:00"),
        (datetime(2019, 2, 17, 1, 50, tzinfo=UTC), "2019-02-16T23:59:59.999-02:00", "2019-02-16T23:00:00.000-03:00"),
    ],
    ids=["an hour is skipped", "an hour comes twice"],
)
def test_instants_stay_right_and_in_order_over_a_change_of_the_clock(call_centre, day, before, after):
    batch = call_centre.draw(Position(WINDOW, 0, 0, 1200, microseconds(day), 1.0))

    ura, calls = read(batch["ura"]), read(batch["calls"])
    for number, record in enumerate(ura):
        start = datetime.fromisoformat(record["data_hora_inicio"])
        assert timedelta(seconds=1) <= start - day - timedelta(seconds=number) <= timedelta(seconds=5)
    for record in (*ura, *calls):
        start, end = (datetime.fromisoformat(record[name]) for name in ("data_hora_inicio", "data_hora_fim"))
        assert timedelta(seconds=30) <= end - start <= timedelta(seconds=300)
    changed = datetime.fromisoformat(after)
    assert changed - datetime.fromisoformat(before) == timedelta(milliseconds=1)
    for record in ura:
        expected = after[-6:] if datetime.fromisoformat(record["data_hora_inicio"]) >= changed else before[-6:]
        assert record["data_hora_inicio"].endswith(expected)
    assert {record["data_hora_inicio"][-6:] for record in ura} == {"-03:00", "-02:00"}


def test_nothing_is_drawn_when_nothing_is_asked(call_centre):
    batch = call_centre.draw(Position(WINDOW, 0, 5, 0, START, RATE))

    assert {stream: len(records) for stream, records in batch.items()} == dict.fromkeys(STREAMS, 0)


def test_a_call_that_nobody_attends_comes_alone(call_centre, whole):
    alone = next(n for n, record in enumerate(read(whole["ura"])) if not record["derivado_atendimento"])

    batch = call_centre.draw(Position(WINDOW, 3, alone, 1, START, RATE))

    assert {stream: len(records) for stream, records in batch.items()} == {"ura": 1, "calls": 0, "surveys": 0}


@pytest.mark.parametrize(("first", "count", "rate"), [(-1, 1, 1.0), (0, -1, 1.0), (0, 2**20 + 1, 1.0), (0, 1, 0.0)])
def test_impossible_draws_are_refused(call_centre, first, count, rate):
    with pytest.raises(ValueError, match=r"can't draw|a rate is"):
        call_centre.draw(Position(WINDOW, 0, first, count, START, rate))


def test_threads_draw_what_one_would(call_centre, whole):
    found: dict[int, bool] = {}

    def draw(number: int) -> None:
        piece = call_centre.draw(Position(WINDOW, 3, number * 1000, 1000, START, RATE))
        found[number] = piece["ura"].lines.equals(whole["ura"].lines.slice(number * 1000, 1000))

    threads = [threading.Thread(target=draw, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == dict.fromkeys(range(10), True)


def test_its_windows_are_those_of_the_call_centre():
    assert [stream.name for stream in FEED.streams] == STREAMS
    assert (FEED.every, FEED.length) == (timedelta(minutes=10), timedelta(minutes=10))
    assert (FEED.rate, FEED.zone) == (0.16, "America/Sao_Paulo")
    assert FEED.lookups == ("dim_clientes", "dim_assistentes") == tuple(one.name for one in FEED.dimensions)
