"""Refuses pipelines that can't be: all that is wrong with them in one message, before anything is read or written."""

import inspect
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from pyspark.sql import types as T

from lakehouse.lake.tables import columns
from lakehouse.pipelines.bounds import Contracts
from lakehouse.pipelines.kinds.buckets import Buckets
from lakehouse.pipelines.kinds.correlate import Correlate
from lakehouse.pipelines.kinds.day import Day
from lakehouse.pipelines.kinds.per_row import PerRow
from lakehouse.pipelines.pipeline import Balance, Pipeline
from lakehouse.pipelines.protection import of_history, of_restricted, of_tokens
from lakehouse.pipelines.spans import WINDOW
from lakehouse.pipelines.table import Column, Table
from lakehouse.sinks.tables import OWN
from lakehouse.streams.contract import LINEAGE

OWN_SQL = ("batches", *(table.name for table in OWN))
"""SQL tables of the lakehouse itself; `batches` is a former version's."""

_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)


class BadPipelines(ValueError):
    """Pipelines that can't be; the text names each table and what is wrong with it."""


def refuse_bad(pipelines: Iterable[Pipeline], contracts: Contracts, sql_of_streams: Iterable[str] = ()) -> None:
    """Raise BadPipelines with everything that is wrong. sql_of_streams: SQL tables that streams are written to."""
    found = faults(list(pipelines), contracts, sql_of_streams)
    if found:
        raise BadPipelines("These pipelines can't be run:\n" + "\n".join(f"- {fault}" for fault in found))


def faults(pipelines: list[Pipeline], contracts: Contracts, sql_of_streams: Iterable[str] = ()) -> list[str]:
    """Say what is wrong, one text each."""
    tables = [table for pipeline in pipelines for table in pipeline.tables]
    found = [f"{table.name}: {fault}." for table in tables for fault in _of_table(table, contracts)]
    found += of_restricted(tables)
    for pipeline in pipelines:
        found += [f"pipeline {pipeline.feed}: {fault}." for fault in _of_balances(pipeline, contracts)]
    named = {
        "feed": [pipeline.feed for pipeline in pipelines],
        "table": [table.name for table in tables],
        "SQL table": [*OWN_SQL, *sql_of_streams, *(table.sql for table in tables if table.sql)],
    }
    return found + [
        f"{twice!r} names more than one {what}." for what, names in named.items() for twice in _twice(names)
    ]


def _of_table(table: Table, contracts: Contracts) -> Iterator[str]:
    yield from _of_names(table)
    yield from _of_key(table)
    yield from _of_inputs(table, contracts)
    yield from _of_kind(table, contracts)
    yield from of_history(table, contracts)
    yield from of_tokens(table, contracts)
    for column in table.columns:
        yield from _of_column(column, table, contracts)


def _of_names(table: Table) -> Iterator[str]:
    names = [column.name for column in table.columns]
    for name in (table.name, *names, *([table.sql] if table.sql else [])):
        if not _NAME.fullmatch(name):
            yield f"{name!r} can't be a name; use letters, digits and inner underscores"
    for twice in _twice(names):
        yield f"it has more than one column {twice!r}"
    uses = {"counted_by": [table.counted_by], "time": [table.time], "clustered_by": table.clustered_by}
    for use, name in [(use, name) for use, named in uses.items() for name in named if name]:
        if name not in names:
            yield f"{use} names {name!r}, which is no column of it"


def _of_key(table: Table) -> Iterator[str]:
    required = {column.name: column.required for column in table.columns}
    if not table.key:
        yield "it has no key"
    for use, name in [("key", one) for one in table.key] + ([("time", table.time)] if table.time in required else []):
        if name not in required:
            yield f"its key names {name!r}, which is no column of it"
        elif not required[name]:
            yield f"its {use} {name!r} may be null; make the column required"


