"""The SQLite file refuses what Azure SQL would refuse, and its statements do what a table in memory would."""

import sqlite3
from contextlib import closing
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.pipelines.kinds.kind import NewRows, RowsOfKeys, RowsOfValues
from lakehouse.sinks.ddl import create_staging, ddl
from lakehouse.sinks.lengths import length_of
from lakehouse.sinks.sql import changes
from lakehouse.sinks.statements import add_count, clear
from lakehouse.sinks.tables import WINDOW_COUNTS, sql_table
from sql_tables import ALL_TYPES, table

GOOD = {"id": 1, "needed": "x"}
EARLIEST, LATEST = "0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"
BY_DAY = sql_table(table("a string(4), b long, day date, amount long", "a", "b"), length_of)


def opened(*tables):
    connection = sqlite3.connect(":memory:")
    for made in tables:
        for statement in ddl(made, "sqlite"):
            connection.execute(statement)
    return connection


def insert(connection, **values):
    names = ", ".join(f'"{name}"' for name in values)
    connection.execute(f'INSERT INTO "Things" ({names}) VALUES ({", ".join("?" * len(values))})', list(values.values()))


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("text", "123456789", "Things.text: at most 8 characters"),
        ("text", "\U0001f600" * 4 + "x", "Things.text: at most 8 characters"),
        ("text", "\U0002000b" * 5, "Things.text: at most 8 characters"),
        ("text", "x" * 1_000_000, "Things.text: at most 8 characters"),
        ("needed", None, "Things.needed"),
        ("amount", "100000000", "Things.amount: at most 8 digits before the point"),
        ("amount", "-1e400", "Things.amount"),
        ("amount", "many", "Things.amount"),
        ("at", "0000-01-01T00:00:00.000000Z", "Things.at: a time of the years 0001 to 9999"),
        ("at", "10000-01-01T00:00:00.000000Z", "Things.at"),
        ("at", "-001-01-01T00:00:00.000000Z", "Things.at"),
        ("at", "2026-02-29T00:00:00.000000Z", "Things.at"),
        ("at", "2026-02-28T00:00:00Z", "Things.at"),
        ("at", "yesterday", "Things.at"),
        ("day", "0000-01-01", "Things.day: a day of the years 0001 to 9999"),
        ("day", "2026-02-29", "Things.day"),
        ("day", "2026-2-1", "Things.day"),
        ("flag", 2, "Things.flag: 0 or 1"),
        ("ratio", "NaN", "Things.ratio: a finite number"),
        ("ratio", float("inf"), "Things.ratio: a finite number"),
        ("few", 2**31, "Things.few: an integer of 32 bits"),
        ("id", "9223372036854775808", "Things.id: an integer of 64 bits"),
        ("id", "one", "Things.id: an integer of 64 bits"),
    ],
)
def test_what_azure_sql_could_not_hold_is_refused_with_table_and_column(column, value, why):
    with closing(opened(sql_table(ALL_TYPES, length_of))) as connection:
        with pytest.raises(sqlite3.IntegrityError) as refused:
            insert(connection, **GOOD | {column: value})

        assert why in str(refused.value)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("text", value) for value in ("12345678", "\U0001f600" * 4, "äöüßäöüß", "", None)),
        *(("amount", value) for value in ("99999999.99", "-0.01", "0", None)),
        *(("at", value) for value in (EARLIEST, LATEST, "2028-02-29T23:59:59.999999", None)),
        *(("day", value) for value in ("0001-01-01", "9999-12-31", None)),
        *(("flag", value) for value in (0, 1, None)),
        *(("ratio", value) for value in ("1.0E10", 1e308, "-0.5", 1, None)),
        *(("few", value) for value in (-(2**31), 2**31 - 1, None)),
        *(("id", value) for value in (-(2**63), 2**63 - 1)),
    ],
)
def test_what_azure_sql_holds_is_taken(column, value):
    with closing(opened(sql_table(ALL_TYPES, length_of))) as connection:
        insert(connection, **GOOD | {column: value})

        assert connection.execute('SELECT COUNT(*) FROM "Things"').fetchone() == (1,)


def test_counts_whose_names_are_one_to_the_database_are_summed_up():
    row = ("trades-20261122T100000Z", "trades", "gold", "trades_unmatched/BTC", 3, "2026-11-22T10:00:00.000001")

    with closing(opened(WINDOW_COUNTS)) as connection:
        connection.executemany(add_count("sqlite"), [row, row])

        assert connection.execute('SELECT "name", "rows" FROM "window_counts"').fetchall() == [(row[3], 6)]


DAYS = [date(2026, 11, day) for day in (22, 23)]
KEYS = st.tuples(st.sampled_from(["a", "A"]), st.integers(0, 2))
ROWS = st.dictionaries(KEYS, st.tuples(st.sampled_from(DAYS), st.integers(0, 9)), max_size=4)
STEPS = st.one_of(
    ROWS.map(lambda rows: (NewRows, rows, None)),
    st.tuples(ROWS, st.sets(KEYS)).map(lambda drawn: (RowsOfKeys, drawn[0], drawn[1] | set(drawn[0]))),
    st.tuples(ROWS, st.sets(st.sampled_from(DAYS))).map(
        lambda drawn: (RowsOfValues, drawn[0], drawn[1] | {day for day, _ in drawn[0].values()})
    ),
)


def staged(connection, rows, keys, batch):
    connection.execute(clear(BY_DAY.staging))
    connection.execute(clear(BY_DAY.keys))
    cells = [(*key, day.isoformat(), amount, batch) for key, (day, amount) in rows.items()]
    connection.executemany(f'INSERT INTO "{BY_DAY.staging}" VALUES (?, ?, ?, ?, ?)', cells * 2)
    connection.execute(f"INSERT INTO \"{BY_DAY.staging}\" VALUES ('z', 9, NULL, NULL, 'of another try')")
    connection.executemany(f'INSERT INTO "{BY_DAY.keys}" VALUES (?, ?, ?)', [(*key, batch) for key in keys])


def modelled(held, kind, rows, gone):
    if kind is RowsOfKeys:
        held = {key: row for key, row in held.items() if key not in gone}
    if kind is RowsOfValues:
        held = {key: row for key, row in held.items() if row[0] not in gone}
    return held | rows


@given(st.lists(STEPS, max_size=6))
def test_the_table_holds_what_a_table_in_memory_would(steps):
    held = {}

    with closing(opened(BY_DAY)) as connection:
        for name, columns in ((BY_DAY.staging, BY_DAY.names), (BY_DAY.keys, BY_DAY.key)):
            for statement in create_staging(BY_DAY, name, columns, "sqlite"):
                connection.execute(statement)
        for number, (kind, rows, gone) in enumerate(steps):
            staged(connection, rows, gone if kind is RowsOfKeys else (), str(number))
            more = {NewRows: (), RowsOfKeys: (None,), RowsOfValues: ("day", sorted(gone or ()))}[kind]
            for statement, cells in changes(BY_DAY, kind(None, *more), str(number), "sqlite"):
                connection.execute(statement, cells)
            held = modelled(held, kind, rows, gone)
        found = connection.execute('SELECT "a", "b", "day", "amount" FROM "Things"').fetchall()

    assert {(a, b): (date.fromisoformat(day), amount) for a, b, day, amount in found} == held
    assert len(found) == len(held)
