"""Lookups: small reference sets that pipelines join rows with, of each window its own."""

import logging
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from io import BytesIO
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession

from lakehouse.contract_files import contract_files
from lakehouse.personal_data import KeysMissing, PiiKeys, tokenised
from lakehouse.reference import ReferenceStore

logger = logging.getLogger(__name__)

_NAME = re.compile(r"[\w-]+", re.ASCII)
"""What a window's name may be for a file to be looked for: a store may take other characters for a pattern."""

_BEYOND = r"[\x{10000}-\x{10FFFF}]"
"""Characters beyond U+FFFF, in the words of RE2."""

_PLACE = " place"
"""A column beside those of a key; no contract has a name with a space."""

_DAY = re.compile(r"[0-9]{8}")
_DECIMAL = re.compile(r"decimal128\((\d+), (\d+)\)")
_LIST = re.compile(r"list<item: (\w+)>")


class LookupMissing(Exception):
    """A lookup that a pipeline takes is not there; says which, and where it should be."""


class BadLookup(ValueError):
    """A lookup that its contract does not fit; says which, and why."""


@dataclass(frozen=True, slots=True)
class LookupContract:
    """What a lookup is: its columns, of texts the greatest length, and the key, of which there is one row each.

    best_first: the columns in whose order the first row of a key is taken, nulls last. types: of columns, in Arrow's
    words. personal: the columns in whose place the lake has tokens.
    """

    name: str
    columns: tuple[str, ...]
    bounds: Mapping[str, int]
    key: tuple[str, ...]
    best_first: tuple[str, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)
    personal: tuple[str, ...] = ()

    def with_personal(self, taken: Collection[str]) -> "LookupContract":
        """Give the contract of a lookup that of personal columns has these alone: no others are looked at in a file."""
        columns = tuple(name for name in self.columns if name not in self.personal or name in taken)
        bounds = {name: bound for name, bound in self.bounds.items() if name in columns}
        types = {name: kind for name, kind in self.types.items() if name in columns}
        personal = tuple(name for name in self.personal if name in taken)
        return replace(self, columns=columns, bounds=bounds, types=types, personal=personal)


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
    types = {column: str(rule["x-type"]) for column, rule in columns.items() if "x-type" in rule}
    personal = tuple(column for column, rule in columns.items() if rule.get("x-pii"))
    return LookupContract(name, tuple(columns), bounds, tuple(key), tuple(best_first), types, personal)


def checked_lookup(table: pa.Table, contract: LookupContract) -> Checked:
    """Take the contract's columns and the best row of each key, and of these leave out those with too long texts.

    In this order: a row that can't be used must not give its place to a namesake. Raises BadLookup for columns that
    are not there or are of another type. No value is ever told, for it may be personal.
    """
    missing = sorted(set(contract.columns) - set(table.column_names))
    if missing:
        raise BadLookup(f"The lookup {contract.name!r} lacks the columns {missing}; it has {_names(table, contract)}.")
    rows, too_long = _best_of_each_key(_typed(table.select(contract.columns), contract), contract), {}
    for column, bound in contract.bounds.items():
        fits = pc.fill_null(pc.less_equal(_utf16_units(rows[column]), bound), True)
        too_long[column] = len(rows) - pc.sum(fits, min_count=0).as_py()
        rows = rows.filter(fits)
    return Checked(rows, {column: count for column, count in too_long.items() if count})


def _names(table: pa.Table, contract: LookupContract) -> str:
    """Name a file's columns; where personal ones are expected, a file without a header would have values for names."""
    known = [name for name in table.column_names if name in contract.columns]
    others = len(table.column_names) - len(known)
    return f"{known} and {others} others" if contract.personal else str(table.column_names)


def _typed(rows: pa.Table, contract: LookupContract) -> pa.Table:
    """Read columns as the contract has them, where no value becomes another one by that."""
    for name, wanted in contract.types.items():
        if str(rows[name].type) != wanted:
            rows = rows.set_column(rows.column_names.index(name), name, _cast(rows[name], name, contract))
    return rows


def _cast(values: pa.ChunkedArray, name: str, contract: LookupContract) -> pa.ChunkedArray:
    """Arrow's own exception would tell the value, so it is not what this one comes from."""
    wanted = contract.types[name]
    with suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return values.cast(_arrow_type(wanted))
    raise BadLookup(f"The lookup {contract.name!r} has {name} as {values.type}, which can't be read as {wanted}.")


def _arrow_type(text: str) -> pa.DataType:
    if found := _LIST.fullmatch(text):
        return pa.list_(pa.type_for_alias(found[1]))
    found = _DECIMAL.fullmatch(text)
    return pa.decimal128(int(found[1]), int(found[2])) if found else pa.type_for_alias(text)