def _of_inputs(table: Table, contracts: Contracts) -> Iterator[str]:
    known = {*contracts.streams, *contracts.lookups}
    for name in table.inputs:
        if name not in known:
            yield f"its input {name!r} is neither a stream nor a lookup; there are {', '.join(sorted(known))}"
    parameters = inspect.signature(table.build).parameters.values()
    takes_any = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters)
    names = [one.name for one in parameters if one.kind is not inspect.Parameter.VAR_KEYWORD]
    if not (set(names) <= set(table.inputs) if takes_any else set(names) == set(table.inputs)):
        yield f"build takes {names}, its inputs are {list(table.inputs)}"


def _of_kind(table: Table, contracts: Contracts) -> Iterator[str]:
    follows, kind = set(table.kind.follows), table.kind
    for name in sorted(follows - set(table.inputs)):
        yield f"its kind follows {name!r}, which is not among its inputs"
    for name in sorted(set(table.inputs) & set(contracts.streams) - follows):
        yield f"its kind does not follow {name!r}: it would not see that rows of this input change"
    if set(table.inputs) & set(contracts.lookups) - follows and not isinstance(kind, PerRow):
        yield "it takes a lookup; only a table of the kind PerRow can, since each window has its own"
    if isinstance(kind, Buckets | Day):
        replaced = kind.bucket if isinstance(kind, Buckets) else kind.day
        if replaced not in table.key:
            yield f"its kind replaces rows by {replaced!r}, which is no part of its key"
    elif isinstance(kind, PerRow | Correlate):
        repeated = {name for stream in follows for name in table.repeats.get(stream, ())}
        for name in sorted(set(table.key) - repeated):
            streams = ", ".join(kind.follows)
            yield f"its key {name!r} repeats no column of {streams} (`of`), by which its kind finds rows"


def _of_column(column: Column, table: Table, contracts: Contracts) -> Iterator[str]:
    try:
        kind: T.DataType | None = columns(f"{column.name} {column.type}")[0].dataType
    except Exception:  # noqa: BLE001 - Spark raises many kinds for a type that it does not know
        yield f"the type {column.type!r} of {column.name!r} can't be read"
        return
    of_input, _, name = column.of.partition(".")
    found = _columns_of(of_input, contracts) if of_input in table.inputs else {}
    if column.of and name not in found:
        yield f"{column.name!r} repeats {column.of!r}, which is no column of an input"
    if table.sql and isinstance(kind, T.StringType) and column.length is None and found.get(name) is None:
        yield f"{column.name!r} goes to SQL without a bound: give it a length, or its contract a maxLength"


def _columns_of(name: str, contracts: Contracts) -> dict[str, int | None]:
    lineage = dict.fromkeys(LINEAGE) if name in contracts.streams else {}
    return {**lineage, **contracts.bounds_of(name)}


def _of_balances(pipeline: Pipeline, contracts: Contracts) -> Iterator[str]:
    tables = {table.name: table for table in pipeline.tables}
    for balance in pipeline.balances:
        if balance.stream not in contracts.streams:
            yield f"a balance names {balance.stream!r}, which is no stream"
        for name in balance.tables:
            yield from _of_balanced(name, tables.get(name), balance)


def _of_balanced(name: str, table: Table | None, balance: Balance) -> Iterator[str]:
    if table is None:
        yield f"the balance of {balance.stream!r} names {name!r}, which is no table of it"
        return
    if WINDOW not in {column.name for column in table.columns}:
        yield f"the balance of {balance.stream!r} names {name!r}, which has no column {WINDOW!r} to be counted by"
    if balance.stream not in table.inputs:
        yield f"the balance of {balance.stream!r} names {name!r}, which is not made of it"


def _twice(names: Iterable[str]) -> list[str]:
    """Find names that stand for two things; neither Spark nor SQL minds their case."""
    counted = Counter(name.lower() for name in names)
    return [name for name, times in counted.items() if times > 1]
