"""The statements of both databases: they parse, agree in their columns, and none is missing."""

from importlib.resources import files

import pytest
import sqlglot
from sqlglot import expressions

from lakehouse.gold import GOLD
from lakehouse.sinks.jdbc import UnknownDatabase, database

FOLDER = files("lakehouse").joinpath("sql")
NAMES = {folder: {path.name for path in FOLDER.joinpath(folder).iterdir()} for folder in ("tsql", "sqlite", "any")}


def parsed(folder, name, dialect):
    return sqlglot.parse(
        FOLDER.joinpath(folder, name).read_text(), dialect=dialect, error_level=sqlglot.ErrorLevel.RAISE
    )


def test_both_databases_have_the_same_statements():
    assert NAMES["tsql"] == NAMES["sqlite"]
    assert not NAMES["any"] & NAMES["tsql"]


@pytest.mark.parametrize("dialect", ["tsql", "sqlite"])
@pytest.mark.parametrize("folder", ["own", "any"])
def test_every_statement_parses(folder, dialect):
    own = dialect if folder == "own" else folder

    for name in NAMES[own]:
        trees = parsed(own, name, dialect)

        assert trees, name
        assert not [found for tree in trees for found in tree.find_all(expressions.Command)], name


@pytest.mark.parametrize("dialect", ["tsql", "sqlite"])
@pytest.mark.parametrize("table", ["trades", "trades_staging"])
def test_tables_have_the_columns_of_gold(table, dialect):
    (statement,) = [
        found for one in parsed(dialect, f"create_{table}.sql", dialect) for found in one.find_all(expressions.Create)
    ]

    columns = [column.name for column in statement.find_all(expressions.ColumnDef)]

    assert columns == [*GOLD.names, *(["batch"] if "staging" in table else [])]


@pytest.mark.parametrize("dialect", ["tsql", "sqlite"])
def test_the_upsert_names_every_column(dialect):
    text = FOLDER.joinpath(dialect, "upsert_trades.sql").read_text()

    assert [name for name in GOLD.names if f'"{name}"' not in text] == []


def test_a_url_of_another_database_is_refused_without_its_details():
    with pytest.raises(UnknownDatabase, match="jdbc:sqlserver: and jdbc:sqlite:") as refused:
        database("jdbc:postgresql://host/db;password=hush")

    assert "hush" not in str(refused.value)


def test_a_token_is_asked_for_each_connection():
    tokens = iter(["first", "second"])
    target = database("jdbc:sqlserver://host;database=x", lambda: next(tokens))

    assert [target.properties()["accessToken"], target.options("t")["accessToken"]] == ["first", "second"]
