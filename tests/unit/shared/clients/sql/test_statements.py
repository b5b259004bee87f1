"""The statements as both databases get them: each parses, and the tables are those that an administrator makes."""

import re

import pytest
import sqlglot
from sqlalchemy.dialects import mssql, sqlite
from sqlalchemy.sql import Executable
from sqlglot import expressions

from shared.clients.sql import statements
from shared.clients.sql.statements import COUNT_OBJECTS, count_rows, last_measurements
from shared.clients.sql.tables import ADMINISTRATORS_FILE, ALERTS, METRICS, WINDOW_COUNTS, create_table
from shared.clients.sql.transaction import APPLOCK
from tests.architecture.tree import text

DIALECTS = {"tsql": mssql.dialect(paramstyle="qmark"), "sqlite": sqlite.dialect()}
NAMES = {"tsql": "mssql", "sqlite": "sqlite"}
CONSTANTS = {name: made for name, made in vars(statements).items() if name.isupper() and isinstance(made, Executable)}
MADE = {
    "count of a table": count_rows("Trades", of_window=False),
    "count of a window": count_rows("Trades", of_window=True),
    "last measurements": last_measurements(50),
}
SEED = {
    "rows_count_delta": "BIGINT",
    "ingestion_date": "DATE",
    "ingestion_time": "TIME",
    "all_ingested_rows": "BIGINT",
}


def compiled(statement, name):
    """Give the text of a statement as the driver gets it, each parameter as a question mark."""
    text_ = statement.compile(dialect=DIALECTS[name])
    return re.sub(r"__\[POSTCOMPILE_(\w+)\]", lambda limit: str(text_.params[limit[1]]), str(text_)).strip()


def created(table, name):
    """Give the text of the statement that makes a table."""
    return str(create_table(table, NAMES[name]).compile(dialect=DIALECTS[name])).strip()


def parsed(written, name):
    (tree,) = sqlglot.parse(written, dialect=name, error_level=sqlglot.ErrorLevel.RAISE)
    return tree


def columns(table, name):
    create = parsed(created(table, name), name)
    return {column.name: column.kind for column in create.find_all(expressions.ColumnDef)}


def tidy(written):
    """Write a compiled statement as people do: two spaces deep, no space at an end of a line."""
    return "\n".join(line.rstrip() for line in written.strip().replace("\t", "  ").splitlines())


def administrators():
    batches = re.split(r"^GO$", text(ADMINISTRATORS_FILE), flags=re.MULTILINE)
    return ["\n".join(line for line in batch.splitlines() if not line.startswith("--")).strip() for batch in batches]


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("statement", [*CONSTANTS, *MADE])
def test_every_statement_parses_in_both_databases(statement, name):
    tree = parsed(compiled((CONSTANTS | MADE)[statement], name), name)

    assert isinstance(tree, expressions.Select | expressions.Insert | expressions.Update)
    assert {table.name for table in tree.find_all(expressions.Table)} <= {
        METRICS.name,
        ALERTS.name,
        WINDOW_COUNTS.name,
        "Trades",
    }


@pytest.mark.parametrize("name", DIALECTS)
def test_each_database_is_asked_for_its_tables_in_its_own_catalogue(name):
    tree = parsed(compiled(COUNT_OBJECTS[NAMES[name]], name), name)

    assert tree.find(expressions.Table).sql() in {"sys.objects AS objects", "sqlite_master"}


def test_rows_are_counted_beyond_32_bits():
    assert "COUNT_BIG(*)" in compiled(MADE["count of a window"], "tsql")
    assert "COUNT(*)" in compiled(MADE["count of a window"], "sqlite")


def test_the_counts_of_a_window_are_four_columns():
    tree = parsed(compiled(CONSTANTS["COUNTS_OF_WINDOW"], "tsql"), "tsql")

    assert [column.name for column in tree.expressions] == ["stream", "stage", "name", "rows"]


def test_the_lock_of_sql_server_parses():
    trees = sqlglot.parse(APPLOCK, dialect="tsql", error_level=sqlglot.ErrorLevel.RAISE)

    assert not [found for tree in trees if tree for found in tree.find_all(expressions.Command)]


@pytest.mark.parametrize("table", [METRICS, ALERTS], ids=lambda table: table.name)
def test_a_table_has_the_same_columns_in_both_databases(table):
    assert list(columns(table, "tsql")) == list(columns(table, "sqlite"))
    assert {kind.this.name for kind in columns(table, "sqlite").values()} <= {"TEXT", "INT", "DOUBLE"}


def test_the_table_has_the_four_columns_of_the_seed_with_their_types():
    found = columns(METRICS, "tsql")

    assert {name: found[name].this.name for name in SEED} == SEED


def test_every_name_in_sql_server_is_compared_to_the_letter():
    for table in (METRICS, ALERTS):
        for line in created(table, "tsql").splitlines():
            is_key = line.strip().startswith(("table_key", "run_id", "alert_id"))
            assert is_key == ("COLLATE Latin1_General_100_BIN2" in line)


def test_the_administrators_file_makes_the_very_tables():
    made = [batch for batch in administrators() if "CREATE TABLE" in batch]

    assert made == [
        f"IF OBJECT_ID('dbo.{table.name}', 'U') IS NULL\n{tidy(created(table, 'tsql'))};" for table in (METRICS, ALERTS)
    ]


def test_the_administrators_file_grants_what_is_needed_and_no_more():
    granted = re.findall(r"^GRANT (.+) ON OBJECT::dbo\.(\w+) TO", text(ADMINISTRATORS_FILE), flags=re.MULTILINE)

    assert dict(reversed(grant) for grant in granted) == {
        "Trades": "SELECT",
        WINDOW_COUNTS.name: "SELECT",
        METRICS.name: "SELECT, INSERT, UPDATE",
        ALERTS.name: "SELECT, INSERT, UPDATE",
    }
    assert text(ADMINISTRATORS_FILE).count("GRANT ") == len(granted) + 1  # the one in its first words
