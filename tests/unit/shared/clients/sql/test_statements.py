"""The statements of both databases: they parse, agree in their columns, and none is missing."""

import re
from importlib.resources import files

import pathspec
import pytest
import sqlglot
from sqlglot import expressions

from shared.clients.sql.tables import ADMINISTRATORS_FILE, ALERTS, METRICS
from tests.architecture.tree import text

FOLDER = files("shared.clients.sql").joinpath("statements")
NAMES = {folder: {path.name for path in FOLDER.joinpath(folder).iterdir()} for folder in ("tsql", "sqlite", "any")}
LOCKS = {"tsql": {"lock.sql"}, "sqlite": {"begin.sql"}}
TABLES = ("create_metrics.sql", "create_alerts.sql")
USERS = ("measuring", "outbox", "tables", "transaction")
SEED = {
    "rows_count_delta": "BIGINT",
    "ingestion_date": "DATE",
    "ingestion_time": "TIME",
    "all_ingested_rows": "BIGINT",
}


def parsed(folder, name, dialect):
    written = FOLDER.joinpath(folder, name).read_text().replace("{table}", '"Trades"')
    return sqlglot.parse(written, dialect=dialect, error_level=sqlglot.ErrorLevel.RAISE)


def columns(folder, name):
    (create,) = [found for tree in parsed(folder, name, folder) for found in tree.find_all(expressions.Create)]
    return {column.name: column.kind for column in create.find_all(expressions.ColumnDef)}


def administrators():
    batches = re.split(r"^GO$", text(ADMINISTRATORS_FILE), flags=re.MULTILINE)
    return ["\n".join(line for line in batch.splitlines() if not line.startswith("--")).strip() for batch in batches]


def test_both_databases_have_the_same_statements_but_for_their_locks():
    assert NAMES["tsql"] - LOCKS["tsql"] == NAMES["sqlite"] - LOCKS["sqlite"]
    assert not NAMES["any"] & (NAMES["tsql"] | NAMES["sqlite"])


@pytest.mark.parametrize("dialect", ["tsql", "sqlite"])
@pytest.mark.parametrize("folder", ["own", "any"])
def test_every_statement_parses(folder, dialect):
    own = dialect if folder == "own" else folder

    for name in NAMES[own] - {"begin.sql"}:
        trees = parsed(own, name, dialect)

        assert trees, name
        assert not [found for tree in trees for found in tree.find_all(expressions.Command)], name


def test_every_statement_is_used_and_every_used_one_is_there():
    source = "".join(text(f"shared/clients/sql/{name}.py") for name in USERS)
    used = set(re.findall(r'\.(?:rows|number|change)\(\s*"(\w+)"', source))

    assert {f"{name}.sql" for name in used} == NAMES["tsql"] | NAMES["sqlite"] | NAMES["any"]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_the_same_columns_in_both_databases(name):
    assert list(columns("tsql", name)) == list(columns("sqlite", name))


def test_the_table_has_the_four_columns_of_the_seed_with_their_types():
    found = columns("tsql", "create_metrics.sql")

    assert {name: found[name].this.name for name in SEED} == SEED


def test_every_name_in_sql_server_is_compared_to_the_letter():
    keys = ("table_key", "run_id", "alert_id")

    for name in TABLES:
        for line in FOLDER.joinpath("tsql", name).read_text().splitlines():
            assert not line.strip().startswith(keys) or "COLLATE Latin1_General_100_BIN2" in line


def test_the_administrators_file_makes_the_very_tables():
    made = [batch for batch in administrators() if "CREATE TABLE" in batch]

    assert made == [FOLDER.joinpath("tsql", name).read_text().strip() for name in TABLES]


def test_the_administrators_file_grants_what_is_needed_and_no_more():
    granted = re.findall(r"^GRANT (.+) ON OBJECT::dbo\.(\w+) TO", text(ADMINISTRATORS_FILE), flags=re.MULTILINE)

    assert dict(reversed(grant) for grant in granted) == {
        "Trades": "SELECT",
        "window_counts": "SELECT",
        METRICS: "SELECT, INSERT, UPDATE",
        ALERTS: "SELECT, INSERT, UPDATE",
    }
    assert text(ADMINISTRATORS_FILE).count("GRANT ") == len(granted) + 1  # the one in its first words


def test_the_statements_are_published_with_the_app():
    left_out = pathspec.PathSpec.from_lines("gitignore", text(".funcignore").splitlines())

    assert [name for name in NAMES["any"] if left_out.match_file(f"shared/clients/sql/statements/any/{name}")] == []
