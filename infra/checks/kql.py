"""Queries of the workspace: what Microsoft's language service says of them, and what they answer of given records.

There is no Kusto engine here. `duckdb-kql` translates a query to SQL, and raises for what it does not know.
"""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import duckdb_kql

from infra.checks.terraform import ROOT

type Row = Mapping[str, Any]
type Tables = Mapping[str, Sequence[Row]]
"""The rows of each table, by their columns; a column that a row lacks is null."""
type Schema = Mapping[str, Mapping[str, str]]
"""The columns of each table, with their types."""

FOLDER: Final = ROOT / "infra" / "observability"
WORKSPACE: Final[Schema] = json.loads(Path(__file__).with_name("kusto").joinpath("workspace.json").read_text())
"""The columns of each table of a workspace that Application Insights writes to, and their types, as documented."""
RESOURCES: Final[Schema] = {"resources": dict.fromkeys(("id", "name", "type", "resourceGroup"), "string")}
"""Of Azure Resource Graph, what is read of it."""

_PROGRAM: Final = Path(__file__).with_name("kusto") / "analyse.js"
_TYPES: Final = {
    "bool": "BOOLEAN",
    "datetime": "TIMESTAMP",
    "dynamic": "JSON",
    "int": "INTEGER",
    "real": "DOUBLE",
    "string": "VARCHAR",
}
_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class Use:
    """What a query reads of a table: of which names (of events, or of metrics), and which properties."""

    table: str
    names: frozenset[str]
    properties: frozenset[str]


@dataclass(frozen=True, slots=True)
class Analysis:
    """What the language service says of a query; `strays` are properties that it reads of no table."""

    problems: Sequence[str]
    columns: Mapping[str, str]
    uses: Sequence[Use]
    strays: Sequence[str]
    operators: frozenset[str]
    functions: frozenset[str]


def queries() -> dict[str, str]:
    """Give the text of each query by its path in the folder of the portal's, without `.kql`."""
    return {f"{path.relative_to(FOLDER).with_suffix('')}": path.read_text() for path in sorted(FOLDER.rglob("*.kql"))}


def analysed(texts: Mapping[str, str], schema: Schema = WORKSPACE) -> dict[str, Analysis]:
    """Analyse queries against the workspace, or against other tables.

    Raises subprocess.CalledProcessError where Node.js or the language service is missing (scripts/setup).
    """
    question = json.dumps({"tables": schema, "queries": texts})
    done = subprocess.run(  # noqa: S603 - the clone's own program
        ["node", _PROGRAM],  # noqa: S607 - the machine's Node.js, as scripts/setup wants it
        input=question, capture_output=True, text=True, check=True, timeout=_SECONDS, cwd=ROOT, env=dict(os.environ),
    )  # fmt: skip
    return {name: _analysis(found) for name, found in json.loads(done.stdout).items()}


def _analysis(found: Mapping[str, Any]) -> Analysis:
    uses = [Use(each["table"], frozenset(each["names"]), frozenset(each["properties"])) for each in found["uses"]]
    parts = frozenset(found["operators"]), frozenset(found["functions"])
    return Analysis(found["problems"], found["columns"], uses, found["strays"], *parts)


def answer(text: str, tables: Tables, at: datetime, span: timedelta) -> list[dict[str, Any]]:
    """Run a query as Azure Monitor would at a moment, over the rows of the time before it.

    Raises duckdb_kql.KqlError where the query can't be translated.
    """
    with duckdb_kql.connect() as database, TemporaryDirectory() as folder:
        for name, columns in ((name, columns) for name, columns in WORKSPACE.items() if name in text):
            declared = ", ".join(f'"{column}" {_TYPES[kind]}' for column, kind in columns.items())
            database.execute(f'CREATE TABLE "{name}" ({declared})')
            if rows := [_stored(row) for row in tables.get(name, ()) if at - span < _time_of(row) <= at]:
                path = Path(folder) / f"{name}.jsonl"
                path.write_text("\n".join(map(json.dumps, rows)))
                database.execute(f"COPY \"{name}\" FROM '{path}' (FORMAT json)")
        found = duckdb_kql.query(database, text, query_now=at)
        return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def _time_of(row: Row) -> datetime:
    return datetime.fromisoformat(row["TimeGenerated"])


def _stored(row: Row) -> Row:
    """Give a row with its time as Kusto keeps it: of UTC, without saying so."""
    return {**row, "TimeGenerated": _time_of(row).astimezone(UTC).replace(tzinfo=None).isoformat()}
