"""The SQL sink on a SQLite file: exactly once whatever breaks off, upgrades in place, counts replaced whole."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

from lakehouse.lake.progress import Progress
from lakehouse.pipelines.kinds.kind import NewRows, RowsOfValues
from lakehouse.sinks import sql
from lakehouse.sinks.sql import Overtaken
from lakehouse.sinks.tables import UnfitTable
from sql_tables import ALL_TYPES, BY_DAY, TRADES, table

WINDOW = "trades-20261122T100000Z"
ANOTHER = "trades-20261122T110000Z"
AT = datetime(2026, 11, 22, 10, 0, 0, 1, UTC)


def progress(version):
    return Progress({"gold.trades_enriched": version})


def trades(spark, *numbers, **changes):
    identity = {"venue": "kraken", "market": "BTC/USD", "window_id": WINDOW, "timestamp": AT, "price": Decimal(1)}
    rows = [identity | {"trade_id": number} | changes for number in numbers]
    names = TRADES.schema.names
    return NewRows(spark.createDataFrame([tuple(row.get(name) for name in names) for row in rows], TRADES.schema))


def things(spark, **row):
    made = {"id": 1, "needed": "x"} | row
    return spark.createDataFrame([tuple(made.get(name) for name in ALL_TYPES.schema.names)], ALL_TYPES.schema)


@pytest.fixture
def prepared(sink):
    sink.prepare([TRADES])
    return sink


def test_a_row_that_comes_again_takes_the_place_of_the_former(database, prepared, spark):
    prepared.write(TRADES, trades(spark, 1), progress(1))
    prepared.write(TRADES, trades(spark, 1, price=Decimal(2)), progress(2))

    assert database.query("SELECT price, timestamp FROM Trades") == [(2, "2026-11-22T10:00:00.000001Z")]


def test_a_days_measures_take_the_place_of_what_the_day_had(database, sink, spark):
    sink.prepare([BY_DAY])
    days = [date(2026, 11, day) for day in (22, 23)]
    rows = [(day, "Cartões", 1, 202611, 3, True, Decimal("33.3333")) for day in days]
    sink.write(BY_DAY, NewRows(spark.createDataFrame(rows, BY_DAY.schema)), progress(1))
    others = [
        (days[0], "Cobrança", 2, 202611, 0, None, None),
        (days[0], "Cartões", 1, 202611, 4, False, Decimal(-100)),
    ]

    sink.write(BY_DAY, RowsOfValues(spark.createDataFrame(others, BY_DAY.schema), "day", days[:1]), progress(2))

    assert sorted(database.query("SELECT day, area, agent, period, calls, is_full, share FROM Measures")) == [
        ("2026-11-22", "Cartões", 1, 202611, 4, 0, -100),
        ("2026-11-22", "Cobrança", 2, 202611, 0, None, None),
        ("2026-11-23", "Cartões", 1, 202611, 3, 1, 33.3333),
    ]


def test_the_next_process_goes_on_from_what_the_database_says(make_sink, prepared, spark):
    prepared.write(TRADES, trades(spark, 1), progress(5))
    another = make_sink()
    another.prepare([TRADES])

    assert another.progress(TRADES) == progress(5)


def broken_off(sink, rows, monkeypatch):
    """Let a write be killed after its rows were staged, within its transaction."""

    def killed(*_arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(sql, "changes", killed)
        with pytest.raises(KeyboardInterrupt):
            sink.write(TRADES, rows, progress(1))


def test_a_write_that_breaks_off_leaves_neither_rows_nor_progress(database, prepared, make_sink, monkeypatch, spark):
    broken_off(prepared, trades(spark, 1), monkeypatch)
    another = make_sink()
    staged = database.query("SELECT trade_id FROM Trades_staging")
    another.prepare([TRADES])

    assert (staged, database.query("SELECT * FROM Trades"), another.progress(TRADES)) == ([(1,)], [], None)
    assert database.query("SELECT * FROM Trades_staging") == []


def test_what_a_broken_off_try_left_in_staging_is_not_written(database, prepared, monkeypatch, spark):
    broken_off(prepared, trades(spark, 8, 9), monkeypatch)

    prepared.write(TRADES, trades(spark, 1), progress(1))

    assert database.query("SELECT trade_id FROM Trades") == [(1,)]
    assert database.query("SELECT trade_id FROM Trades_staging") == []


def test_a_commit_whose_answer_was_lost_is_not_done_twice(database, make_sink, monkeypatch, spark):
    sink, committed = make_sink(waits=(1.0,)), sql.transaction
    sink.prepare([TRADES])
    sink.progress(TRADES)
    lost = iter([True])

    def losing(*arguments):
        class Losing:
            def __enter__(self):
                self.inner = committed(*arguments)
                return self.inner.__enter__()

            def __exit__(self, *failure):
                self.inner.__exit__(*failure)
                if next(lost, False):
                    database.query("DELETE FROM Trades")
                    raise Py4JError("connection reset")

        return Losing()

    monkeypatch.setattr(sql, "transaction", losing)
    sink.write(TRADES, trades(spark, 1), progress(1))

    assert database.query("SELECT COUNT(*) FROM Trades") == [(0,)]
    assert sink.progress(TRADES) == progress(1)


def test_a_run_that_was_overtaken_writes_nothing(database, prepared, make_sink, spark):
    prepared.progress(TRADES)
    another = make_sink()
    another.prepare([TRADES])
    another.write(TRADES, trades(spark, 1, 2), progress(2))

    with pytest.raises(Overtaken, match="Trades: another run"):
        prepared.write(TRADES, trades(spark, 3), progress(1))

    assert another.progress(TRADES) == progress(2)
    assert database.query("SELECT trade_id FROM Trades ORDER BY 1") == [(1,), (2,)]


def test_a_database_that_is_away_for_a_while_is_asked_again(database, make_sink, spark):
    waited, rows = [], trades(spark, 1)

    def sleep(seconds):
        waited.append(seconds)
        database.query("ALTER TABLE Away RENAME TO Trades_staging")

    sink = make_sink(sleep, waits=(1.0, 2.0))
    sink.prepare([TRADES])
    database.query("ALTER TABLE Trades_staging RENAME TO Away")

    sink.write(TRADES, rows, progress(1))

    assert (waited, sink.count(TRADES, WINDOW)) == ([1.0], 1)


def test_rows_are_counted_by_their_window(prepared, spark):
    prepared.write(TRADES, trades(spark, 1, 2), progress(1))
    prepared.write(TRADES, trades(spark, 3, window_id=ANOTHER), progress(2))

    assert [prepared.count(TRADES, window) for window in (WINDOW, ANOTHER, "trades-x")] == [2, 1, 0]


def test_each_type_arrives_as_it_was(database, sink, spark):
    sink.prepare([ALL_TYPES])
    row = {"text": "\U0001f600é", "amount": Decimal("-12345678.90"), "at": datetime(1, 1, 1, tzinfo=UTC)}
    row |= {"day": date(9999, 12, 31), "flag": True, "ratio": 0.1, "few": -5}

    sink.write(ALL_TYPES, NewRows(things(spark, **row)), progress(1))

    assert database.query("SELECT id, text, amount, at, day, flag, ratio, few, needed FROM Things") == [
        (1, "\U0001f600é", -12345678.9, "0001-01-01T00:00:00.000000Z", "9999-12-31", 1, 0.1, -5, "x")
    ]


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("text", "repeat('x', 1000000)", "Things.text: at most 8 characters"),
        ("at", "timestamp_micros(-62167219200000000)", "Things.at: a time of the years 0001 to 9999"),
        ("day", "date_from_unix_date(-719528)", "Things.day: a day of the years 0001 to 9999"),
        ("ratio", "double('NaN')", "Things.ratio: a finite number"),
        ("amount", "decimal(100000000)", "Things.amount: at most 8 digits before the point"),
        ("needed", "string(null)", "Things.needed"),
    ],
    ids=["a long text", "the year 0", "a day of the year 0", "not a number", "a great number", "nothing"],
)
def test_what_azure_sql_could_not_hold_is_refused_on_one_machine_too(sink, spark, column, value, why):
    sink.prepare([ALL_TYPES])
    row = things(spark).withColumn(column, F.expr(value))

    with pytest.raises((Py4JError, PySparkException)) as refused:
        sink.write(ALL_TYPES, NewRows(row), progress(1))

    assert why in str(refused.value)
    assert sink.progress(ALL_TYPES) is None


def test_a_table_gets_the_column_that_it_lacks_and_so_does_its_staging(database, make_sink, sink, spark):
    sink.prepare([table("id long, needed string(4)!", "id")])
    database.query("INSERT INTO Things VALUES (7, 'old')")
    upgraded = make_sink()

    upgraded.prepare([ALL_TYPES])
    upgraded.write(ALL_TYPES, NewRows(things(spark, text="new")), progress(1))

    assert database.query("SELECT id, text, needed FROM Things ORDER BY 1") == [(1, "new", "x"), (7, None, "old")]


def test_a_table_of_another_shape_is_refused_by_name_and_left_alone(database, sink):
    database.query("CREATE TABLE Things (id TEXT PRIMARY KEY)")

    with pytest.raises(UnfitTable) as refused:
        sink.prepare([ALL_TYPES])

    assert "Things.id: the database's column is TEXT, which can't be made INT" in str(refused.value)
    assert "Things.needed: the database's table lacks it" in str(refused.value)
    assert database.query("SELECT name FROM sqlite_master WHERE type = 'table'") == [("Things",)]


def test_tables_are_made_for_what_is_published_alone(database, sink):
    sink.prepare([TRADES, table("id binary", sql="", name="unmatched")])
    sink.prepare([TRADES])

    assert sorted(name for (name,) in database.query("SELECT name FROM sqlite_master WHERE type = 'table'")) == [
        *("Trades", "Trades_keys", "Trades_staging", "published", "window_counts")
    ]


def test_counts_take_the_place_of_former_ones(database, prepared):
    prepared.write_counts({(WINDOW, "trades"): [("gold", "a", 3), ("sql", "Trades", 3)], (ANOTHER, "x"): []})
    prepared.write_counts({(WINDOW, "trades"): [("gold", "a", 0)], (ANOTHER, "x"): [("hole", "partition 0: 5-9", 5)]})

    assert database.query("SELECT window_id, stream, stage, name, rows, updated_at FROM window_counts ORDER BY 1") == [
        (WINDOW, "trades", "gold", "a", 0, "2026-11-22T10:10:07.000001"),
        (ANOTHER, "x", "hole", "partition 0: 5-9", 5, "2026-11-22T10:10:07.000001"),
    ]


def test_a_name_too_long_for_counts_is_cut_and_never_keeps_the_others_out(database, prepared):
    prepared.write_counts({(WINDOW, "trades"): [("gold", "\U0001f600" * 65, 1), ("gold", "\U0001f600" * 70, 2)]})

    assert database.query("SELECT name, rows FROM window_counts") == [("\U0001f600" * 64, 3)]
