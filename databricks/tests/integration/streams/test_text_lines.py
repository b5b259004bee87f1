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
        text("latitude:51.1, longitude:0.1,appid:a\n", rows="1"),
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
        "contract: expected gps/1, found gps/0",
    ]
    house.drop()