def _utf16_units(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Count as SQL Server's nvarchar(n) does, to whose columns the bounds belong: a character beyond U+FFFF is two."""
    beyond = pc.count_substring_regex(texts, pattern=_BEYOND)
    return pc.add(pc.utf8_length(texts), beyond)


def _best_of_each_key(rows: pa.Table, contract: LookupContract) -> pa.Table:
    """Keep the first row of each key; rows with a null in their key can't be found by it and go."""
    if not contract.key:
        return rows
    ordered = rows.sort_by([(column, "ascending") for column in contract.best_first]) if contract.best_first else rows
    placed = ordered.select(contract.key).append_column(_PLACE, pa.array(range(len(ordered)), pa.int64()))
    first = placed.drop_null().group_by(contract.key).aggregate([(_PLACE, "min")])
    return ordered.take(first[f"{_PLACE}_min"].sort())


@dataclass(frozen=True, slots=True)
class Lookups:
    """Gives lookups to a run.

    paths: of the lookups that it was given, `<folder>/<its own window>.parquet`, or `<folder>/<yyyymmdd>.parquet` of
    those that are made every day. keys: for the tokens of personal columns; None where no lookup has any.
    """

    spark: SparkSession
    store: ReferenceStore
    paths: Mapping[str, str]
    contracts: Mapping[str, LookupContract] = field(default_factory=lookup_contracts)
    keys: PiiKeys | None = None
    _files: dict[str, pa.Table | None] = field(default_factory=dict, init=False, repr=False)
    _frames: dict[tuple[str, bool], DataFrame] = field(default_factory=dict, init=False, repr=False)

    def has(self, name: str) -> bool:
        """Say whether an input is a lookup."""
        return name in self.contracts

    def path(self, name: str, window: str | None) -> str:
        """Name the window's own file where it still is, else the run's own; of a daily lookup always the run's own."""
        given = self._given(name)
        if _day_of(given) or not _NAME.fullmatch(window or ""):
            return str(given)
        own = str(given.with_name(f"{window}.parquet"))
        return own if self._file(name, own) is not None else str(given)

    def edition(self, name: str, window: str) -> str:
        """Say which file of a lookup the run has: the day's (`yyyymmdd`) of a daily one, else the run's window's."""
        return _day_of(self._given(name)) or window

    def read(self, name: str, path: str, *, clear: bool = False) -> DataFrame:
        """Give a lookup's rows, with tokens in the place of personal columns unless they shall be in clear text.

        Raises LookupMissing, BadLookup and KeysMissing. A file is read once: it is written once.
        """
        found = self._file(name, path)
        if found is None:
            raise LookupMissing(
                f"The lookup {path!r} is not in the reference store: was prepare_lookup's step skipped?"
            )
        if (path, clear) not in self._frames:
            rows = found if clear else self._protected(name, found)
            self._frames[path, clear] = self.spark.createDataFrame(rows).localCheckpoint()
        return self._frames[path, clear]

    def _given(self, name: str) -> PurePosixPath:
        given = self.paths.get(name)
        if given is None:
            raise LookupMissing(f"The run was given no lookup {name!r}; its parameter `lookups` names {[*self.paths]}.")
        return PurePosixPath(given)

    def _protected(self, name: str, rows: pa.Table) -> pa.Table:
        personal = self.contracts[name].personal
        if not personal:
            return rows
        if self.keys is None:
            raise KeysMissing(f"The lookup {name!r} has personal columns, and the run has no keys for their tokens.")
        return tokenised(rows, personal, self.keys)

    def _file(self, name: str, path: str) -> pa.Table | None:
        if path not in self._files:
            document = self.store.read(path)
            self._files[path] = None if document is None else self._parsed(name, path, document)
        return self._files[path]

    def _parsed(self, name: str, path: str, document: bytes) -> pa.Table:
        found = checked_lookup(pq.read_table(BytesIO(document)), self.contracts[name])
        for column, rows in found.too_long.items():
            logger.warning(
                "%s: %d rows are left out, their %s is longer than %d characters.",
                path, rows, column, self.contracts[name].bounds[column],
            )  # fmt: skip
        return found.rows


def _day_of(path: PurePosixPath) -> str:
    """Give the day in a daily file's name, `yyyymmdd`, and nothing of other files; raises BadLookup."""
    if not _DAY.fullmatch(path.stem):
        return ""
    with suppress(ValueError):
        return date.fromisoformat(path.stem).strftime("%Y%m%d")
    raise BadLookup(f"The lookup {str(path)!r} names a day that there is not; expected <name>/<yyyymmdd>.parquet.")
