import json

import pytest

from emulators.exchange.instants import SECOND, from_text, to_text
from emulators.exchange.recording import play, read_recording

START = from_text("2026-11-22T10:00:00Z")


def frame(kind: str, product: str, trade_id: int, second: float) -> str:
    body = {"type": kind, "product_id": product, "trade_id": trade_id, "sequence": trade_id, "side": "sell"}
    body |= {"price": "1.50", "size": "2", "time": to_text(round(second * SECOND))}
    return f"{second} < {json.dumps(body)}"


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "frames.txt"
    lines = [
        '0.5 > {"type":"subscribe"}',
        frame("last_match", "A-B", 9, 1),
        frame("ticker", "A-B", 9, 1),
        frame("match", "A-B", 10, 4),
        frame("match", "A-B", 11, 6),
        frame("last_match", "C-D", 5, 2),
    ]
    path.write_text("\n".join(lines))
    return read_recording(path)


def test_the_recorded_file_has_its_97_matches_and_10_anchors(recording_file):
    recording = read_recording(recording_file)

    assert len(recording.matches) == 97
    assert len(recording.anchors) == len(recording.products) == 10


def test_the_first_match_falls_on_the_start_and_the_last_one_29_6_seconds_later(recording_file):
    markets = play(read_recording(recording_file), start=START, speed=1)

    for market in markets.values():
        market.settle(START + 60 * SECOND)

    times = sorted(time for market in markets.values() for time in market.times)
    assert len(times) == 97
    assert times[0] == START
    assert times[-1] - times[0] == 29_579_665


def test_the_recorded_ids_follow_their_anchor_without_a_hole(recording_file):
    markets = play(read_recording(recording_file), start=START, speed=1)

    for market in markets.values():
        market.settle(START + 60 * SECOND)
        assert list(market.ids) == list(range(market.anchor.trade_id + 1, market.anchor.trade_id + 1 + len(market.ids)))


def test_the_speed_divides_the_distances_but_leaves_the_start(small):
    market = play(small, start=START, speed=4)["A-B"]

    market.settle(START + 60 * SECOND)

    assert list(market.times) == [START, START + SECOND // 2]


def test_a_match_is_covered_until_its_moment(small):
    market = play(small, start=START, speed=1)["A-B"]

    market.settle(START - 1)
    assert list(market.ids) == []
    market.settle(START)
    assert list(market.ids) == [10]


def test_anchors_are_shifted_with_the_matches(small):
    markets = play(small, start=START, speed=1)

    assert markets["A-B"].anchor.time == START - 3 * SECOND
    assert markets["C-D"].anchor.trade_id == 5


def test_nothing_happens_without_a_start(small):
    market = play(small, start=None, speed=1)["A-B"]

    market.settle(START)

    assert list(market.ids) == []


def test_the_maker_side_of_a_frame_is_the_other_side_of_the_taker(small):
    assert {match.taker for match in small.matches} == {"buy"}


@pytest.mark.parametrize(("text", "complaint"), [("hello", "frames.txt:1"), ("", "no match")])
def test_a_file_that_is_no_recording_is_refused_by_name(tmp_path, text, complaint):
    path = tmp_path / "frames.txt"
    path.write_text(text)

    with pytest.raises(ValueError, match=complaint):
        read_recording(path)
