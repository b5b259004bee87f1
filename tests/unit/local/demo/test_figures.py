import io
import sqlite3
from contextlib import closing

import pytest
from rich.console import Console

from local.demo.figures import Figures, print_figures, read_figures


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "sql.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute('CREATE TABLE published ("table" TEXT)')
        connection.executemany("INSERT INTO published VALUES (?)", [("days",), ("Trades",), ("window_counts/trades",)])
        connection.execute("CREATE TABLE days (DT_REFE TEXT, ID_FILA TEXT, QT_CHAM INT)")
        connection.executemany(
            "INSERT INTO days VALUES (?, ?, ?)", [("2026-11-27", f"URA_{n}", n) for n in reversed(range(7))]
        )
        connection.execute("CREATE TABLE Trades (id TEXT, window_id TEXT)")
        connection.execute("CREATE TABLE days_staging (DT_REFE TEXT)")
    return path


def test_tables_without_a_row_a_record_are_read_with_their_first_rows(database):
    (found,) = read_figures(database)

    assert (found.table, found.count, found.columns) == ("days", 7, ["DT_REFE", "ID_FILA", "QT_CHAM"])
    assert found.rows[0] == ("2026-11-27", "URA_0", 0)
    assert len(found.rows) == 5


def test_where_no_run_has_published_anything_there_is_nothing_to_show(tmp_path):
    empty = tmp_path / "empty.sqlite"
    sqlite3.connect(empty).close()

    assert read_figures(tmp_path / "absent.sqlite") == read_figures(empty) == []


@pytest.mark.parametrize("is_terminal", [True, False])
def test_rows_are_printed_under_the_names_of_their_columns(is_terminal):
    console = Console(file=io.StringIO(), force_terminal=is_terminal, width=80)

    print_figures(console, [Figures("days", 7, ["day", "nps"], [("2026-11-27", None)])])

    printed = console.file.getvalue()
    assert "days: 1 of 7 rows" in printed
    assert "nps" in printed
    assert "-" in printed.splitlines()[-1 if not is_terminal else -2]
