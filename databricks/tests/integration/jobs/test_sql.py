"""The SQL sink on a SQLite file: a batch counts once, a re-run replaces, counts are replaced whole."""

from datetime import timedelta
from decimal import Decimal

import pytest

from job_house import START, WINDOW
from lakehouse.gold import GOLD
from lakehouse.lake.tables import MicroBatch


@pytest.fixture
def sink(house):
    made = house.sink()
    made.prepare()
    made.prepare()
    return made


def gold(spark, *numbers, price="0.000012345678901234"):
    identity = {
        "venue": "kraken",
        "market": "BTC/USD",
        "window_id": WINDOW,
        "timestamp": START + timedelta(microseconds=1),
    }
    rows = [{**identity, "trade_id": number, "price": Decimal(price)} for number in numbers]
    return spark.createDataFrame([tuple(row.get(name) for name in GOLD.names) for row in rows], GOLD)


def test_a_batch_is_written_once_however_often_it_is_handed_over(house, sink, spark):
    first = sink.write_trades(gold(spark, 1, 2), MicroBatch("q", 0))
    house.sql("DELETE FROM Trades WHERE trade_id = 2")
    again = sink.write_trades(gold(spark, 1, 2), MicroBatch("q", 0))

    assert (first, again, sink.count_trades(WINDOW)) == (True, False, 1)
    assert house.sql("SELECT COUNT(*) FROM Trades_staging") == [(0,)]


def test_a_new_checkpoint_counts_its_batches_anew(sink, spark):
    sink.write_trades(gold(spark, 1), MicroBatch("q", 0))

    written = sink.write_trades(gold(spark, 2), MicroBatch("another", 0))

    assert (written, sink.count_trades(WINDOW)) == (True, 2)


def test_a_row_that_comes_again_takes_the_place_of_the_former(house, sink, spark):
    sink.write_trades(gold(spark, 1, price="1"), MicroBatch("q", 0))
    sink.write_trades(gold(spark, 1, price="2"), MicroBatch("q", 1))

    assert house.sql("SELECT price, timestamp FROM Trades") == [(2, "2026-11-22T10:00:00.000001Z")]


def test_what_a_broken_off_try_left_in_staging_is_not_written(house, sink, spark):
    house.sql(
        "INSERT INTO Trades_staging (venue, market, trade_id, window_id, batch) VALUES ('x', 'x', 9, 'w', 'q/0'), "
        "('x', 'x', 8, 'w', 'other/0')"
    )

    sink.write_trades(gold(spark, 1), MicroBatch("q", 0))

    assert house.sql("SELECT trade_id FROM Trades") == [(1,)]
    assert house.sql("SELECT trade_id FROM Trades_staging") == [(8,)]


def test_a_rewritten_window_holds_the_new_rows_alone(house, sink, spark):
    sink.write_trades(gold(spark, 1, 2), MicroBatch("q", 0))

    sink.rewrite_trades(gold(spark, 2, 3), WINDOW)

    assert house.sql("SELECT trade_id FROM Trades ORDER BY 1") == [(2,), (3,)]


def test_counts_take_the_place_of_former_ones(house, sink):
    sink.write_counts(WINDOW, "trades", [("unmatched", "", 3), ("unmatched", "XYZ", 3)])
    sink.write_counts(WINDOW, "trades", [("unmatched", "", 0)])

    assert house.sql("SELECT window_id, stream, stage, name, rows FROM window_counts") == [
        (WINDOW, "trades", "unmatched", "", 0)
    ]


def test_a_claimed_piece_of_work_is_remembered(sink):
    before = sink.claimed("power_bi/q/0")
    sink.claim("power_bi/q/0")

    assert (before, sink.claimed("power_bi/q/0")) == (False, True)
