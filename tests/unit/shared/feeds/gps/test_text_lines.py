import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.feeds.gps.text_lines import read_text_lines

LINE = "latitude:51.1, longitude:0.1,appid:abcde-j12345-e12345-f12345"
AT = 1_795_341_600_000_000


def read(*lines):
    return read_text_lines(pa.array(lines, pa.string()), np.arange(len(lines)) * 1_000_000 + AT)


def test_a_line_becomes_a_record_with_the_time_of_its_event():
    records = read(LINE)

    (line,) = records.lines.to_pylist()
    assert json.loads(line) == {
        "appid": "abcde-j12345-e12345-f12345",
        "latitude": 51.1,
        "longitude": 0.1,
        "time": "2026-11-22T10:00:00.000000Z",
    }
    assert records.keys.to_pylist() == ["abcde-j12345-e12345-f12345"]
    assert records.refusals == ()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "it is not `latitude"),
        (None, "it is not `latitude"),
        ('{"latitude":51.1}', "it is not `latitude"),
        ("longitude:0.1, latitude:51.1,appid:a", "it is not `latitude"),
        (LINE + ",more", "it is not `latitude"),
        (LINE + "\n" + LINE, "it is not `latitude"),
        ("latitude:, longitude:0.1,appid:a", "its latitude is no number"),
        ("latitude:nan, longitude:0.1,appid:a", "its latitude is no number"),
        ("latitude:51.1, longitude:inf,appid:a", "its longitude is no number"),
        ("latitude:51.1, longitude:0x10,appid:a", "its longitude is no number"),
        ("latitude:90.1, longitude:0.1,appid:a", "its latitude is not from -90 to 90"),
        ("latitude:51.1, longitude:-180.5,appid:a", "its longitude is not from -180 to 180"),
        ("latitude:51.1, longitude:0.1,appid: ", "its appid is blank"),
        ("latitude:51.1, longitude:0.1,appid:" + "a" * 65, "its appid is longer than 64 characters"),
    ],
)
def test_a_bad_line_is_refused_with_its_reason_and_costs_no_other(line, reason):
    records = read(LINE, line, LINE)

    (refusal,) = records.refusals
    assert refusal.rows == 1
    assert reason in refusal.reason
    assert [json.loads(one)["time"][17:19] for one in records.lines.to_pylist()] == ["00", "02"]


def test_bad_lines_are_counted_by_reason():
    records = read("?", LINE, "latitude:91, longitude:0,appid:a", "!", "latitude:x, longitude:y,appid:")

    assert [(refusal.rows, refusal.reason) for refusal in records.refusals] == [
        (2, "A line of gps/0 can't be read: it is not `latitude:<degrees>, longitude:<degrees>,appid:<id>`."),
        (1, "A line of gps/0 can't be read: its latitude is no number."),
        (1, "A line of gps/0 can't be read: its latitude is not from -90 to 90."),
    ]
    assert len(records) == 1


def test_bytes_are_read_and_those_that_are_no_text_are_refused():
    records = read_text_lines(pa.array([LINE.encode(), b"\xff\xfe"], pa.binary()), np.array([AT, AT]))

    assert len(records) == 1
    assert [refusal.rows for refusal in records.refusals] == [1]


def test_no_lines_give_no_records():
    records = read()

    assert (len(records), records.refusals) == (0, ())


@given(st.lists(st.one_of(st.text(max_size=40), st.just(LINE)), max_size=20))
def test_every_line_is_a_record_or_refused(lines):
    records = read(*lines)

    assert len(records) + sum(refusal.rows for refusal in records.refusals) == len(lines)
    assert len(records) == lines.count(LINE)


@given(
    latitude=st.floats(-90, 90), longitude=st.floats(-180, 180), appid=st.from_regex(r"[a-z0-9-]{1,64}", fullmatch=True)
)
def test_what_was_written_is_read(latitude, longitude, appid):
    (line,) = read(f"latitude:{latitude:.9f}, longitude:{longitude:.9f},appid:{appid}").lines.to_pylist()

    record = json.loads(line)
    assert record["appid"] == appid
    assert (record["latitude"], record["longitude"]) == pytest.approx((latitude, longitude), abs=1e-9)
