"""Turns columns into records: the plain way of a drawn feed, from an Arrow record batch to JSON lines."""

import json
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shared.contracts import Column, Contract
from shared.feeds.records import Records


def ndjson(batch: pa.RecordBatch, contract: Contract) -> Records:
    """Write each row as a JSON object with the contract's columns, keyed by its partition key.

    Columns are strings, booleans, integers, finite floats, decimals and timestamps of microseconds (written in UTC).
    A null leaves the property out, which only a property that is not required allows. Raises ValueError, which names
    the column, for one that the contract does not have, that it lacks, or whose values can't be written.
    """
    strangers = set(batch.schema.names) - {column.name for column in contract.columns}
    if strangers:
        raise ValueError(f"contract {contract.name} has no column {min(strangers)!r}")
    pieces = ["{", *_separated(_property(batch, column, contract) for column in _in_order(contract, batch)), "}\n", ""]
    lines = pc.binary_join_element_wise(*pieces).cast(pa.binary())
    keys = _plain(batch[contract.partition_key]).cast(pa.string()).dictionary_encode()
    return Records(lines, keys)


def text_column(characters: np.ndarray) -> pa.StringArray:
    """Give the rows of uint8[n, width], ASCII, as n texts without copying them."""
    count, width = characters.shape
    bounds = np.arange(0, (count + 1) * width, width, dtype=np.int32)
    return pa.StringArray.from_buffers(count, pa.py_buffer(bounds), pa.py_buffer(characters))


def _in_order(contract: Contract, batch: pa.RecordBatch) -> list[Column]:
    """Give the columns to write, a required one first: those after it bring their comma along."""
    present = set(batch.schema.names)
    missing = [column.name for column in contract.columns if column.required and column.name not in present]
    if missing:
        raise ValueError(f"contract {contract.name} requires column {missing[0]!r}, which was not drawn")
    return sorted((each for each in contract.columns if each.name in present), key=lambda each: not each.required)


def _separated(properties: Iterable[pa.Array]) -> Iterable[pa.Array]:
    for number, each in enumerate(properties):
        yield each if number == 0 else pc.fill_null(pc.binary_join_element_wise(",", each, ""), "")


def _property(batch: pa.RecordBatch, column: Column, contract: Contract) -> pa.Array:
    values = _plain(batch[column.name])
    if column.required and values.null_count:
        raise ValueError(f"contract {contract.name} requires column {column.name!r}, and {values.null_count} are null")
    return pc.binary_join_element_wise(f"{json.dumps(column.name)}:", _as_json(values, column.name), "")


def _plain(values: pa.Array) -> pa.Array:
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


def _as_json(values: pa.Array, name: str) -> pa.Array:
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return quoted(values.cast(pa.string()))
    if pa.types.is_timestamp(kind):
        instants = values.cast(pa.timestamp("us"))
        return pc.binary_join_element_wise('"', pc.strftime(instants, "%Y-%m-%dT%H:%M:%S"), 'Z"', "")
    if pa.types.is_floating(kind) and not pc.all(pc.is_finite(values)).as_py() and len(values) > values.null_count:
        raise ValueError(f"column {name!r} holds a number that is not finite")
    if (
        pa.types.is_boolean(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
    ):
        return values.cast(pa.string())
    raise ValueError(f"column {name!r} is of type {kind}, which has no form in JSON lines")


def quoted(texts: pa.StringArray) -> pa.Array:
    """Quote texts; those few that hold control characters make the standard library write each different one."""
    if pc.any(pc.match_substring_regex(texts, r"[\x00-\x1f]")).as_py():
        distinct = texts.dictionary_encode()
        written = [json.dumps(text, ensure_ascii=False) for text in distinct.dictionary.to_pylist()]
        return pa.DictionaryArray.from_arrays(distinct.indices, pa.array(written, pa.string())).dictionary_decode()
    escaped = pc.replace_substring(pc.replace_substring(texts, "\\", "\\\\"), '"', '\\"')
    return pc.binary_join_element_wise('"', escaped, '"', "")
