"""Lookups as files: how one is written, of rows of a day that are held to their contract, or of reference data."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import pyarrow as pa
import pyarrow.json
import pyarrow.parquet as pq

from shared.contracts import LookupColumn, load_lookup_columns
from shared.errors import FeedUnusable, origin_of
from shared.feeds.drawing.pool import Pool
from shared.feeds.feed import Dimension, DrawnReference
from shared.feeds.reference_lines import block_of

_ROWS: Final = 4_096
"""Of reference data that are drawn at once: some MB of memory."""


def parquet(table: pa.Table) -> bytes:
    """Write a lookup as one Parquet file; its columns repeat little, so no dictionaries are tried."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", use_dictionary=False)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def dimension_file(dimension: Dimension, pool: Pool, day: date) -> bytes:
    """Make a day's rows and write them as Parquet; raises FeedUnusable where they can't be made or break the contract.

    The rows may be of people, so nothing of them, nor of what was said over them, is in the error or behind it.
    """
    try:
        table = dimension.make(pool, day)
        broken = "; ".join(broken_columns(table, load_lookup_columns(dimension.name)))
        content = parquet(table)
    except Exception as fault:  # noqa: BLE001 - whatever the feed's own code does
        raise FeedUnusable(f"The lookup {dimension.name} of {day} can't be made: {origin_of(fault)}.") from None
    if broken:
        raise FeedUnusable(f"The lookup {dimension.name} of {day} is not as its contract has it: {broken}.")
    return content


def reference_file(reference: DrawnReference, pool: Pool, options: Mapping[str, Any]) -> bytes:
    """Draw reference data and write it as Parquet, without its personal columns: no table of the lakehouse has them."""
    columns = [one for one in load_lookup_columns(reference.name) if not one.personal]
    schema = pa.schema([(one.name, _arrow_type(one.arrow_type)) for one in columns])
    parsing = pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    size = reference.size(options)
    parts = [
        pyarrow.json.read_json(
            pa.BufferReader(block_of(reference, pool, options, range(first, min(first + _ROWS, size + 1)))),
            parse_options=parsing,
        )
        for first in range(1, size + 1, _ROWS)
    ]
    return parquet(pa.concat_tables([schema.empty_table(), *parts]))


def _arrow_type(text: str) -> pa.DataType:
    return pa.list_(pa.string()) if text == "list<item: string>" else pa.type_for_alias(text)


def broken_columns(table: pa.Table, columns: Sequence[LookupColumn]) -> Iterator[str]:
    """Say by names and types, never by values, where a table is not of these columns."""
    names = [column.name for column in columns]
    if table.column_names != names:
        yield f"its columns are {', '.join(table.column_names)}, and must be {', '.join(names)}"
        return
    for column in columns:
        found = table[column.name]
        if str(found.type) != column.arrow_type:
            yield f"{column.name} is {found.type}, and must be {column.arrow_type}"
        elif found.null_count and not column.nullable:
            yield f"{column.name} has {found.null_count} nulls, and must have none"
