"""Reading back the rows of a SQL table."""

import sqlite3
from contextlib import closing

from local.demo.sql_reader import read_table


async def test_each_row_has_its_key_and_a_table_that_is_not_there_has_none(tmp_path):
    database = tmp_path / "sql.sqlite"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE items (order_id TEXT, number INT, price REAL)")
        connection.executemany("INSERT INTO items VALUES (?, ?, ?)", [("a", 1, 9.5), ("a", 2, 1.0)])

    found = await read_table(database, "items", ["order_id", "number"])

    assert [record.key for record in found] == [("a", 1), ("a", 2)]
    assert await read_table(database, "orders", ["order_id"]) == []
