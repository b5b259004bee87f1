"""Points that came as lines of text stand in silver as records of gps/1."""

from datetime import datetime
from decimal import Decimal

from pyspark.sql import functions as F

from job_house import START
from silver_house import SilverHouse, event, with_properties

WINDOW = "gps-20261122T100000Z"


def text(line, **properties):
    return with_properties(event(line.encode(), window=WINDOW), contract="gps/0", **properties)


def test_a_line_is_the_point_that_it_says_at_the_time_at_which_the_hub_took_it(spark):
    house = SilverHouse(spark, stream="gps", feed="gps")
    silver = house.started()
    point = {"appid": "b", "latitude": 1.5, "longitude": 2, "time": "2026-11-22T10:00:01Z"}
    house.send(
        text("latitude:51.1, longitude:0.1,appid:abcde-j1"),
        text(' latitude : +5. ,\tlongitude:-.25,appid: say "a" '),
        with_properties(event(point, window=WINDOW), contract="gps/1"),
        text("latitude:92, longitude:0.1,appid:a"),
        text("latitude:nan, longitude:0.1,appid:a"),
        text("51.1 0.1 a"),
        text("latitude:51.1, longitude:0.1,appid:", rows=None),
    )

    silver.run_pass()

    rows = house.lake.read("silver.gps").select("appid", "latitude", "longitude", F.unix_micros("time"))
    taken = round(START.timestamp()) * 1_000_000
    assert sorted(map(tuple, rows.collect())) == [
        ("abcde-j1", Decimal("51.1"), Decimal("0.1"), taken),
        ("b", Decimal("1.5"), Decimal(2), round(datetime.fromisoformat(point["time"]).timestamp()) * 1_000_000),
        ('say "a"', Decimal(5), Decimal("-0.25"), taken),
    ]
    assert house.reasons() == [
        "latitude: above 90",
        "the record is not one JSON object in UTF-8 with each name once",
        "the record is not one JSON object in UTF-8 with each name once",
        "appid: shorter than 1",
    ]
    house.drop()


def test_a_pack_of_lines_is_read_line_by_line_and_a_compressed_one_is_named(spark):
    house = SilverHouse(spark, stream="gps", feed="gps")
    silver = house.started()
    house.send(
        text("latitude:51.2, longitude:0.2,appid:c\nlatitude:x, longitude:0.1,appid:d\n51.1 a\n", rows="3"),
        text("latitude:51.3, longitude:0.3,appid:e", rows="1", encoding="identity"),
        text("latitude:51.1, longitude:0.1,appid:a\n", rows="1", encoding="zstd"),
        text("latitude:51.1, longitude:0.1,appid:a\n", rows="2"),
    )

    silver.run_pass()

    rows = house.lake.read("silver.gps").select("appid", "latitude", "longitude")
    assert sorted(map(tuple, rows.collect())) == [
        ("c", Decimal("51.2"), Decimal("0.2")),
        ("e", Decimal("51.3"), Decimal("0.3")),
    ]
    assert house.reasons() == [
        "the record is not one JSON object in UTF-8 with each name once",
        "the record is not one JSON object in UTF-8 with each name once",
        "contract: expected gps/1, found gps/0",
        "rows: the pack says 2 and holds 1",
    ]
    house.drop()
