"""Reads a stream's contract: the one place that a record's columns, types, key and rules come from."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

_FILE = re.compile(r"(?P<stream>\w+)\.v(?P<version>\d+)\.schema\.json")
_COLUMN = re.compile(r"[A-Za-z]\w*", re.ASCII)
_TYPES = {"string", "number", "integer", "boolean"}
_ANNOTATIONS = {"description", "title", "$comment", "default", "examples"}
_RULES = {
    "enum",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "pattern",
    "minLength",
    "maxLength",
}
LINEAGE = ("window_id", "slice", "attempt", "partition", "sequence_number", "index")
"""The columns that silver adds to a contract's own: where a record came from."""


class ContractError(ValueError):
    """A contract that can't be turned into columns and rules; says which property and why."""


@dataclass(frozen=True, slots=True)
class Field:
    """One property of a record.

    kind: `string`, `number`, `integer`, `boolean` or `date-time`. rules: the JSON Schema keywords that limit its value.
    """

    name: str
    kind: str
    required: bool
    nullable: bool
    rules: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Contract:
    """The shape of one stream's records.

    closed: no property beside these is allowed. key: the columns that identify a record.
    """

    stream: str
    version: int
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    closed: bool

    @property
    def name(self) -> str:
        """Name the contract as events do: `trades/1`."""
        return f"{self.stream}/{self.version}"

    @property
    def columns(self) -> tuple[str, ...]:
        """Give the names of its properties, in the contract's order."""
        return tuple(field.name for field in self.fields)


def load_contract(name: str) -> Contract:
    """Read the record contract `<stream>/<version>` that the wheel carries; raises ContractError where it has none."""
    folder = files("lakehouse").joinpath("contracts")
    there = {
        f"{match['stream']}/{match['version']}": entry
        for entry in folder.iterdir()
        if (match := _FILE.fullmatch(entry.name))
    }
    if name not in there:
        raise ContractError(f"No contract {name!r} is in the wheel; there are {', '.join(sorted(there))}.")
    stream, version = name.split("/")
    return parse_contract(stream, int(version), json.loads(there[name].read_text(encoding="utf-8")))


def parse_contract(stream: str, version: int, document: Mapping[str, Any]) -> Contract:
    """Read a JSON Schema of flat records; raises ContractError for what can't become columns and rules."""
    required = set(document.get("required", ()))
    fields = tuple(_field(name, schema, name in required) for name, schema in document["properties"].items())
    contract = Contract(
        stream=stream,
        version=version,
        key=tuple(document.get("x-key", ())),
        fields=fields,
        closed=document.get("additionalProperties") is False,
    )
    _refuse(contract, required)
    return contract


def _field(name: str, schema: Mapping[str, Any], required: bool) -> Field:
    types = schema.get("type")
    types = [types] if isinstance(types, str) else list(types or ())
    named = [kind for kind in types if kind != "null"]
    if len(named) != 1 or named[0] not in _TYPES:
        raise ContractError(f"{name}: type {schema.get('type')!r} can't become a column; use one of {sorted(_TYPES)}.")
    unknown = set(schema) - _RULES - _ANNOTATIONS - {"type", "format"}
    if unknown:
        raise ContractError(f"{name}: {sorted(unknown)} can't be checked here; the rules are {sorted(_RULES)}.")
    rules = {rule: value for rule, value in schema.items() if rule in _RULES}
    return Field(name, _kind(name, named[0], schema.get("format")), required, "null" in types, rules)


def _kind(name: str, kind: str, form: str | None) -> str:
    if form is None:
        return kind
    if (kind, form) != ("string", "date-time"):
        raise ContractError(
            f"{name}: format {form!r} of a {kind} can't be checked here; only date-time of a string can."
        )
    return form


def _refuse(contract: Contract, required: set[str]) -> None:
    columns = {field.name for field in contract.fields}
    missing = [name for name in contract.key if name not in columns & required]
    if not contract.key or missing:
        raise ContractError(f"{contract.name}: x-key must name required properties; it is {contract.key}.")
    taken = sorted(columns & {*LINEAGE, "body", "reason", "rows"})
    if taken:
        raise ContractError(f"{contract.name}: silver's own columns are called {taken}; rename these properties.")
    unfit = sorted(name for name in columns if not _COLUMN.fullmatch(name))
    if unfit:
        raise ContractError(
            f"{contract.name}: {unfit} can't be column names; use letters, digits and inner underscores."
        )
    folded = {name.lower() for name in columns}
    if len(folded) < len(columns):
        raise ContractError(f"{contract.name}: Spark's columns know no case; two properties differ in case alone.")
