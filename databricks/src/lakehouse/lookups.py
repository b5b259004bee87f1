"""Lookups: small reference sets that pipelines join rows with, of each window its own."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from posixpath import dirname
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession

from lakehouse.contract_files import contract_files
from lakehouse.reference import ReferenceStore

logger = logging.getLogger(__name__)

_NAME = re.compile(r"[\w-]+", re.ASCII)
"""What a window's name may be for a file to be looked for: a store may take other characters for a pattern."""


class LookupMissing(Exception):
    """A lookup that a pipeline takes is not there; says which, and where it should be."""


class BadLookup(ValueError):
    """A lookup that its contract does not fit; says which, and why."""


@dataclass(frozen=True, slots=True)
class LookupContract:
    """What a lookup is: its columns, of texts the greatest length, and the key, of which there is one row each.

    best_first: the columns in whose order the first row of a key is taken, nulls last.
    """

    name: str
    columns: tuple[str, ...]
    bounds: Mapping[str, int]
    key: tuple[str, ...]
    best_first: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """A lookup's rows that can be used. too_long: by column, the rows that were left out for their text's length."""

    rows: pa.Table
    too_long: Mapping[str, int]


def lookup_contracts() -> dict[str, LookupContract]:
    """Read the contracts of all lookups that the wheel carries, by name."""
    return {one.name: parse_lookup_contract(one.name, one.read()) for one in contract_files("lookups")}


def parse_lookup_contract(name: str, document: Mapping[str, Any]) -> LookupContract:
    """Read a lookup's JSON Schema."""
    columns: Mapping[str, Mapping[str, Any]] = document["properties"]
    bounds = {column: int(rule["maxLength"]) for column, rule in columns.items() if "maxLength" in rule}
    key, best_first = document.get("x-key", ()), document.get("x-best-first", ())
    return LookupContract(name, tuple(columns), bounds, tuple(key), tuple(best_first))


def checked_lookup(table: pa.Table, contract: LookupContract) -> Checked:
    """Take the contract's columns and the best row of each key, and of these leave out those with too long texts.

    In this order: a row that can't be used must not give its place to a namesake. Raises BadLookup for columns that
    are not there.
    """
    missing = sorted(set(contract.columns) - set(table.column_names))
    if missing:
        raise BadLookup(f"The lookup {contract.name!r} lacks the columns {missing}; it has {table.column_names}.")
    rows, too_long = _best_of_each_key(table.select(contract.columns), contract), {}
    for column, bound in contract.bounds.items():
        fits = pc.fill_null(pc.less_equal(_utf16_units(rows[column]), bound), True)
        too_long[column] = len(rows) - pc.sum(fits, min_count=0).as_py()
        rows = rows.filter(fits)
    return Checked(rows, {column: count for column, count in too_long.items() if count})


def _utf16_units(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Count as SQL Server's nvarchar(n) does, to whose columns the bounds belong: a character beyond U+FFFF is two."""
    units = [None if text is None else len(text.encode("utf-16-le")) // 2 for text in texts.to_pylist()]
    return pa.chunked_array([pa.array(units, pa.int64())])


def _best_of_each_key(rows: pa.Table, contract: LookupContract) -> pa.Table:
    """Keep the first row of each key; rows with a null in their key can't be found by it and go."""
    if not contract.key:
        return rows
    ordered = rows.sort_by([(column, "ascending") for column in contract.best_first]) if contract.best_first else rows
    seen: dict[tuple[object, ...], int] = {}
    for place, key in enumerate(zip(*[ordered[column].to_pylist() for column in contract.key], strict=True)):
        seen.setdefault(key, place)
    return ordered.take([place for key, place in seen.items() if None not in key])


@dataclass(frozen=True, slots=True)
class Lookups:
    """Gives lookups to a run. paths: of the lookups that it was given, `<folder>/<its own window>.parquet`."""

    spark: SparkSession
    store: ReferenceStore
    paths: Mapping[str, str]
    contracts: Mapping[str, LookupContract] = field(default_factory=lookup_contracts)
    _frames: dict[str, DataFrame | None] = field(default_factory=dict, init=False, repr=False)

    def has(self, name: str) -> bool:
        """Say whether an input is a lookup."""
        return name in self.contracts

    def path(self, name: str, window: str | None) -> str:
        """Name the window's own file where it still is, else the run's own."""
        given = self.paths.get(name)
        if given is None:
            raise LookupMissing(f"The run was given no lookup {name!r}; its parameter `lookups` names {[*self.paths]}.")
        own = f"{dirname(given)}/{window}.parquet"
        return own if _NAME.fullmatch(window or "") and self._frame(name, own) is not None else given

    def read(self, name: str, path: str) -> DataFrame:
        """Give a lookup's rows; raises LookupMissing and BadLookup. A file is read once: it is written once."""
        found = self._frame(name, path)
        if found is None:
            raise LookupMissing(
                f"The lookup {path!r} is not in the reference store: was prepare_lookup's step skipped?"
            )
        return found

    def _frame(self, name: str, path: str) -> DataFrame | None:
        if path not in self._frames:
            document = self.store.read(path)
            self._frames[path] = None if document is None else self._parsed(name, path, document)
        return self._frames[path]

    def _parsed(self, name: str, path: str, document: bytes) -> DataFrame:
        found = checked_lookup(pq.read_table(BytesIO(document)), self.contracts[name])
        for column, rows in found.too_long.items():
            logger.warning(
                "%s: %d rows are left out, their %s is longer than %d characters.",
                path, rows, column, self.contracts[name].bounds[column],
            )  # fmt: skip
        return self.spark.createDataFrame(found.rows).localCheckpoint()
