"""The data dictionary: every table of the lakehouse with its columns and what they mean, as Markdown.

It is made of the contracts and of the tables' own values; `python -m lakehouse.dictionary` prints it.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence

from pyspark.sql import types as T

from lakehouse.contract_files import contract_files
from lakehouse.last_versions import COLUMNS as LAST_VERSIONS
from lakehouse.last_versions import last_versions_of
from lakehouse.pipelines.catalogue import PIPELINES
from lakehouse.pipelines.pipeline import Pipeline
from lakehouse.pipelines.table import Table
from lakehouse.sinks.lengths import length_of
from lakehouse.sinks.tables import sql_table
from lakehouse.streams.bronze_schema import BRONZE, KEY
from lakehouse.streams.contract import Contract, load_contracts
from lakehouse.streams.silver_tables import LINEAGE_COLUMNS, QUARANTINE, columns_of

TITLE = """# The tables of the lakehouse

Written by `make dictionary` from the contracts and the tables' values; in Delta the same words are comments.
What the layers are, and how rows get from one to the next, is said in [lakehouse.md](lakehouse.md).
"""


def dictionary(contracts: Iterable[Contract], pipelines: Iterable[Pipeline]) -> str:
    """Write the dictionary of streams, by the newest of their contracts, and of pipelines."""
    parts = [TITLE, *_bronze(), *(line for contract in contracts for line in _silver(contract))]
    parts += [line for one in pipelines for line in _pipeline(one)]
    return "\n".join([*parts, *_last_versions()]).rstrip() + "\n"


def newest_contracts() -> list[Contract]:
    """Read the newest contract of each stream that the wheel carries, by name."""
    return [load_contracts(stream)[-1] for stream in sorted({one.name for one in contract_files()})]


def _bronze() -> Iterator[str]:
    yield "## Bronze: `bronze.<stream>`\n"
    yield f"Every event of a stream's hub as it came, once. Key: {_listed(KEY)}.\n"
    yield from _rows(BRONZE)


def _silver(contract: Contract) -> Iterator[str]:
    name = f"silver.{contract.stream}"
    yield f"## Silver of `{contract.stream}` (contract {contract.name})\n"
    yield f"{contract.description}\n"
    yield f"- `{name}`: its good records, one a key. Key: {_listed(contract.key)}."
    yield f"- `{name}_duplicates`: the key and lineage of good records whose key another record holds."
    yield f"- `{name}_quarantine`: records that break the contract, and events that can't be opened.\n"
    yield from _rows(columns_of(contract))
    yield "Of the quarantine, beside the lineage:\n"
    yield from _rows(T.StructType([column for column in QUARANTINE if column.name not in LINEAGE_COLUMNS.names]))


def _pipeline(pipeline: Pipeline) -> Iterator[str]:
    yield f"## What the pipeline makes of the feed `{pipeline.feed}`\n"
    for balance in pipeline.balances:
        yield f"Every row of `silver.{balance.stream}` is in exactly one of {_listed(balance.tables)}.\n"
    for table in pipeline.tables:
        yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    yield f"### `{table.lake_name}`\n"
    yield f"{table.comment}\n"
    yield f"- Key: {_listed(table.key)}. Made of {_listed(table.inputs)}: {type(table.kind).__name__}."
    if table.sql:
        yield f"- In SQL: `{table.sql}`."
    yield f"- Kept for {table.kept_for.days} days.\n" if table.kept_for else "- Kept for ever.\n"
    in_sql = {column.name: column.type.tsql for column in sql_table(table, length_of).columns} if table.sql else {}
    yield "| column | type | in Azure SQL | meaning |" if in_sql else "| column | type | meaning |"
    yield "|---|---|---|---|" if in_sql else "|---|---|---|"
    for column in table.columns:
        kind = [column.type_name, in_sql[column.name]] if in_sql else [column.type_name]
        yield f"| `{column.name}` | {' | '.join(kind)} | {_cell(column.comment)} |"
    yield ""


def _last_versions() -> Iterator[str]:
    yield f"## Last versions: `{last_versions_of('<feed>')}`\n"
    yield "For people: up to which version of what it is made of each table was when a run last ended.\n"
    yield from _rows(LAST_VERSIONS)


def _rows(schema: T.StructType) -> Iterator[str]:
    yield "| column | type | meaning |"
    yield "|---|---|---|"
    for column in schema:
        yield f"| `{column.name}` | {column.dataType.simpleString()} | {_cell(column.metadata.get('comment', ''))} |"
    yield ""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _cell(text: str) -> str:
    sentence = text.replace("|", "\\|")
    return sentence[:1].upper() + sentence[1:].rstrip(".")


if __name__ == "__main__":
    sys.stdout.write(dictionary(newest_contracts(), PIPELINES.values()))
