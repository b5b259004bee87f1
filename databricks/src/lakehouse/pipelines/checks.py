"""Refuses pipelines that can't be: all that is wrong with them in one message, before anything is read or written."""

import inspect
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from graphlib import CycleError

from pyspark.sql import types as T

from lakehouse.pipelines.bounds import Contracts
from lakehouse.pipelines.kinds.buckets import Buckets
from lakehouse.pipelines.kinds.correlate import Correlate
from lakehouse.pipelines.kinds.day import Day
from lakehouse.pipelines.kinds.days_onward import DaysOnward
from lakehouse.pipelines.kinds.groups import Groups
from lakehouse.pipelines.kinds.kind import OWN_ROWS
from lakehouse.pipelines.kinds.per_row import PerRow
from lakehouse.pipelines.kinds.totals import Totals
from lakehouse.pipelines.pipeline import Balance, Pipeline, made_of
from lakehouse.pipelines.protection import of_history, of_restricted, of_tokens
from lakehouse.pipelines.spans import WINDOW
from lakehouse.pipelines.table import Column, Table
from lakehouse.sinks.tables import OWN
from lakehouse.streams.contract import LINEAGE
from lakehouse.streams.silver_tables import SilverTables

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
    found = list(of_restricted(tables))
    for pipeline in pipelines:
        cycle, in_order = _ordered(pipeline)
        known = contracts.with_tables(in_order)
        found += [f"{table.name}: {fault}." for table in pipeline.tables for fault in _of_table(table, known)]
        of_pipeline = (*cycle, *_of_layers(pipeline), *_of_balances(pipeline, contracts))
        found += [f"pipeline {pipeline.feed}: {fault}." for fault in of_pipeline]
    named = {
        "feed": [pipeline.feed for pipeline in pipelines],
        "table": [table.name for table in tables],
        "SQL table": [*OWN_SQL, *sql_of_streams, *(table.sql for table in tables if table.sql)],
        "option": [option.name for option in {option for table in tables for option in table.options}],
    }
    return found + [
        f"{twice!r} names more than one {what}." for what, names in named.items() for twice in _twice(names)
    ]


def _ordered(pipeline: Pipeline) -> tuple[list[str], tuple[Table, ...]]:
    """Give the pipeline's tables in their order, where they have one; else as they are, and what is wrong."""
    try:
        return [], pipeline.in_order()
    except CycleError as error:
        return [f"these tables are made of each other: {', '.join(sorted(set(error.args[1])))}"], pipeline.tables


def _of_layers(pipeline: Pipeline) -> Iterator[str]:
    """Look for tables that lose rows which others, that are kept for longer, are made of."""
    tables = {table.name: table for table in pipeline.tables}
    for name, inputs in made_of(pipeline.tables).items():
        for source in (tables[one] for one in inputs):
            if source.kept_for and (tables[name].kept_for or timedelta.max) > source.kept_for:
                yield f"{name!r} is made of {source.name!r} and kept for longer, so it would lose rows all the same"


def _of_table(table: Table, contracts: Contracts) -> Iterator[str]:
    yield from _of_names(table)
    if table.name in _of_streams(table, contracts):
        yield "its name is that of a stream's table"
    yield from _of_key(table)
    yield from _of_inputs(table, contracts)
    yield from _of_follows(table, contracts)
    yield from _of_kind(table)
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


def _of_streams(table: Table, contracts: Contracts) -> set[str]:
    """Name what streams have in the table's layer, and what stands for a stream among inputs."""
    made = {table for stream in contracts.streams for table in SilverTables(stream).all}
    in_layer = {name.partition(".")[2] for name in made if name.startswith(f"{table.layer}.")}
    return {*contracts.streams, *in_layer}


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
    known = {*contracts.streams, *contracts.lookups, *contracts.tables} - ({table.name} - {*contracts.lookups})
    known |= {OWN_ROWS} if isinstance(table.kind, DaysOnward) else set()
    for name in table.inputs:
        if name not in known:
            there = ", ".join(sorted(known))
            yield f"its input {name!r} is no stream, lookup or table of the pipeline; there are {there}"
    parameters = inspect.signature(table.build).parameters.values()
    takes_any = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters)
    names = [one.name for one in parameters if one.kind is not inspect.Parameter.VAR_KEYWORD]
    given = [*table.inputs, *(option.name for option in table.options)]
    if not (set(names) <= set(given) if takes_any else set(names) == set(given)):
        yield f"build takes {names}, its inputs{' and options' if table.options else ''} are {given}"


