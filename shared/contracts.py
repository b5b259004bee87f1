"""Reads `contracts/`: what a stream's records look like, and which of their columns are their key."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).resolve().parent.parent / "contracts"

LOOKUPS: Final = "lookups"
"""The folder of the contracts of lookups."""

_KINDS = frozenset({"string", "number", "integer", "boolean", "date-time"})
_LIMITS = ("minLength", "maxLength", "pattern", "enum", "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
_NAME = re.compile(r"(?P<stream>[a-z][a-z0-9_]*)/(?P<version>\d{1,6})")


class ContractError(ValueError):
    """A contract that is missing, or that lacks what every stream's contract must say."""


@dataclass(frozen=True, slots=True)
class Column:
    """One property of a record.

    kind: `string`, `number`, `integer`, `boolean` or `date-time`. nullable: it may be null. limits: what its schema
    says of a value beyond that, by keyword (`maxLength`, `pattern`, `enum`, `minimum` and so on).
    """

    name: str
    kind: str
    required: bool
    nullable: bool = False
    limits: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Contract:
    """The shape of one stream's records, as `contracts/<stream>.v<version>.schema.json` gives it.

    key: the columns that identify a record. partition_key: the column by which events are partitioned.
    """

    stream: str
    version: int
    key: tuple[str, ...]
    partition_key: str
    columns: tuple[Column, ...]

    @property
    def name(self) -> str:
        """Name the contract as events do: `trades/1`."""
        return f"{self.stream}/{self.version}"


@cache
def load_contract(name: str) -> Contract:
    """Read the contract named `<stream>/<version>`; raises ContractError."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise ContractError(f"{name!r} is no contract's name; it must be <stream>/<version>, for example trades/1.")
    document = _document(name, f"{match['stream']}.v{match['version']}.schema.json")
    return parse_contract(match["stream"], int(match["version"]), document)


@dataclass(frozen=True, slots=True)
class LookupColumn:
    """One column of a lookup. arrow_type: as Arrow writes it, `int64` or `date32[day]`. personal: it is `x-pii`."""

    name: str
    arrow_type: str
    nullable: bool
    personal: bool = False


@cache
def load_lookup_columns(lookup: str) -> tuple[LookupColumn, ...]:
    """Read the columns of a lookup, in their order, from the first version of its contract; raises ContractError."""
    document = _document(f"{LOOKUPS}/{lookup}", f"{LOOKUPS}/{lookup}.v1.schema.json")
    try:
        return tuple(
            LookupColumn(name, rule["x-type"], "null" in rule["type"], rule.get("x-pii", False))
            for name, rule in document["properties"].items()
        )
    except (KeyError, TypeError):
        raise ContractError(f"Contract {LOOKUPS}/{lookup}: each property must have type and x-type.") from None


def _document(name: str, path: str) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads((FOLDER / path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ContractError(f"Contract {name} has no file contracts/{path}.") from None
    except ValueError as error:
        raise ContractError(f"Contract {name}: contracts/{path} is not JSON: {error}.") from error
    return document


def parse_contract(stream: str, version: int, document: Mapping[str, Any]) -> Contract:
    """Read a record's JSON Schema; raises ContractError where it has no key, or one that is no required column."""
    name, required = f"{stream}/{version}", set(document.get("required", ()))
    columns = tuple(_column(name, each, schema, required) for each, schema in document.get("properties", {}).items())
    contract = Contract(stream, version, tuple(document.get("x-key", ())), document.get("x-partition-key", ""), columns)
    if not contract.key:
        raise ContractError(f"Contract {name} has no x-key: name the columns that identify a record.")
    for column in (*contract.key, contract.partition_key):
        if column not in required & {each.name for each in columns}:
            raise ContractError(
                f"Contract {name}: x-key and x-partition-key must name required columns, not {column!r}."
            )
    return contract


def _column(contract: str, name: str, schema: Mapping[str, Any], required: set[str]) -> Column:
    given = schema.get("type")
    types = [given] if isinstance(given, str) else list(given or ())
    kinds = [schema.get("format", kind) for kind in types if kind != "null"]
    if len(kinds) != 1 or kinds[0] not in _KINDS:
        found = schema.get("format", given)
        raise ContractError(f"Contract {contract}: the type of {name!r} is {found!r}, which is no column's.")
    limits = {word: schema[word] for word in _LIMITS if word in schema}
    return Column(name, kinds[0], name in required, "null" in types, limits)