def _of_follows(table: Table, contracts: Contracts) -> Iterator[str]:
    follows, inputs = set(table.kind.follows), set(table.inputs)
    for name in sorted(follows - inputs):
        yield f"its kind follows {name!r}, which is not among its inputs"
    for name in sorted(inputs & {*contracts.streams, *contracts.tables} - {*contracts.lookups, *follows}):
        yield f"its kind does not follow {name!r}: it would not see that rows of this input change"
    if not inputs & set(contracts.lookups) - follows:
        return
    if not isinstance(table.kind, PerRow):
        yield "it takes a lookup; only a table of the kind PerRow can, since each window has its own"
    for name in sorted(name for name in follows & set(contracts.tables) if WINDOW not in contracts.tables[name]):
        yield f"it takes a lookup and follows {name!r}, whose rows have no {WINDOW!r} to choose a lookup by"


def _of_kind(table: Table) -> Iterator[str]:
    kind = table.kind
    if isinstance(kind, Buckets | Day | DaysOnward):
        yield from _of_times(kind, table)
    elif isinstance(kind, PerRow | Correlate):
        yield from _of_found(kind, table)
    elif isinstance(kind, Groups):
        yield from _of_groups(kind, table)
    elif isinstance(kind, Totals) and table.key != (kind.key,):
        yield f"its kind sums up by {kind.key!r}, which must be its key"


def _of_times(kind: Buckets | Day | DaysOnward, table: Table) -> Iterator[str]:
    replaced = kind.bucket if isinstance(kind, Buckets) else kind.day
    if replaced not in table.key:
        yield f"its kind replaces rows by {replaced!r}, which is no part of its key"
    for name in sorted(_led_to(kind) - set(kind.follows)):
        yield f"its kind finds days by {name!r}, which it does not follow"
    if isinstance(kind, DaysOnward) and kind.by not in table.key:
        yield f"its kind makes days by {kind.by!r}, which is no part of its key"
    if isinstance(kind, Buckets) and kind.by and table.key != (kind.bucket, *kind.by):
        yield f"its kind makes rows anew by {', '.join((kind.bucket, *kind.by))}, which must be its key"


def _of_found(kind: PerRow | Correlate, table: Table) -> Iterator[str]:
    """Look whether the rows made of a stream's row can be found; of several, a lookup's column tells them apart."""
    repeated = {name for stream in kind.follows for name in table.repeats.get(stream, ())}
    if isinstance(kind, PerRow) and repeated & set(table.key):
        repeated = {name for of_input in table.repeats.values() for name in of_input}
    for name in sorted(set(table.key) - repeated):
        streams = ", ".join(kind.follows)
        yield f"its key {name!r} repeats no column of {streams} (`of`), by which its kind finds rows"


def _of_groups(kind: Groups, table: Table) -> Iterator[str]:
    """Look whether the rows of a group can be found in the table."""
    repeated = {column.of for column in table.columns if column.required}
    for name in kind.by:
        if f"{kind.stream}.{name}" not in repeated:
            yield f"no required column repeats {kind.stream}.{name} (`of`), by which its kind finds groups"
    if table.repeats.get(kind.stream, {}).get(table.time) != kind.time:
        yield f"its time does not repeat {kind.stream}.{kind.time} (`of`), near which its kind looks for rows"


def _led_to(kind: Buckets | Day | DaysOnward) -> set[str]:
    inputs = kind.made_of if isinstance(kind, Day) else ()
    return {step.to for one in inputs for way in one.ways for step in way}


def _of_column(column: Column, table: Table, contracts: Contracts) -> Iterator[str]:
    try:
        kind: T.DataType | None = column.spark_type
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
    if not table.has_windows:
        yield f"the balance of {balance.stream!r} names {name!r}, which has no column {WINDOW!r} to be counted by"
    if balance.stream not in table.inputs:
        yield f"the balance of {balance.stream!r} names {name!r}, which is not made of it"


def _twice(names: Iterable[str]) -> list[str]:
    """Find names that stand for two things; neither Spark nor SQL minds their case."""
    counted = Counter(name.lower() for name in names)
    return [name for name, times in counted.items() if times > 1]
